"""What a plan says that ranks will move, held against what they moved."""

import pytest
from operation_harness import picture

ROWS, COLUMNS = 600, 480
ROW_BYTES = COLUMNS * 3
OVERHEAD_BYTES = 64 << 10
"""Headers, tables of segments, and what a library reads while it is imported."""

STREAMED = ("invert", "gaussian:sigma=2 sobel", "median:size=5,border=wrap", "equalize", "box:size=255")
COLLECTIVE = (
    "canny",
    "otsu label",
    "harris",
    "hough:threshold=100",
    "lowpass",
    "gaussian rotate90",
    "gaussian rotate:degrees=30",
    "gaussian resize:scale=0.5",
    "gaussian flip:axis=vertical",
    "crop:y=100,height=200",
    "rotate90",
)


def both(worlds, ranks, pipeline):
    source = worlds.write(picture(1, ROWS, COLUMNS, 3, "uint8"))
    forecast = worlds.plan(ranks, source, pipeline)["forecast"]
    return forecast, worlds.run(ranks, source, pipeline, digest=False).report


@pytest.mark.parametrize("pipeline", STREAMED)
@pytest.mark.parametrize("ranks", [2, 5])
def test_of_streamed_steps_exactly_the_forecast_is_sent(worlds, ranks, pipeline):
    forecast, report = both(worlds, ranks, pipeline)
    assert sum(rank.sent_bytes for rank in report.ranks) == forecast["sent_bytes"]


@pytest.mark.parametrize("pipeline", COLLECTIVE)
@pytest.mark.parametrize("ranks", [2, 5])
def test_of_global_steps_no_more_than_the_forecast_is_sent(worlds, ranks, pipeline):
    forecast, report = both(worlds, ranks, pipeline)
    assert sum(rank.sent_bytes for rank in report.ranks) <= forecast["sent_bytes"]


@pytest.mark.parametrize("pipeline", STREAMED)
def test_each_rank_reads_and_writes_its_share_and_its_neighbours_no_rows(worlds, pipeline):
    ranks = 3
    forecast, report = both(worlds, ranks, pipeline)
    for rank in report.ranks:
        assert rank.written_bytes <= forecast["written_bytes"] / ranks + OVERHEAD_BYTES
        assert rank.read_bytes >= forecast["read_bytes"] / ranks - ROW_BYTES
    told = sum(rank.read_bytes for rank in report.ranks)
    sent = sum(rank.sent_bytes for rank in report.ranks)
    assert told <= forecast["read_bytes"] + sent + ranks * OVERHEAD_BYTES
