"""Borders as index maps, judged by numpy's own padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.operations.arithmetic.borders import OUTSIDE, ColumnBorder, border_index
from mpi_stage.operations.declaring.declaration import Border

NUMPY_NAMES = {
    Border.MIRROR: "reflect",
    Border.REFLECT: "symmetric",
    Border.NEAREST: "edge",
    Border.WRAP: "wrap",
}


@pytest.mark.parametrize("border", list(NUMPY_NAMES))
@given(length=st.integers(1, 12), before=st.integers(0, 60), after=st.integers(0, 60))
def test_borders_are_numpys_however_far_they_reach(border, length, before, after):
    inside = np.arange(length)
    expected = np.pad(inside, (before, after), mode=NUMPY_NAMES[border])
    assert border_index(length, before, after, border).tolist() == expected.tolist()


def test_a_constant_border_marks_what_lies_outside():
    assert border_index(2, 2, 1, Border.CONSTANT).tolist() == [OUTSIDE, OUTSIDE, 0, 1, OUTSIDE]


@pytest.mark.parametrize("border", list(Border))
def test_columns_are_filled_on_both_sides(border):
    inside = np.arange(2 * 3 * 2, dtype=np.uint8).reshape(2, 3, 2)
    padded = np.zeros((2, 3 + 8, 2), np.uint8)
    padded[:, 4:7] = inside
    ColumnBorder(3, 4, border, 9).fill(padded)
    index = border_index(3, 4, 4, border)
    expected = np.where((index == OUTSIDE)[None, :, None], 9, inside[:, np.maximum(index, 0)])
    assert np.array_equal(padded, expected)
