"""The digest of pixels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.image import ImageSpec
from mpi_stage.rows.digest import RowDigest, combine, pixels_sha256


@given(st.integers(1, 9), st.integers(0, 9), st.sampled_from(["uint8", "uint16", "float32"]))
def test_ranks_that_hash_their_own_rows_agree_with_one_that_hashes_all(rows, cut, dtype):
    pixels = np.random.default_rng(rows).random((rows, 3, 2)).astype(dtype)
    upper, lower = RowDigest(), RowDigest()
    upper.update(pixels[:cut])
    lower.update(pixels[cut:])
    joined = combine(ImageSpec(rows, 3, 2, dtype), [upper.joined(), lower.joined()])
    assert joined == pixels_sha256(pixels)


def test_size_and_type_count_too():
    zeros = np.zeros((4, 6, 1), np.uint8)
    digests = {
        pixels_sha256(zeros),
        pixels_sha256(zeros.reshape(4, 3, 2)),
        pixels_sha256(zeros.reshape(6, 4, 1)),
    }
    assert len(digests) == 3


def test_byte_order_does_not_count():
    pixels = np.arange(12, dtype=np.uint16).reshape(2, 3, 2)
    assert pixels_sha256(pixels.astype(">u2")) == combine(ImageSpec(2, 3, 2, ">u2"), [_joined(pixels)])


def _joined(pixels):
    digest = RowDigest()
    digest.update(pixels)
    return digest.joined()
