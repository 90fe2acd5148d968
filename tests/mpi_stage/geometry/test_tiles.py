"""How the rows of a rank are cut into tiles."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.geometry.partition import Partition
from mpi_stage.geometry.window import TILE_BYTES, Grid, row_grid, square_grid
from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.placement import SAME, Placement

sizes = st.integers(1, 50)


@given(rows=sizes, columns=sizes, height=sizes, width=sizes, ranks=st.integers(1, 60), skewed=st.booleans())
def test_every_pixel_is_in_one_tile_of_one_rank(*, rows, columns, height, width, ranks, skewed):
    grid = Grid(height, width, columns, skewed)
    seen = np.zeros((rows, columns), int)
    for rank in range(ranks):
        slab = Partition(rows, ranks).slab(rank)
        for number in range(grid.count(slab)):
            tile = grid.tile(slab, number)
            assert tile.pixels
            seen[tile.rows.first : tile.rows.end, tile.columns.first : tile.columns.end] += 1
    assert (seen == 1).all()


def test_skewed_ranks_begin_with_tiles_above_one_another():
    grid = square_grid(ImageSpec(4096, 4096, 3, "uint8"))
    slabs = [Partition(4096, 4).slab(rank) for rank in range(4)]
    assert len({grid.tile(slab, 0).columns.first for slab in slabs}) == 4


def test_tiles_stay_small_for_rows_of_any_width():
    wide = ImageSpec(100_000, 100_000, 13, "float32")
    assert row_grid(wide, wide).height == 1
    narrow = ImageSpec(100_000, 10, 1, "uint8")
    assert row_grid(narrow, narrow).height * narrow.row_bytes <= TILE_BYTES
    square = square_grid(wide)
    assert square.height * square.width * 13 * 4 < TILE_BYTES


numbers = st.integers(-8, 8)


@given(first=st.tuples(*[numbers] * 6), second=st.tuples(*[numbers] * 6), place=st.tuples(numbers, numbers))
def test_placements_follow_one_another(first, second, place):
    one, two = Placement(*first), Placement(*second)
    assert two.after(one).moved(*place) == one.moved(*two.moved(*place))
    assert SAME.after(one) == one


@given(values=st.tuples(*[numbers] * 6), place=st.tuples(numbers, numbers))
def test_the_inverse_leads_back(values, place):
    one = Placement(*values)
    if one.a * one.e != one.b * one.d:
        assert np.allclose(one.inverse().moved(*one.moved(*place)), place)
