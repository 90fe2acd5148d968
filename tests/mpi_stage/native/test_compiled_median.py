"""The compiled median against OpenCV and NumPy's partition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native_harness import compiled, library_path
from operation_harness import DTYPES, picture

from mpi_stage.operations.arithmetic.selection import program
from mpi_stage.operations.spelling.grammar import make_step

KERNELS = compiled()


@settings(max_examples=120)
@given(
    seed=st.integers(0, 2**16),
    rows=st.integers(1, 9),
    columns=st.integers(1, 400),
    channels=st.sampled_from([1, 2, 3, 4, 5]),
    dtype=st.sampled_from(DTYPES),
    size=st.sampled_from([3, 5, 7, 9, 11, 13, 15, 21]),
    strange=st.booleans(),
)
def test_the_compiled_median_is_that_of_the_library(*, seed, rows, columns, channels, dtype, size, strange):
    block = picture(seed, rows + size - 1, columns + size - 1, channels, dtype)
    if strange and dtype == "float32":
        random = np.random.default_rng(seed)
        values = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0, -1.5, 1e-45], np.float32)
        block = np.where(random.random(block.shape) < 0.7, random.choice(values, block.shape), block)
    step = make_step("median", {"size": size})
    with library_path("mpi_stage.operations.median"):
        expected = step.operation.stencil(block, step.params)
    result = np.empty_like(expected)
    KERNELS.median(block, result, program(size))
    assert result.tobytes() == expected.tobytes()
    assert step.operation.stencil(block, step.params).tobytes() == expected.tobytes()


BLOCK, OUT = np.zeros((6, 7, 1), np.uint8), np.zeros((4, 5, 1), np.uint8)
RIGHT = program(3)


def wrong(place, number):
    numbers = RIGHT.copy()
    numbers[place] = number
    return numbers


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((BLOCK, OUT[:3], RIGHT), ValueError),
        ((BLOCK.astype(np.int8), OUT, RIGHT), TypeError),
        ((BLOCK, OUT.astype(np.uint16), RIGHT), TypeError),
        ((BLOCK, OUT, RIGHT.astype(np.int64)), TypeError),
        ((BLOCK, OUT, program(5)), ValueError),
        ((BLOCK, OUT, RIGHT[:-1]), ValueError),
        ((BLOCK, OUT, RIGHT[:1]), ValueError),
        *(((BLOCK, OUT, wrong(place, number)), ValueError) for place in range(9) for number in (-1, 1 << 30)),
    ],
)
def test_a_wrong_call_is_refused(arguments, error):
    with pytest.raises(error):
        KERNELS.median(*arguments)


@given(place=st.integers(0, len(RIGHT) - 1), number=st.integers(-3, 12))
def test_no_program_reaches_beyond_its_places(place, number):
    out = np.zeros_like(OUT)
    try:
        KERNELS.median(BLOCK, out, wrong(place, number))
    except ValueError:
        return
    assert not out.any()  # whatever it computes, it is made of the block's zeros
