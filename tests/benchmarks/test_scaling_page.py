"""The tables of docs/scaling.md are put there by the benchmark, each in its place."""

import pytest

from benchmarks.archive import NODES, archive_rows
from benchmarks.scaling import PAGE, fill
from benchmarks.table import Table

TABLE = Table("scaling", "a title", ["what", "how much"], [["rows", "7"]])


def page_of(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text)
    return path


def test_a_table_goes_between_its_marks_and_replaces_the_one_before(tmp_path):
    page = page_of(tmp_path, "before\n<!-- counts -->\nold\n<!-- end -->\nafter\n")
    fill(page, {"counts": TABLE})
    fill(page, {"counts": TABLE})
    text = page.read_text()
    assert text.startswith("before\n<!-- counts -->\n\n| what | how much |")
    assert text.endswith("| rows | 7 |\n\n<!-- end -->\nafter\n")
    assert "old" not in text


def test_a_table_without_a_place_is_an_error(tmp_path):
    page = page_of(tmp_path, "nothing here\n")
    with pytest.raises(ValueError, match="0 places for counts"):
        fill(page, {"counts": TABLE})


def test_the_page_shows_all_that_is_measured():
    text = PAGE.read_text()
    for part in ("counts", "links", "archive", "picture"):
        body = text.split(f"<!-- {part} -->\n", 1)[1].split("<!-- end -->", 1)[0]
        assert body.count("\n|") > 3, part


def test_a_bucket_bounds_an_archive_whatever_its_nodes_could_do():
    header, *rows = archive_rows()
    assert header[-1] == "and gives, days"
    assert all(float(row[-1]) >= float(row[2]) for row in rows), NODES
