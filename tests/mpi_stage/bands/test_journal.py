"""Records of bands are read as far as they are whole."""

import pytest

from mpi_stage.bands.journal import JOURNAL_VERSION, BandPart, BandRecord, checked_line, records_in

KEY = "of this plan and this input"
HEAD = checked_line({"version": JOURNAL_VERSION, "key": KEY})
RECORDS = [BandRecord(n, (BandPart("output", 64 * n, 64, None),), (), bytes(32)) for n in range(2)]
EMPTY = b"00000000 \n"
"""The checksum of nothing, and nothing: a line that is whole and says nothing."""


def test_records_come_back_as_they_were_written():
    lines = [HEAD, *(checked_line(one.to_json()) for one in RECORDS)]
    assert list(records_in(lines, KEY)) == RECORDS


@pytest.mark.parametrize("line", [EMPTY, checked_line([1]), checked_line({"band": 1}), b"", b"\0" * 64])
def test_a_line_that_is_no_record_ends_the_journal(line):
    first, second = (checked_line(one.to_json()) for one in RECORDS)
    assert list(records_in([HEAD, first, line, second], KEY)) == RECORDS[:1]


@pytest.mark.parametrize("head", [EMPTY, checked_line({"version": JOURNAL_VERSION, "key": "of another"})])
def test_nothing_is_read_behind_a_first_line_of_something_else(head):
    assert list(records_in([head, checked_line(RECORDS[0].to_json())], KEY)) == []
