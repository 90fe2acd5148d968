"""Rotation against OpenCV, and the same values in tiles of any size."""

import cv2
import numpy as np
import pytest
from geometry_harness import moved
from hypothesis import given, settings
from hypothesis import strategies as st
from operation_harness import DTYPES, picture, spec_of

from mpi_stage.operations.rotate import inverse_matrix
from mpi_stage.operations.spelling.grammar import parse

INTERPOLATIONS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
FLOAT_BOUND = 1e-5
"""Of the data's range; OpenCV computes places in float32."""

angles = st.floats(-360, 360) | st.integers(-4, 4).map(lambda turns: 90.0 * turns)
sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**16),
    size=sizes,
    degrees=angles,
    kind=st.sampled_from(["linear", "cubic"]),
    expand=st.booleans(),
    channels=st.sampled_from([1, 3, 4]),
    dtype=st.sampled_from(DTYPES),
)
def test_values_are_opencv_s(*, seed, size, degrees, kind, expand, channels, dtype):
    image = picture(seed, *size, channels, dtype)
    step = parse([{"op": "rotate", "degrees": degrees, "interpolation": kind, "expand": expand}])[0]
    rotated = moved([{"op": "rotate", **step.params}], image)
    matrix = inverse_matrix(step.params, spec_of(image), spec_of(rotated))
    flags = INTERPOLATIONS[kind] | cv2.WARP_INVERSE_MAP
    expected = cv2.warpAffine(image, matrix, rotated.shape[1::-1], flags=flags).reshape(rotated.shape)
    difference = np.abs(rotated.astype(float) - expected).max()
    assert difference <= (1 if dtype != "float32" else FLOAT_BOUND * max(1.0, float(np.ptp(image))))


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**16),
    size=sizes,
    degrees=angles,
    kind=st.sampled_from(sorted(INTERPOLATIONS)),
    expand=st.booleans(),
    channels=st.sampled_from([1, 4, 13]),
    dtype=st.sampled_from(DTYPES),
    tile=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    ranks=st.integers(1, 8),
)
def test_bytes_do_not_depend_on_tiles_or_ranks(
    *, seed, size, degrees, kind, expand, channels, dtype, tile, ranks
):
    image = picture(seed, *size, channels, dtype)
    if dtype == "float32":
        image[seed % size[0], seed % size[1]] = np.nan
    step = [{"op": "rotate", "degrees": degrees, "interpolation": kind, "expand": expand, "fill": 0.25}]
    assert moved(step, image, tile=tile, ranks=ranks).tobytes() == moved(step, image).tobytes()


def test_the_matrix_is_opencv_s():
    step = parse("rotate:degrees=20")[0]
    spec = spec_of(np.zeros((31, 20, 1), np.uint8))
    forward = cv2.getRotationMatrix2D((9.5, 15), 20, 1)
    assert np.allclose(inverse_matrix(step.params, spec, spec), cv2.invertAffineTransform(forward))


@pytest.mark.parametrize("kind", sorted(INTERPOLATIONS))
@pytest.mark.parametrize("turns", [-2, 0, 1, 3])
def test_quarter_turns_move_pixels_to_whole_places(kind, turns):
    image = picture(2, 21, 14, 3, "uint8")
    rotated = moved(f"rotate:degrees={turns * 90},expand=true,interpolation={kind}", image)
    assert (rotated == np.rot90(image, turns)).all()


def test_nearest_differs_from_opencv_only_where_a_place_lies_between_two_pixels():
    image = picture(5, 90, 70, 1, "uint16")
    step = parse("rotate:degrees=23.7,interpolation=nearest")[0]
    matrix = inverse_matrix(step.params, spec_of(image), spec_of(image))
    expected = cv2.warpAffine(image, matrix, (70, 90), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    rotated = moved("rotate:degrees=23.7,interpolation=nearest", image)[..., 0]
    row, column = np.nonzero(rotated != expected)
    places = matrix @ np.stack([column, row, np.ones_like(row)])
    assert (np.abs(places - np.floor(places) - 0.5).min(axis=0) < 1e-4).all()


def test_what_was_outside_gets_the_fill_value():
    rotated = moved("rotate:degrees=45,expand=true,fill=300", np.zeros((10, 10, 1), np.uint8))
    assert rotated[0, 0, 0] == 255
