"""The compiled Gaussian against the library call."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_harness import compiled, library_path

from mpi_stage.operations.gaussian import weights_uint8
from mpi_stage.operations.spelling.grammar import parse

KERNELS = compiled()
odd = st.integers(0, 40).map(lambda half: 2 * half + 1)


def assert_like_the_library(words, block):
    (step,) = parse(words)
    with library_path("mpi_stage.operations.gaussian"):
        expected = step.operation.stencil(block, step.params)
    np.testing.assert_array_equal(step.operation.stencil(block, step.params), expected)


def picture(seed, rows, columns, channels, low):
    return np.random.default_rng(seed).integers(low, 256, (rows, columns, channels), np.uint8)


blocks = st.builds(
    picture,
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 12),
    columns=st.one_of(st.integers(1, 80), st.sampled_from([511, 512, 513, 1100])),
    channels=st.sampled_from([1, 2, 3, 4, 5]),
    low=st.sampled_from([0, 200, 255]),
)


@given(image=blocks, size=odd, sigma=st.one_of(st.none(), st.floats(0.1, 100)))
def test_the_compiled_gaussian_is_that_of_the_library(image, size, sigma):
    halo = size // 2
    block = np.pad(image, ((halo, halo), (halo, halo), (0, 0)), mode="symmetric")
    assert_like_the_library(f"gaussian:size={size}" + (f",sigma={sigma}" if sigma else ""), block)


@pytest.mark.parametrize(("sigma", "channels"), [(0.5, 3), (100, 1)])
def test_the_largest_kernel_is_exact_too(sigma, channels):
    assert_like_the_library(f"gaussian:size=801,sigma={sigma}", picture(1, 802, 805, channels, 0))


def zeros(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


THREE = weights_uint8(3, 0.0)


@pytest.mark.parametrize(
    ("block", "out", "weights", "error"),
    [
        (zeros(5, 5, 3), zeros(3, 4, 3), THREE, ValueError),
        (zeros(5, 5, 3), zeros(3, 3, 1), THREE, ValueError),
        (zeros(5, 5, 3), zeros(3, 3, 3), THREE[:2], ValueError),
        (zeros(5, 5, 3), zeros(3, 3, 3), THREE + THREE, ValueError),
        (zeros(5, 5, 3), zeros(3, 3, 3), np.array([128, 64, 64], np.uint16), ValueError),
        (zeros(5, 5, 3), zeros(3, 3, 3), zeros(2001, dtype=np.uint16), ValueError),
        (zeros(5, 5, 3), zeros(3, 3, 3), zeros(0, dtype=np.uint16), ValueError),
        (zeros(5, 5, 3, dtype=np.uint16), zeros(3, 3, 3), THREE, TypeError),
        (zeros(5, 5, 3), zeros(3, 3, 3, dtype=np.float32), THREE, TypeError),
        (zeros(5, 5, 3), zeros(3, 3, 3), 3, TypeError),
    ],
)
def test_a_wrong_call_is_refused(block, out, weights, error):
    with pytest.raises(error):
        KERNELS.smooth_uint8(block, out, weights)
