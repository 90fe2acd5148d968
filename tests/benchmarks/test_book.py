"""What a run of the benchmarks keeps."""

import json

import pytest

from benchmarks.book import Book
from benchmarks.machine import Machine
from benchmarks.table import Table

MACHINE = Machine("a processor", 2, 4.0, "a system", "3.11", {"halorow": "1"})


@pytest.fixture
def book(tmp_path):
    started = Book(MACHINE, tmp_path / "results" / "here.md")
    started.begin(Table("P0", "nothing", ["step", "ratio"], notes=["A note."]))
    return started


def test_each_row_is_on_disk_as_soon_as_it_is_measured(book):
    book.measure("`invert`", lambda: (["1.00×"], {"a": [1.0]}))
    assert "| `invert` | 1.00× |" in book.path.read_text()
    kept = json.loads(book.path.with_suffix(".json").read_text())
    assert kept["tables"][0]["data"] == {"`invert`": {"a": [1.0]}}


def test_a_row_that_fails_is_named_and_the_next_is_measured(book, capsys):
    def fails():
        raise RuntimeError("it broke")

    book.measure("`first`", fails)
    book.measure("`second`", lambda: (["2.00×"], None))
    assert book.failures == ["P0 `first`"]
    assert "| `first` | failed |\n| `second` | 2.00× |" in book.path.read_text()
    assert "it broke" in capsys.readouterr().err


def test_what_is_printed_row_by_row_is_the_table(book, capsys):
    table = Table("P1", "something", ["step", "ratio"], notes=["A note."])
    capsys.readouterr()
    book.begin(table)
    book.add(["`invert`", "1.00×"])
    book.end()
    assert capsys.readouterr().out == table.markdown() + "\n"
