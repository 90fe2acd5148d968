"""The documents build as a site without a warning, and none is left out of its contents."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from docs.generate.site import documents

ROOT = Path(__file__).parent.parent


def files_of(contents):
    """Yield the files that a table of contents names."""
    if isinstance(contents, str):
        yield contents
    else:
        for one in contents.values() if isinstance(contents, dict) else contents:
            yield from files_of(one)


def test_every_document_is_in_the_contents_of_the_site():
    named = set(files_of(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert sorted(str(path) for path in documents() if str(path) not in named) == []


def test_the_site_builds_without_a_warning():
    pytest.importorskip("mkdocs")
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate.site"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (ROOT / "build" / "site" / "html" / "docs" / "operations" / "edges.html").is_file()
