"""What holds for every file of the repository."""

import os
import re
import subprocess
import tokenize
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
BINARY = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".ico", ".gif"}

# Written so that this file does not match itself.
HOSTS = re.compile(r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|anaconda[.]org/|deb[.]debian[.]org")
MACHINE_PATHS = re.compile(r"/wor[k]/|[.]librar[y]\b|/opt/pyp[i]|bash_job[s]|/[.]pyen[v]/")
LEFT_TO_DO = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b")
SILENCED = re.compile(
    r"#\s*(?:noqa:\s*(?P<noqa>[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)|type:\s*ignore(?:\[(?P<type>[^]]*)\])?)"
)
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")


def tracked() -> list[Path]:
    """Return the files under version control, and those about to be."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in sorted(listing.split("\0")) if name and (path := ROOT / name).is_file()]


def text_files() -> list[Path]:
    """Return the tracked files that hold text."""
    return [path for path in tracked() if path.suffix not in BINARY]


def places(pattern: re.Pattern[str]) -> list[str]:
    """Return file, line and text of every match in the repository's text files."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in text_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in pattern.finditer(line)
    ]


def test_no_file_names_a_package_registry():
    assert places(HOSTS) == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    assert places(MACHINE_PATHS) == []


def test_nothing_is_left_to_do():
    assert places(LEFT_TO_DO) == []


def comments(path: Path) -> dict[int, str]:
    """Return the comments of a Python file by line."""
    with tokenize.open(path) as file:
        return {
            t.start[0]: t.string
            for t in tokenize.generate_tokens(file.readline)
            if t.type == tokenize.COMMENT
        }


def unreasoned(path: Path) -> list[str]:
    """Return the silenced rules of a file that nobody explains.

    A reason stands behind the codes or in a comment on the line above; within a file once is enough
    for each code.
    """
    found = comments(path)
    explained: set[str] = set()
    bare: list[tuple[int, set[str]]] = []
    for line, comment in sorted(found.items()):
        for match in SILENCED.finditer(comment):
            codes = set(re.split(r"\s*,\s*", match["noqa"] or match["type"] or "type: ignore"))
            rest = SILENCED.sub("", comment[match.end() :]).strip(" #()")
            before = comment[: match.start()].strip(" #()")
            if rest or before or (line - 1 in found and not SILENCED.search(found[line - 1])):
                explained |= codes
            else:
                bare.append((line, codes))
    return [
        f"{path.relative_to(ROOT)}:{line}: {', '.join(codes - explained)}"
        for line, codes in bare
        if codes - explained
    ]


def test_every_silenced_rule_has_a_reason():
    found = [place for path in text_files() if path.suffix == ".py" for place in unreasoned(path)]
    assert not found, "say why behind the code, as in `# noqa: S108  (the name is unique)`:\n" + "\n".join(
        found
    )


def locked() -> dict[str, list[Requirement]]:
    """Return the entries of the lock by name; a name has several where its version depends on Python."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    entries = [Requirement(line.rstrip("\\ ")) for line in lines if line and line[0].isalnum()]
    return {name: [e for e in entries if e.name == name] for name in {entry.name for entry in entries}}


def test_the_lock_names_no_host_and_takes_no_options():
    text = (ROOT / "requirements.lock").read_text()
    strays = [
        line for line in text.splitlines() if not re.match(r"[a-z0-9]|    --hash=sha256:[0-9a-f]{64}\b", line)
    ]
    assert strays == []
    assert "://" not in text


def test_every_entry_of_the_lock_has_a_hash():
    text = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def of_extras(extras: dict[str, list[str]], *names: str) -> list[Requirement]:
    """Return what extras ask for, those that they name in turn included."""
    asked = [Requirement(one) for name in names for one in extras[name]]
    others = [one for one in asked if one.name != "halorow"]
    named = {extra for one in asked if one.name == "halorow" for extra in one.extras}
    return others + (of_extras(extras, *sorted(named)) if named else [])


def test_the_lock_is_in_step_with_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    entries = locked()
    wrong = []
    for wanted in [*map(Requirement, project["dependencies"]), *of_extras(extras, "dev", "bench")]:
        versions = [next(iter(entry.specifier)).version for entry in entries.get(wanted.name.lower(), [])]
        if not versions or not all(
            wanted.specifier.contains(version, prereleases=True) for version in versions
        ):
            wrong.append(f"{wanted}: locked {versions or 'nowhere'}; run `make lock`")
    assert not wrong, "\n".join(wrong)


def test_links_between_documents_lead_somewhere():
    documents = [path for path in text_files() if path.suffix == ".md"]
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents
        for target in LINK.findall(path.read_text())
        if not (path.resolve().parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("script", [".ci/run"])
def test_scripts_can_be_executed(script):
    assert os.access(ROOT / script, os.X_OK)


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    explained = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    assert sorted(phony.group(1).split()) == sorted(explained)


def test_no_two_files_of_tests_have_one_name():
    """Pytest imports them by their names alone."""
    names = Counter(path.name for path in tracked() if path.name.startswith("test_") and path.suffix == ".py")
    assert [name for name, count in names.items() if count > 1] == []


def test_no_property_draws_by_the_random_module_itself():
    """Pytest is told to ignore Hypothesis' own warning of it, which threads of libraries also call forth."""
    module = re.compile(r"^\s*(import random\b|from random import (?!Random$))", re.MULTILINE)
    tests = [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / "tests")]
    texts = {path: path.read_text() for path in tests}
    found = [path for path, text in texts.items() if "from hypothesis import" in text and module.search(text)]
    assert [str(path.relative_to(ROOT)) for path in found] == []
