"""Slabs that do not fit in the budget go to scratch; what does not fit even so is refused."""

import pytest
from operation_harness import picture
from PIL import Image

from mpi_stage.errors import LimitError
from mpi_stage.planning.program_memory import MOST_TOUCHED_BYTES

SIZE = (9000, 2000)
PIPELINES = ("gaussian:sigma=2 otsu", "median:size=3 equalize box:size=3", "canny:low=20,high=90")


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_slabs_spill_where_memory_is_short_and_the_bytes_are_the_same(worlds, pipeline):
    source = worlds.write(picture(4, *SIZE, 3, "uint8"))
    roomy = worlds.run(2, source, pipeline, block_rows=16)
    plan = worlds.plan(2, source, pipeline, block_rows=16)
    assert plan["slabs"] == "memory"
    peak_bytes = plan["peak_bytes_per_rank"]
    spilling = worlds.plan(2, source, pipeline, block_rows=16, memory_bytes=peak_bytes - (1 << 20))
    assert spilling["slabs"] == "scratch"
    # In the middle, since the holes in a rank's heap, which count too, change from job to job.
    spared_bytes = peak_bytes - spilling["peak_bytes_per_rank"]
    assert spared_bytes > 2 * MOST_TOUCHED_BYTES
    tight = peak_bytes - spared_bytes // 2
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

    def promised(ranks, **options):
        return worlds.plan(2, source, "invert", of=ranks, suffix=".png", **options)["peak_bytes_per_rank"]

    # With blocks alike, two ranks differ from one by their slabs alone. Rank 1 has its half of the rows dealt
    # out until it has filtered the last of them, and its half of the result until rank 0 has them all.
    assert promised(2, block_rows=16) - promised(1, block_rows=16) == image_bytes
    for options in ({}, {"block_rows": 16}):
        report = worlds.run(2, source, "invert", suffix=".png", **options).report
        assert max(rank.peak_anon_bytes for rank in report.ranks) <= promised(2, **options)


def test_rows_dealt_out_are_given_back_before_those_to_gather_are_kept(worlds, tmp_path):
    source = tmp_path / "in.png"
    Image.fromarray(picture(4, 1500, 2000, 3, "uint8")).save(source, compress_level=1)
    pipeline = "gaussian:sigma=2 equalize gaussian:sigma=2"

    def promised(ranks, suffix):
        plan = worlds.plan(2, source, pipeline, of=ranks, block_rows=16, suffix=suffix)
        return plan["peak_bytes_per_rank"]

    # Two slabs at once: first those dealt out and filtered, then those filtered and to be gathered. That the
    # result is gathered adds nothing to what its encoder takes.
    encoder_bytes = promised(1, ".png") - promised(1, ".tif")
    assert promised(2, ".png") - promised(2, ".tif") == encoder_bytes
    report = worlds.run(2, source, pipeline, block_rows=16, suffix=".png").report
    assert max(rank.peak_anon_bytes for rank in report.ranks) <= promised(2, ".png")
