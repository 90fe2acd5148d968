"""The compiled counting and looking up against NumPy and the library calls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_harness import compiled, library_path

from mpi_stage.operations.arithmetic.look_up import each_looked_up

KERNELS = compiled()


def noise(seed, rows, columns, channels, spread):
    return np.random.default_rng(seed).integers(0, spread, (rows, columns, channels), np.uint8)


blocks = st.builds(
    noise,
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 5),
    columns=st.integers(1, 90),
    channels=st.sampled_from([1, 2, 3, 4, 5, 64]),
    spread=st.sampled_from([1, 4, 256]),
)


@given(block=blocks)
def test_the_compiled_counts_are_added_to_what_is_there(block):
    channels = block.shape[2]
    counts = np.arange(channels * 256).reshape(1, channels, 256)
    added = [np.bincount(block[..., channel].ravel(), minlength=256) for channel in range(channels)]
    expected = np.add(counts, [added])
    KERNELS.histogram_uint8(block, counts)
    np.testing.assert_array_equal(counts, expected)


@given(block=blocks.filter(lambda block: block.shape[2] <= 4), seed=st.integers(0, 2**32 - 1))
def test_the_compiled_look_up_is_that_of_the_library(block, seed):
    tables = np.random.default_rng(seed).integers(0, 256, (block.shape[2], 256), np.uint8)
    with library_path("mpi_stage.operations.arithmetic.look_up"):
        expected = each_looked_up(block, tables)
    np.testing.assert_array_equal(each_looked_up(block, tables), expected)


def zeros(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("kernel", "arguments", "error"),
    [
        ("histogram_uint8", (zeros(2, 2, 3), zeros(1, 1, 256, dtype=np.int64)), ValueError),
        ("histogram_uint8", (zeros(2, 2, 3), zeros(1, 3, 255, dtype=np.int64)), ValueError),
        ("histogram_uint8", (zeros(2, 2, 65), zeros(1, 65, 256, dtype=np.int64)), ValueError),
        ("histogram_uint8", (zeros(2, 2, 3), zeros(1, 3, 256, dtype=np.int32)), TypeError),
        ("histogram_uint8", (zeros(2, 2, 3)[..., :1], zeros(1, 1, 256, dtype=np.int64)), ValueError),
        ("look_up_uint8", (zeros(2, 2, 3), zeros(1, 1, 256), zeros(2, 2, 3)), ValueError),
        ("look_up_uint8", (zeros(2, 2, 3), zeros(1, 3, 255), zeros(2, 2, 3)), ValueError),
        ("look_up_uint8", (zeros(2, 2, 3), zeros(1, 3, 256), zeros(2, 1, 3)), ValueError),
        ("look_up_uint8", (zeros(2, 2, 3), zeros(1, 3, 256), zeros(2, 2, 3, dtype=np.int8)), TypeError),
    ],
)
def test_a_wrong_call_is_refused(kernel, arguments, error):
    with pytest.raises(error):
        getattr(KERNELS, kernel)(*arguments)
