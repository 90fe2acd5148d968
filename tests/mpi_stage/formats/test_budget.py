"""What a header and a plan declare, held against a job's budget before a pixel is decoded."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from formats_support import picture, write

from mpi_stage.contract import Budget, Request
from mpi_stage.errors import BudgetError
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import read_header
from mpi_stage.planning.budget import RATIO_FREE_BYTES, check_header
from mpi_stage.rank.inspecting import image_digest
from mpi_stage.rank.planned import plan_request


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "in.tif"
    write(path, picture(100, 200, 3, "uint8"), options=SinkOptions(compression="deflate"))
    return path


def plan(path, steps, budget):
    return plan_request(Request("j", str(path), "", "out.tif", steps, budget=budget), ranks=1)


def test_input_of_more_pixels_than_the_budget_is_refused_with_both_numbers(image):
    with pytest.raises(BudgetError, match=r"in\.tif declares 200 × 100 px, 20000 in all; .* up to 19999"):
        plan(image, ["invert"], Budget(pixels=19_999))
    plan(image, ["invert"], Budget(pixels=20_000))


def test_input_of_more_pixels_than_the_budget_is_not_digested(image):
    given = Request("j", str(image), "", "", [], budget=Budget(pixels=19_999))
    with pytest.raises(BudgetError, match=r"20000 in all; .* up to 19999"):
        image_digest(given)
    assert image_digest(replace(given, budget=Budget(pixels=20_000)))


def test_pipeline_that_makes_more_pixels_than_the_budget_is_refused(image):
    steps = ["resize:width=2000,height=1000", "resize:width=200,height=100"]
    with pytest.raises(BudgetError, match="makes an image of 2000 × 1000 px"):
        plan(image, steps, Budget(pixels=1_999_999))
    plan(image, steps, Budget(pixels=2_000_000))


def test_without_a_budget_any_size_is_planned(image):
    plan(image, ["resize:width=200000,height=100000"], Budget())


def test_few_stored_bytes_for_many_decoded_ones_are_refused(image):
    header = replace(read_header(str(image)), decoded_bytes=RATIO_FREE_BYTES + 1, stored_bytes=100_000)
    check_header("in.tif", header, Budget(ratio=2685))
    with pytest.raises(BudgetError, match="2684 for each"):
        check_header("in.tif", header, Budget(ratio=2684))
    check_header("in.tif", replace(header, decoded_bytes=RATIO_FREE_BYTES), Budget(ratio=1))


def test_tiles_that_are_left_out_do_not_count_as_decoded(tmp_path):
    path = tmp_path / "in.tif"
    data = np.zeros((256, 256), np.uint8)
    tifffile.imwrite(path, data, tile=(64, 64), compression="deflate")
    whole = read_header(str(path)).decoded_bytes
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = file.pages.first.tags["TileByteCounts"]
        counts.overwrite([0, 0, *counts.value[2:]])
    assert whole == data.nbytes
    assert read_header(str(path)).decoded_bytes == data.nbytes * 14 // 16


def test_plain_pixels_have_nothing_to_decode(tmp_path):
    path = tmp_path / "in.tif"
    write(path, picture(10, 20, 3, "uint8"))
    assert read_header(str(path)).decoded_bytes == 0


def test_budget_of_job_and_user_together_is_the_smaller_of_each():
    job, user = Budget(pixels=100, ratio=None, decode_s=5.0), Budget(pixels=None, ratio=7, decode_s=2.0)
    assert job.within(user) == Budget(pixels=100, ratio=7, decode_s=2.0)
    assert job.within(Budget(pixels=30)).pixels == 30
    assert job.within(None) == job


def test_budget_travels_with_a_request():
    sent = Request("j", "in", "out", "out.tif", [], budget=Budget(pixels=5, ratio=6, decode_s=7.0))
    assert Request.from_json(sent.to_json()) == sent
