"""Images with a nodata value through whole worlds."""

import numpy as np
import pytest
import tifffile
from operation_harness import picture
from worlds import RANKS


def write_holed(worlds, dtype, nodata):
    image = picture(8, 61, 47, 3, dtype)
    image[np.random.default_rng(1).random(image.shape) < 0.3] = float(nodata)
    source = worlds.folder / "holed.tif"
    tifffile.imwrite(source, image, photometric="rgb", extratags=[(42_113, "s", 0, nodata, True)])
    return source, image


@pytest.mark.parametrize(("dtype", "nodata"), [("uint8", "0"), ("uint16", "7"), ("float32", "nan")])
def test_the_holes_stay_and_every_world_makes_the_same_bytes(worlds, dtype, nodata):
    source, image = write_holed(worlds, dtype, nodata)
    pipeline = "box:size=5 gaussian:sigma=2,border=constant,fill=1 flip:axis=vertical"
    results = [
        worlds.run(ranks, source, pipeline, block_rows=rows)
        for ranks, rows in zip(RANKS, (None, 1, 7, 16, 3), strict=True)
    ]
    assert len({result.content for result in results}) == 1
    found = tifffile.imread(results[0].path)[::-1]
    missing = np.isnan(image) if nodata == "nan" else image == int(nodata)
    assert np.array_equal(found[missing], image[missing], equal_nan=True)
    assert np.isfinite(found[~missing]).all()
    assert results[0].report.notes == []


def test_steps_that_ignore_the_value_are_named_in_one_note(worlds):
    source, _ = write_holed(worlds, "uint8", "0")
    report = worlds.run(2, source, "box invert median invert crop:x=3").report
    assert report.notes == ["the input's nodata value, 0, is a value like any other to invert, median"]


def test_a_value_that_no_pixel_can_have_changes_nothing(worlds):
    source, _ = write_holed(worlds, "uint8", "0")
    plain = worlds.run(1, source, "median").report
    tifffile.imwrite(source, picture(8, 61, 47, 3, "uint8"), extratags=[(42_113, "s", 0, "-9999", True)])
    report = worlds.run(1, source, "median").report
    assert plain.notes
    assert not report.notes
    assert report.plan_hash != plain.plan_hash
