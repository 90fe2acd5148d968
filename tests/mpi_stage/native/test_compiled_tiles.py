"""Rows of tiles from and to a file in one compiled call."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_harness import compiled

KERNELS = compiled()
FRONT_BYTES = 5


def stored(tiles):
    """Return the bytes of a file: a few, then tile after tile."""
    return bytes(FRONT_BYTES) + b"".join(tile.tobytes() for tile in tiles)


def noise(*shape):
    return np.random.default_rng(3).integers(1, 256, shape, np.uint8)


@given(
    rows=st.integers(1, 9), tile_bytes=st.integers(1, 40), across=st.integers(1, 5), cut=st.integers(0, 39)
)
def test_tiles_come_back_as_they_were_written(tmp_path_factory, rows, tile_bytes, across, cut):
    cut %= tile_bytes
    path = tmp_path_factory.mktemp("tiles") / "file"
    picture = noise(rows, tile_bytes * across, 1)
    buffer = np.empty((rows, tile_bytes, 1), np.uint8)
    apart = rows * tile_bytes
    with path.open("w+b") as file:
        assert KERNELS.write_tiles(file.fileno(), FRONT_BYTES, apart, picture, buffer) == across
        assert path.read_bytes() == stored(np.split(picture, across, axis=1))
        wide = np.zeros((rows, tile_bytes * across + 3, 1), np.uint8)
        part = wide[:, : tile_bytes * across - cut]
        offsets = FRONT_BYTES + apart * np.arange(across)
        assert KERNELS.read_tiles(file.fileno(), offsets, part, buffer) == across
    np.testing.assert_array_equal(part, picture[:, : part.shape[1]])
    assert not wide[:, part.shape[1] :].any()


def test_a_tile_beyond_the_end_of_the_file_ends_the_call(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    rows, buffer = np.empty((4, 40, 1), np.uint8), np.empty((4, 10, 1), np.uint8)
    with path.open("rb") as file:
        assert KERNELS.read_tiles(file.fileno(), np.arange(4) * 40, rows, buffer) == 2


def test_what_cannot_be_written_ends_the_call():
    rows, buffer = np.zeros((4, 40, 1), np.uint8), np.empty((4, 10, 1), np.uint8)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        assert KERNELS.write_tiles(full, 0, 40, rows, buffer) == 0
    finally:
        os.close(full)


def zeros(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("rows", "buffer", "error"),
    [
        (zeros(2, 8, 2), zeros(2, 4, 1), ValueError),
        (zeros(2, 8, 1), zeros(3, 4, 1), ValueError),
        (zeros(2, 8, 1), zeros(2, 8, 1)[:, :4], ValueError),
        (zeros(2, 8, 1), zeros(2, 0, 1), ValueError),
        (zeros(2, 8, 1, dtype=np.int8), zeros(2, 4, 1), TypeError),
    ],
)
def test_a_wrong_call_is_refused(rows, buffer, error):
    with pytest.raises(error):
        KERNELS.read_tiles(-1, np.arange(2), rows, buffer)
    with pytest.raises(error):
        KERNELS.write_tiles(-1, 0, 8, rows, buffer)
