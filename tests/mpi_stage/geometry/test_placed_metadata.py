"""Metadata that say how and where a picture lies, after geometry."""

import numpy as np
import pytest
from geometry_harness import moved

from mpi_stage.formats.geo import GeoReference, geo_reference
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.metadata import orientation, orientation_exif, upright_exif
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.placed import place_metadata, upright_steps

AREA = (1, 1, 0, 1, 1025, 0, 1, 1)
POINT = (1, 1, 0, 1, 1025, 0, 1, 2)
TIED = {"scale": (10.0, 5.0, 0.0), "points": (2.0, 3.0, 0.0, 500_000.0, 4_000_000.0, 0.0)}
SHEARED = {"matrix": (3.0, 1, 0, 100, 0.5, -2, 0, 900, 0, 0, 1, 0, 0, 0, 0, 1)}
REFERENCES = [GeoReference(keys, **where) for keys in (AREA, POINT) for where in (TIED, SHEARED)]
SPEC = ImageSpec(23, 31, 2, "float32")


def coordinates(reference, rows, columns):
    """Return x and y of the centre of every pixel, as GeoTIFF defines them."""
    shift = 0 if reference.centred else 0.5
    column, row = np.meshgrid(np.arange(columns) + shift, np.arange(rows) + shift)
    if reference.matrix:
        a, b, _, c, d, e, _, f = reference.matrix[:8]
        return np.stack([a * column + b * row + c, d * column + e * row + f], axis=-1)
    i, j, _, x, y, _ = reference.points
    across, down, _ = reference.scale
    return np.stack([x + (column - i) * across, y - (row - j) * down], axis=-1)


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize(
    "pipeline",
    [
        "crop:x=4,y=7,width=20,height=11",
        "pad:top=5,left=9,right=2,border=constant,fill=-1",
        "flip",
        "flip:axis=vertical",
        "rotate90:turns=1",
        "rotate90:turns=2",
        "rotate90:turns=3",
        "rotate:degrees=20,fill=-1",
        "rotate:degrees=-50,expand=true,fill=-1",
        "resize:width=62,height=46",
        "resize:scale=0.5",
        "rotate90 resize:scale=3 flip pad:left=4,border=constant,fill=-1 rotate:degrees=100,fill=-1 crop:x=3",
    ],
)
def test_every_pixel_still_lies_where_it_did(reference, pipeline):
    """Let each pixel hold its own coordinates, and look whether the new tags say the same of it."""
    before = coordinates(reference, SPEC.rows, SPEC.columns)
    origin = before.mean(axis=(0, 1))
    image = (before - origin + 1e4).astype(np.float32)
    after = moved(pipeline, image)
    placed = place_metadata(Metadata(geo=reference), parse(pipeline), SPEC)
    assert "geo" in placed.adjusted
    expected = coordinates(placed.metadata.geo, *after.shape[:2]) - origin + 1e4
    interior = _untouched_by_edges(pipeline, image)
    assert interior.sum() > 10
    assert np.abs(after - expected)[interior].max() < 0.02


def _untouched_by_edges(pipeline, image):
    """Return which pixels of the result are made of pixels well inside the picture."""
    inside = np.zeros((*image.shape[:2], 1), np.float32)
    inside[2:-2, 2:-2] = 1
    return moved(pipeline.replace("fill=-1", "fill=0"), inside)[..., 0] > 1 - 1e-6


def test_a_straight_move_keeps_scale_and_tie_point():
    placed = place_metadata(Metadata(geo=GeoReference(AREA, **TIED)), parse("crop:x=4,y=7"), SPEC)
    assert placed.metadata.geo.scale == TIED["scale"]
    assert placed.metadata.geo.points[:2] == (-2.0, -4.0)
    assert not placed.metadata.geo.matrix


def test_many_tie_points_move_with_their_pixels():
    points = (0.0, 0, 0, 1, 2, 0, 31, 0, 0, 3, 4, 0, 0, 23, 0, 5, 6, 0)
    placed = place_metadata(Metadata(geo=GeoReference(AREA, points=points)), parse("rotate90"), SPEC)
    assert placed.metadata.geo.points == (0, 31, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 23, 31, 0, 5, 6, 0)


@pytest.mark.parametrize(
    ("pipeline", "resolution"),
    [
        ("invert", (300.0, 150.0, "inch")),
        ("crop:x=1", (300.0, 150.0, "inch")),
        ("resize:width=62,height=23", (600.0, 150.0, "inch")),
        ("rotate90", (150.0, 300.0, "inch")),
        ("flip", (300.0, 150.0, "inch")),
        ("rotate:degrees=10", None),
    ],
)
def test_resolution_follows_the_pixels(pipeline, resolution):
    spec = ImageSpec(23, 31, 1, "uint8")
    placed = place_metadata(Metadata(resolution=(300.0, 150.0, "inch")), parse(pipeline), spec)
    assert placed.metadata.resolution == resolution
    assert ("resolution" in placed.dropped) == (resolution is None)


def test_nodata_is_dropped_where_the_type_changes():
    spec = ImageSpec(9, 9, 1, "uint8")
    assert place_metadata(Metadata(nodata="0"), parse("label"), spec).dropped["nodata"]
    assert place_metadata(Metadata(nodata="0"), parse("box"), spec).metadata.nodata == "0"


@pytest.mark.parametrize("value", range(1, 9))
def test_an_orientation_is_cleared_and_the_rest_of_the_block_stays(value):
    only = orientation_exif(value)
    assert upright_exif(only) is None
    make = b"II*\x00\x08\x00\x00\x00\x02\x00" + b"\x00\x01\x04\x00\x01\x00\x00\x00\x07\x00\x00\x00"
    block = b"Exif\x00\x00" + make + b"\x12\x01\x03\x00\x01\x00\x00\x00" + bytes([value, 0, 0, 0]) + bytes(4)
    assert orientation(block) == value
    assert orientation(upright_exif(block)) == 1
    assert len(upright_exif(block)) == len(block)
    assert len(upright_steps(Metadata(exif=block))) == {1: 0, 5: 2, 7: 2}.get(value, 1)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {33_550: (1.0, 2.0)},
        {33_922: (1.0, 2.0)},
        {34_735: (1, 1, 0)},
        {34_264: (1.0,) * 15, 34_735: AREA},
    ],
)
def test_tags_that_are_not_whole_are_no_reference(tags):
    assert geo_reference(tags) is None
