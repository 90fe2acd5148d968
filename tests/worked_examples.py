"""What a worked example of a document says, carried out on a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "extend.md"
_BLOCK = re.compile(
    r'^```(?P<kind>\w+)(?: title="(?P<path>[^"]+)")?\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE
)


def section(title):
    """Return the part of the document below a heading."""
    return re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE)[1:][titles().index(title)]


def titles():
    """Return the headings of the examples."""
    return re.findall(r"^## (.*)$", DOCUMENT.read_text(), re.MULTILINE)


def copy_of_repository(folder):
    """Copy what is tracked, and the compiled kernels."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    compiled = [str(path.relative_to(ROOT)) for path in (ROOT / "mpi_stage" / "native").glob("*.so")]
    for name in [*listing.split("\0"), *compiled]:
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


def carry_out(text, folder):
    """Write a section's files and apply its changes, as `make lint` wants them; return what it touches."""
    touched = []
    for block in _BLOCK.finditer(text):
        if block["kind"] == "diff":
            applied = subprocess.run(
                ["git", "apply", "--verbose", "--recount", "-"],
                input=block["text"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            assert applied.returncode == 0, applied.stderr
            touched += re.findall(r"^\+\+\+ b/(.*)$", block["text"], re.MULTILINE)
        elif block["path"]:
            path = folder / block["path"]
            assert not path.exists(), f"{path} is there already"
            path.write_text(block["text"])
            touched.append(block["path"])
    python(folder, "-m", "ruff", "check", "--no-cache", *touched)
    python(folder, "-m", "ruff", "format", "--check", "--no-cache", *touched)
    return touched


def python(folder, *args):
    """Run Python in the copy, with nothing of the repository itself on its path; return what it printed."""
    env = {**os.environ, "PYTHONPATH": str(folder)}
    env.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, *args], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout
