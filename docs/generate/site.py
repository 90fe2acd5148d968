"""Builds the documents as a site: ``python -m docs.generate.site``.

The documents lie where readers of the repository look for them, and link to source files too; MkDocs wants
them in one folder. So they are gathered first, with whatever they link to.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "build" / "site" / "source"
_LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")
_FIRST = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def documents() -> list[Path]:
    """Return the documents, relative to the repository's root."""
    below = (path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))
    return [*map(Path, _FIRST), *sorted(below)]


def linked(document: Path) -> Iterator[Path]:
    """Yield the files that a document links to, relative to the root; of a folder none."""
    for target in _LINK.findall((ROOT / document).read_text()):
        path = (ROOT / document).parent.joinpath(target).resolve()
        if path.is_file():
            yield path.relative_to(ROOT)


def gather(folder: Path) -> None:
    """Copy the documents, and the files that they link to, into an empty folder. Raises OSError."""
    shutil.rmtree(folder, ignore_errors=True)
    waiting, done = documents(), set[Path]()
    while waiting:
        one = waiting.pop()
        if one in done:
            continue
        done.add(one)
        place = folder / one
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / one, place)
        if one.suffix == ".md":
            waiting.extend(linked(one))


def main() -> int:
    """Gather and build; return MkDocs' exit code, which is not 0 where it has warned."""
    gather(SOURCE)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "--quiet"]
    # The theme advertises its successor at every build.
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=ROOT, env=quiet, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
