import tracemalloc

import numpy as np
import pytest

from mpi_stage.image import ImageSpec
from mpi_stage.rows.pyramid import Halver, halve, halved, halving_bytes, way_to_halve

TYPES = ("uint8", "uint16", "float32")


def noise(rows, columns, channels, dtype):
    values = np.random.default_rng(0).integers(0, 65_536, (rows, columns, channels))
    return (values / 7).astype(dtype) if dtype == "float32" else values.astype(dtype)


def reference(pixels):
    """The mean of each 2 × 2 pixels, one pixel at a time, in whole numbers or exact fractions."""
    rows, columns, channels = pixels.shape
    made = np.empty((-(-rows // 2), -(-columns // 2), channels), pixels.dtype)
    for y, x, c in np.ndindex(made.shape):
        below, right = min(2 * y + 1, rows - 1), min(2 * x + 1, columns - 1)
        a, b = pixels[2 * y, 2 * x, c], pixels[2 * y, right, c]
        d, e = pixels[below, 2 * x, c], pixels[below, right, c]
        if pixels.dtype == np.float32:
            made[y, x, c] = ((a + d) + (b + e)) * np.float32(0.25)
        else:
            made[y, x, c] = (int(a) + int(b) + int(d) + int(e) + 2) // 4
    return made


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(8, 10, 3), (7, 9, 1), (1, 1, 2), (1, 6, 1), (5, 1, 4)])
def test_pixels_are_means_and_an_odd_edge_stands_for_both(dtype, shape):
    pixels = noise(*shape, dtype)
    made = halved(ImageSpec(*shape, dtype)).empty(-(-shape[0] // 2))
    halve(pixels, made)
    assert np.array_equal(made, reference(pixels))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("columns", [2, 34, 1000, 70_000])
def test_wide_even_and_odd_pictures_are_rounded_alike(dtype, channels, columns):
    pixels = np.random.default_rng(columns).integers(0, np.iinfo(dtype).max, (6, columns, channels), dtype)
    pixels[:2, : columns // 2] = np.iinfo(dtype).max
    sums = pixels.reshape(3, 2, columns // 2, 2, channels).sum((1, 3), dtype=np.int64)
    for taken in (columns, columns - 1):
        made = np.empty((3, columns // 2, channels), dtype)
        halve(np.ascontiguousarray(pixels[:, :taken]), made)
        whole = taken // 2
        assert np.array_equal(made[:, :whole], (sums[:, :whole] + 2) // 4)


@pytest.mark.parametrize("rows", [40, 41])
@pytest.mark.parametrize("heights", [[1], [2], [3], [5, 1, 2], [41]])
def test_rows_pushed_in_any_portions_give_the_same(rows, heights):
    pixels = noise(rows, 13, 3, "uint8")
    made = []
    halver = Halver(ImageSpec(rows, 13, 3, "uint8"), lambda first, part: made.append((first, part)))
    first, turn = 0, 0
    while first < rows:
        height = heights[turn % len(heights)]
        halver.push(first, pixels[first : first + height])
        first, turn = first + height, turn + 1
    assert [first for first, _ in made] == list(np.cumsum([0, *(len(part) for _, part in made)])[:-1])
    assert np.array_equal(np.concatenate([part for _, part in made]), reference(pixels))


def test_size_of_a_level_is_rounded_up():
    assert halved(ImageSpec(5, 9, 1, "uint8"), 2) == ImageSpec(2, 3, 1, "uint8")


@pytest.mark.parametrize("nodata", [None, 3.0])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("columns", [300, 200_000])
def test_memory_for_a_level_is_no_more_than_stated(nodata, dtype, columns):
    spec = ImageSpec(64, columns, 1, dtype)
    rows = np.ones((64, columns, 1), dtype)
    halver = Halver(spec, lambda _first, _rows: None, way_to_halve(spec, nodata))
    tracemalloc.start()
    halver.push(0, rows)
    _, taken = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0 < taken <= halving_bytes(spec, 64)
