"""Orientation and georeference through whole worlds, from file to file."""

import numpy as np
import pytest
import tifffile
from operation_harness import picture
from PIL import Image, ImageOps

GEO_TAGS = [
    (33_550, "d", 3, (10.0, 10.0, 0.0), True),
    (33_922, "d", 6, (0.0, 0.0, 0.0, 500_000.0, 4_000_000.0, 0.0), True),
    (34_735, "H", 8, (1, 1, 0, 1, 1025, 0, 1, 1), True),
    (42_113, "s", 0, "7", True),
]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_an_orientation_is_applied_and_cleared(worlds, orientation, suffix):
    pixels = picture(orientation, 37, 22, 3, "uint8")
    source = worlds.folder / f"oriented{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(source, pixels, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010F] = "a camera"
        Image.fromarray(pixels).save(source, exif=exif)
    with Image.open(source) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    result = worlds.run(3, source, "invert", suffix=suffix)
    with Image.open(result.path) as image:
        assert (np.asarray(image) == 255 - expected).all()
        assert image.getexif().get(0x0112, 1) == 1
        assert (image.getexif().get(0x010F) == "a camera") == (suffix == ".png")
    assert ("orientation" in result.report.metadata_adjusted) == (orientation != 1)


def test_the_place_on_earth_moves_with_the_picture(worlds):
    source = worlds.folder / "geo.tif"
    tifffile.imwrite(source, picture(1, 40, 50, 1, "uint16")[..., 0], extratags=GEO_TAGS)
    result = worlds.run(2, source, "crop:x=5,y=8,width=20,height=30 resize:scale=0.5")
    with tifffile.TiffFile(result.path) as file:
        tags = file.pages.first.tags
        assert tags[33_550].value == (20.0, 20.0, 0.0)
        assert tags[33_922].value == (-2.5, -4.0, 0.0, 500_000.0, 4_000_000.0, 0.0)
        assert tags[34_735].value == (1, 1, 0, 1, 1025, 0, 1, 1)
        assert tags[42_113].value == "7"
    assert {"geo", "nodata"} <= set(result.report.metadata_kept)
    assert result.report.metadata_adjusted["geo"] == "adjusted for crop, resize"


def test_what_a_format_has_no_place_for_is_reported(worlds):
    source = worlds.folder / "geo.tif"
    tifffile.imwrite(source, picture(1, 40, 50, 1, "uint16")[..., 0], extratags=GEO_TAGS)
    report = worlds.run(2, source, "crop:x=5", suffix=".png").report
    assert {"geo", "nodata"} <= set(report.metadata_dropped)
    assert "geo" not in report.metadata_adjusted
