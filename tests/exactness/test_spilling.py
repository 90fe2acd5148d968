"""Slabs that do not fit in the budget go to scratch; what does not fit even so is refused."""

import pytest
from operation_harness import picture
from PIL import Image

from mpi_stage.errors import LimitError

PIPELINES = ("gaussian:sigma=2 otsu", "median:size=3 equalize box:size=3", "canny:low=20,high=90")


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_slabs_spill_where_memory_is_short_and_the_bytes_are_the_same(worlds, pipeline):
    source = worlds.write(picture(4, 1500, 2000, 3, "uint8"))
    roomy = worlds.run(2, source, pipeline, block_rows=16)
    plan = worlds.plan(2, source, pipeline, block_rows=16)
    assert plan["slabs"] == "memory"
    tight = plan["peak_bytes_per_rank"] - (1 << 20)
    assert worlds.plan(2, source, pipeline, block_rows=16, memory_bytes=tight)["slabs"] == "scratch"
    spilled = worlds.run(2, source, pipeline, block_rows=16, memory_bytes=tight)
    assert all(rank.spilled_bytes > 0 for rank in spilled.report.ranks)
    assert all(rank.spilled_bytes == 0 for rank in roomy.report.ranks)
    assert spilled.content == roomy.content


def test_what_cannot_fit_is_refused_with_both_numbers_and_what_would_fit(worlds):
    source = worlds.write(picture(4, 300, 2000, 3, "uint8"))
    with pytest.raises(LimitError, match=r"would need \d+ bytes .* the limit is 20971520") as refused:
        worlds.plan(1, source, "gaussian:sigma=20", memory_bytes=20 << 20)
    assert "would fit" in str(refused.value) or "allow at least" in str(refused.value)


def test_the_rows_that_rank_0_deals_out_and_gathers_count_too(worlds, tmp_path):
    source = tmp_path / "in.png"
    Image.fromarray(picture(4, 1500, 2000, 3, "uint8")).save(source, compress_level=1)
    image_bytes = 1500 * 2000 * 3
    alone = worlds.plan(2, source, "invert", of=1, suffix=".png")["peak_bytes_per_rank"]
    shared = worlds.plan(2, source, "invert", suffix=".png")["peak_bytes_per_rank"]
    # Not the whole of it: the rows dealt out are gone by the time that all are gathered.
    assert 0.5 * image_bytes < shared - alone <= image_bytes
    report = worlds.run(2, source, "invert", suffix=".png").report
    assert max(rank.peak_anon_bytes for rank in report.ranks) <= shared
