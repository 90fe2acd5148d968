"""A step that depends on the row knows it, also where rows repeat beyond the image's edges."""

import pytest
from operation_harness import picture, run
from worlds import RANKS

from mpi_stage.rows.digest import pixels_sha256


@pytest.mark.parametrize("rows", [3, 29])
@pytest.mark.parametrize("border", ["wrap", "mirror"])
def test_local_contrast_before_a_wide_stencil_is_that_of_the_whole_image(worlds, border, rows):
    pipeline = f"clahe:tiles=3 box:size=31,border={border}"
    image = picture(5, rows, 23, 3, "uint8")
    source = worlds.write(image)
    digests = {
        worlds.run(ranks, source, pipeline, block_rows=block).report.pixels_sha256
        for ranks, block in zip(RANKS, (1, 2, 7, None, 16), strict=True)
    }
    assert digests == {pixels_sha256(run(pipeline, image))}
