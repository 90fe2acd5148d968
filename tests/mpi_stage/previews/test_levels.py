"""Which level of a file a tile is made of, and of which window of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.previews.levels import SMALL_PX, Shape, best_level, small_factor, tile_window

WIDE = Shape(16_384, 8_192, 3)


def test_the_reduced_copy_is_as_small_as_it_may_be():
    assert small_factor(WIDE, 512) == 8
    assert small_factor(Shape(600, 500, 3), 512) == 1


def test_no_tile_of_an_image_without_levels_is_made_of_too_much():
    factor = small_factor(Shape(200_000, 200_000, 3), 512)
    assert (512 * factor) ** 2 * 3 <= 2 * (96 << 20)
    assert max(Shape(200_000, 200_000, 3).at(factor)) > SMALL_PX


def test_the_smallest_level_that_is_large_enough_is_read():
    levels = [(16_384, 8_192), (8_192, 4_096), (4_096, 2_048)]
    assert best_level(WIDE, levels, 1) == (0, 1)
    assert best_level(WIDE, levels, 2) == (1, 2)
    assert best_level(WIDE, levels, 64) == (2, 4)


def test_levels_that_are_not_reduced_by_a_power_of_two_are_left_alone():
    assert best_level(WIDE, [(16_384, 8_192), (5_461, 2_731)], 8) == (0, 1)


@given(st.integers(1, 5_000), st.integers(1, 5_000), st.integers(0, 6), st.sampled_from([64, 256, 512]))
def test_tiles_cover_an_image_once_at_every_level(columns, rows, power, side):
    ratio = 2**power
    across = math.ceil(math.ceil(columns / ratio) / side)
    down = math.ceil(math.ceil(rows / ratio) / side)
    assert (
        sum(
            tile_window((columns, rows), ratio, (x, y), side).pixels
            for x in range(across)
            for y in range(down)
        )
        == columns * rows
    )
    for place in ((across, 0), (0, down), (-1, 0)):
        with pytest.raises(ValueError, match="no tile"):
            tile_window((columns, rows), ratio, place, side)
