"""The compiled kernels that resize and turn pictures against NumPy's way."""

import numpy as np
import pytest
from geometry_harness import move
from hypothesis import given, settings
from hypothesis import strategies as st
from native_harness import compiled, library_path
from operation_harness import DTYPES, picture

from mpi_stage.operations.spelling.grammar import make_step

KERNELS = compiled()
lengths = st.integers(1, 40)
sizes = st.tuples(lengths, lengths)
channels = st.sampled_from([1, 2, 3, 4, 5])
strange = st.sampled_from([None, np.nan, -np.nan, np.inf, -0.0, 3e38])


def drawn(seed, size, channel_count, dtype, value):
    image = picture(seed, *size, channel_count, dtype)
    if dtype == "float32" and value is not None:
        image[seed % size[0], seed % size[1]] = value
    return image


def assert_same_bytes(module, step, image, tile):
    with np.errstate(invalid="ignore", over="ignore"), library_path(module):
        expected = move(step, image, tile=tile)
    assert move(step, image, tile=tile).tobytes() == expected.tobytes()


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**16),
    size=sizes,
    after=sizes,
    kind=st.sampled_from(["nearest", "linear", "cubic", "area", "lanczos"]),
    channel_count=channels,
    dtype=st.sampled_from(DTYPES),
    value=strange,
    tile=sizes,
)
def test_the_compiled_resize_is_numpy_s(*, seed, size, after, kind, channel_count, dtype, value, tile):
    step = make_step("resize", {"height": after[0], "width": after[1], "interpolation": kind})
    image = drawn(seed, size, channel_count, dtype, value)
    assert_same_bytes("mpi_stage.operations.resize", step, image, tile)


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**16),
    size=sizes,
    degrees=st.floats(-360, 360) | st.sampled_from([0, 45, 90, 180]),
    kind=st.sampled_from(["nearest", "linear", "cubic"]),
    channel_count=channels,
    dtype=st.sampled_from(DTYPES),
    value=strange,
    tile=sizes,
)
def test_the_compiled_rotation_is_numpy_s(*, seed, size, degrees, kind, channel_count, dtype, value, tile):
    step = make_step("rotate", {"degrees": degrees, "interpolation": kind, "expand": True, "fill": 3})
    image = drawn(seed, size, channel_count, dtype, value)
    assert_same_bytes("mpi_stage.operations.rotate", step, image, tile)


BLOCK = np.zeros((4, 5, 3), np.uint8)
OUT = np.zeros((2, 3, 3), np.uint8)


def table(values, taps, results):
    return np.full((taps, results, 1), values, np.float32 if isinstance(values, float) else np.int32)


ACROSS = (table(1, 2, 3), table(0.5, 2, 3))
DOWN = (table(1, 2, 2), table(0.5, 2, 2))
FAR = (np.array([0, 0, 2, 2], np.int32).reshape(2, 2, 1), table(0.5, 2, 2))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((BLOCK, OUT[:, :, :1], ACROSS, DOWN), ValueError),
        ((BLOCK.astype(np.float64), OUT, ACROSS, DOWN), TypeError),
        ((BLOCK, OUT.astype(np.uint16), ACROSS, DOWN), TypeError),
        ((BLOCK, OUT, DOWN, DOWN), ValueError),
        ((BLOCK, OUT, ACROSS, ACROSS), ValueError),
        ((BLOCK, OUT, (table(5, 2, 3), ACROSS[1]), DOWN), ValueError),
        ((BLOCK, OUT, (table(-1, 2, 3), ACROSS[1]), DOWN), ValueError),
        ((BLOCK, OUT, ACROSS, FAR), ValueError),
        ((BLOCK, OUT, (table(1, 17, 3), table(0.5, 17, 3)), DOWN), ValueError),
        ((BLOCK, OUT, (ACROSS[1], ACROSS[1]), DOWN), TypeError),
    ],
)
def test_a_wrong_resize_is_refused(arguments, error):
    with pytest.raises(error):
        KERNELS.resize(*arguments)


MATRIX = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((BLOCK, OUT[:, :, :1], MATRIX, (0, 0, 0, 0), 2), ValueError),
        ((BLOCK.astype(np.int32), OUT, MATRIX, (0, 0, 0, 0), 2), TypeError),
        ((BLOCK, OUT, MATRIX, (0, 0, 0, 0), 3), ValueError),
        ((BLOCK, OUT, MATRIX, (0, 0, 0, 0), 4), ValueError),
        ((BLOCK[:2], OUT, MATRIX, (0, 0, 0, 0), 2), ValueError),
        ((BLOCK, OUT, MATRIX[:5], (0, 0, 0, 0), 2), TypeError),
        ((BLOCK, OUT.tobytes(), MATRIX, (0, 0, 0, 0), 2), BufferError),
    ],
)
def test_a_wrong_warp_is_refused(arguments, error):
    with pytest.raises(error):
        KERNELS.warp(*arguments)


def test_places_outside_the_block_read_nothing_outside():
    block = np.full((4, 5, 3), 9, np.uint8)
    KERNELS.warp(block, OUT, (1e9, 0.0, -1e12, 0.0, -1e9, 1e300), (0, 0, 0, 0), 2)
    assert (OUT == 9).all()
