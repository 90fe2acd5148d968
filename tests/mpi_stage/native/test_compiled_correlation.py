"""The compiled correlation against ``cv2.filter2D``, row ends included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native_harness import compiled, library_path
from operation_harness import picture

from mpi_stage.operations.arithmetic.correlation import correlated

KERNELS = compiled()


@settings(max_examples=300)
@given(
    seed=st.integers(0, 2**16),
    rows=st.integers(1, 12),
    columns=st.integers(1, 500),
    channels=st.sampled_from([1, 2, 3, 4, 5]),
    dtype=st.sampled_from(["uint8", "uint16"]),
    sides=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    scale=st.sampled_from([1.0, 0.0123457, 3e-5, 1e9]),
    offset=st.sampled_from([0.0, 0.5, -30.25, 128.0]),
    whole=st.booleans(),
)
def test_the_compiled_correlation_is_opencv_s(
    *, seed, rows, columns, channels, dtype, sides, scale, offset, whole
):
    halo = max(sides) // 2
    block = picture(seed, rows + 2 * halo, columns + 2 * halo, channels, dtype)
    kernel = np.random.default_rng(seed).normal(0, 3, sides)
    kernel = np.rint(kernel) if whole else kernel
    with library_path("mpi_stage.operations.arithmetic.correlation"):
        expected = correlated(block, kernel, scale, offset)
    np.testing.assert_array_equal(correlated(block, kernel, scale, offset), expected)


BLOCK, OUT = np.zeros((6, 7, 1), np.uint8), np.zeros((4, 5, 1), np.uint8)
TAPS = (np.zeros((2, 2, 1), np.int32), np.ones((2, 1, 1), np.float32))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((BLOCK, OUT[:3], TAPS, (3, 0.0, 0)), ValueError),
        ((BLOCK, OUT, TAPS, (5, 0.0, 0)), ValueError),
        ((BLOCK, OUT, TAPS, (65, 0.0, 0)), ValueError),
        ((BLOCK, OUT, TAPS, (0, 0.0, 0)), ValueError),
        ((BLOCK, OUT, (TAPS[0] + 3, TAPS[1]), (3, 0.0, 0)), ValueError),
        ((BLOCK, OUT, (TAPS[0] - 1, TAPS[1]), (3, 0.0, 0)), ValueError),
        ((BLOCK, OUT, (TAPS[0], TAPS[1][:1]), (3, 0.0, 0)), ValueError),
        ((BLOCK, OUT, (TAPS[1], TAPS[1]), (3, 0.0, 0)), TypeError),
        ((BLOCK.astype(np.float32), OUT.astype(np.float32), TAPS, (3, 0.0, 0)), TypeError),
        ((BLOCK, OUT.tobytes(), TAPS, (3, 0.0, 0)), BufferError),
        ((BLOCK, OUT, TAPS), TypeError),
    ],
)
def test_a_wrong_call_is_refused(arguments, error):
    with pytest.raises(error):
        KERNELS.correlate(*arguments)
