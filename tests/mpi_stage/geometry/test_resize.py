"""Resize against OpenCV, and the same values in tiles of any size."""

import cv2
import numpy as np
import pytest
from geometry_harness import moved
from hypothesis import example, given, settings
from hypothesis import strategies as st
from operation_harness import DTYPES, picture

from mpi_stage.errors import ParameterError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse

INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
    "lanczos": cv2.INTER_LANCZOS4,
}
FLOAT_BOUND = 2e-6
"""Of the data's range; OpenCV's cubic weights are themselves 1.3e-6 away from exact ones."""

kinds = st.sampled_from(sorted(INTERPOLATIONS))
lengths = st.integers(1, 40)
afterwards = st.integers(1, 70)


def resized(image, width, height, kind, **cut):
    return moved(f"resize:width={width},height={height},interpolation={kind}", image, **cut)


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**16),
    size=st.tuples(lengths, lengths),
    after=st.tuples(afterwards, afterwards),
    kind=kinds,
    channels=st.sampled_from([1, 3, 4]),
    dtype=st.sampled_from(DTYPES),
)
@example(
    seed=0, size=(22, 1), after=(50, 1), kind="area", channels=1, dtype="float32"
)  # just below a whole one
def test_values_are_opencv_s(*, seed, size, after, kind, channels, dtype):
    image = picture(seed, *size, channels, dtype)
    expected = cv2.resize(image, after[::-1], interpolation=INTERPOLATIONS[kind]).reshape(*after, channels)
    difference = np.abs(resized(image, after[1], after[0], kind).astype(float) - expected).max()
    if dtype == "float32":
        assert difference <= FLOAT_BOUND * max(1.0, float(np.ptp(image)))
    else:
        assert difference <= (0 if kind == "nearest" else 1)


@settings(max_examples=100)
@given(
    seed=st.integers(0, 2**16),
    size=st.tuples(lengths, lengths),
    after=st.tuples(afterwards, afterwards),
    kind=kinds,
    channels=st.sampled_from([1, 13]),
    dtype=st.sampled_from(DTYPES),
    tile=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    ranks=st.integers(1, 8),
)
def test_bytes_do_not_depend_on_tiles_or_ranks(*, seed, size, after, kind, channels, dtype, tile, ranks):
    image = picture(seed, *size, channels, dtype)
    if dtype == "float32":
        image[seed % size[0], seed % size[1]] = np.nan
    expected = resized(image, after[1], after[0], kind)
    assert resized(image, after[1], after[0], kind, tile=tile, ranks=ranks).tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", sorted(INTERPOLATIONS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_constant_picture_stays_constant(kind, dtype):
    value = 0.7 if dtype == "float32" else np.iinfo(dtype).max - 1
    image = np.full((37, 53, 3), value, dtype)
    result = resized(image, 91, 11, kind)
    if dtype == "float32":
        assert np.abs(result - image[0, 0, 0]).max() < 1e-6
    else:
        assert (result == image[0, 0, 0]).all()


def test_shrinking_by_a_thousand_takes_the_mean():
    image = picture(4, 2000, 1500, 1, "uint16")
    small = resized(image, 2, 2, "area", tile=(1, 1))
    assert small.tobytes() == resized(image, 2, 2, "area", tile=(2, 2)).tobytes()
    blocks = image[..., 0].reshape(2, 1000, 2, 750).mean(axis=(1, 3))
    assert np.abs(small[..., 0] - blocks).max() <= 0.6


@pytest.mark.parametrize(
    ("step", "size"),
    [
        ("resize:width=50", (33, 50)),
        ("resize:height=50", (50, 75)),
        ("resize:width=50,height=60", (60, 50)),
        ("resize:scale=0.5", (10, 15)),
        ("resize:scale=0.001", (1, 1)),
    ],
)
def test_what_is_left_out_keeps_the_proportions(step, size):
    after = parse(step)[0].operation.output(ImageSpec(20, 30, 1, "uint8"), parse(step)[0].params)
    assert (after.rows, after.columns) == size


@pytest.mark.parametrize("step", ["resize", "resize:scale=2,width=10"])
def test_no_size_and_two_sizes_are_refused(step):
    with pytest.raises(ParameterError, match=r"resize (needs|takes)"):
        parse(step)[0].operation.output(ImageSpec(20, 30, 1, "uint8"), parse(step)[0].params)
