"""The compiled gradient's magnitude against the library calls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_harness import compiled, library_path

from mpi_stage.operations.spelling.grammar import parse

KERNELS = compiled()
sizes = st.integers(1, 70)


@pytest.mark.parametrize("operation", ["sobel", "scharr", "prewitt"])
@given(rows=sizes, columns=sizes, spread=st.integers(1, 256), seed=st.integers(0, 2**32 - 1))
def test_the_compiled_magnitude_is_that_of_the_library(operation, rows, columns, spread, seed):
    block = np.random.default_rng(seed).integers(0, spread, (rows + 2, columns + 2, 1), np.uint8)
    (step,) = parse(operation)
    with library_path("mpi_stage.operations.arithmetic.edges"):
        expected = step.operation.stencil(block, step.params)
    np.testing.assert_array_equal(step.operation.stencil(block, step.params), expected)


def test_rows_may_lie_apart():
    block = np.random.default_rng(1).integers(0, 256, (9, 20, 1), np.uint8)
    wide, out = np.zeros((7, 40, 1), np.uint8), np.empty((7, 11, 1), np.uint8)
    KERNELS.steepness_uint8(np.ascontiguousarray(block[:, 4:17]), out, 1, 2)
    KERNELS.steepness_uint8(block[:, 4:17], wide[:, 5:16], 1, 2)
    np.testing.assert_array_equal(wide[:, 5:16], out)
    assert not wide[:, :5].any()
    assert not wide[:, 16:].any()


def zeros(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("block", "out", "weights", "error"),
    [
        (zeros(5, 5, 1), zeros(3, 4, 1), (1, 2), ValueError),
        (zeros(5, 5, 1), zeros(5, 5, 1), (1, 2), ValueError),
        (zeros(5, 5, 3), zeros(3, 3, 3), (1, 2), ValueError),
        (zeros(5, 5), zeros(3, 3, 1), (1, 2), ValueError),
        (zeros(5, 10, 1)[:, ::2], zeros(3, 3, 1), (1, 2), ValueError),
        (zeros(5, 5, 1)[::-1], zeros(3, 3, 1), (1, 2), ValueError),
        (zeros(5, 5, 1), zeros(3, 3, 1), (60, 60), ValueError),
        (zeros(5, 5, 1), zeros(3, 3, 1), (0, 2), ValueError),
        (zeros(5, 5, 1, dtype=np.uint16), zeros(3, 3, 1), (1, 2), TypeError),
        (zeros(5, 5, 1), zeros(3, 3, 1, dtype=np.int8), (1, 2), TypeError),
        (zeros(5, 5, 1), zeros(27).tobytes(), (1, 2), BufferError),
        ("picture", zeros(3, 3, 1), (1, 2), TypeError),
    ],
)
def test_a_wrong_call_is_refused(block, out, weights, error):
    with pytest.raises(error):
        KERNELS.steepness_uint8(block, out, *weights)
