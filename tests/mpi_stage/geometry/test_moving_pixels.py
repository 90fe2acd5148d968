"""Crop, pad, flip and rotate90 against numpy and OpenCV, in tiles of any size."""

import cv2
import numpy as np
import pytest
from geometry_harness import move, moved, whole
from hypothesis import given, settings
from hypothesis import strategies as st
from operation_harness import DTYPES, picture, spec_of

from mpi_stage.errors import ParameterError
from mpi_stage.operations.declaring.declaration import Border
from mpi_stage.operations.spelling.grammar import make_step, parse
from mpi_stage.planning.planned_steps import check_step

images = st.builds(
    picture,
    seed=st.integers(0, 2**16),
    rows=st.integers(1, 13),
    columns=st.integers(1, 13),
    channels=st.sampled_from([1, 3, 4, 13]),
    dtype=st.sampled_from(DTYPES),
)
tiles = st.tuples(st.integers(1, 9), st.integers(1, 9))
sides = st.integers(0, 30)


def assert_everywhere(step, image, tile, ranks):
    """Hold a step to its whole-image reference, whatever the tiles and the number of ranks."""
    expected = np.ascontiguousarray(whole(step, image))
    assert move(step, image).tobytes() == expected.tobytes()
    assert move(step, image, tile=tile, ranks=ranks).tobytes() == expected.tobytes()


@settings(max_examples=60)
@given(image=images, tile=tiles, ranks=st.integers(1, 8), turns=st.integers(1, 3))
def test_quarter_turns_are_numpy_s(image, tile, ranks, turns):
    assert_everywhere(make_step("rotate90", {"turns": turns}), image, tile, ranks)


@settings(max_examples=60)
@given(image=images, tile=tiles, ranks=st.integers(1, 8), axis=st.sampled_from(["horizontal", "vertical"]))
def test_flips_are_numpy_s(image, tile, ranks, axis):
    tile = (tile[0], image.shape[1])
    assert_everywhere(make_step("flip", {"axis": axis}), image, tile, ranks)


@settings(max_examples=60)
@given(data=st.data(), image=images, tile=tiles, ranks=st.integers(1, 8))
def test_crops_are_slices(data, image, tile, ranks):
    left = data.draw(st.integers(0, image.shape[1] - 1))
    top = data.draw(st.integers(0, image.shape[0] - 1))
    width = data.draw(st.none() | st.integers(1, image.shape[1] - left))
    height = data.draw(st.none() | st.integers(1, image.shape[0] - top))
    step = make_step("crop", {"x": left, "y": top, "width": width, "height": height})
    assert_everywhere(step, image, tile, ranks)


@settings(max_examples=100)
@given(
    image=images,
    tile=tiles,
    ranks=st.integers(1, 8),
    around=st.tuples(sides, sides, sides, sides),
    border=st.sampled_from(list(Border)),
    fill=st.floats(-5, 300),
)
def test_pads_larger_than_the_picture_are_numpy_s(*, image, tile, ranks, around, border, fill):
    stated = dict(zip(("top", "bottom", "left", "right"), around, strict=True))
    step = make_step("pad", {**stated, "border": border.value, "fill": fill})
    assert_everywhere(step, image, tile, ranks)


@pytest.mark.parametrize(
    ("border", "code"),
    [
        ("mirror", cv2.BORDER_REFLECT_101),
        ("reflect", cv2.BORDER_REFLECT),
        ("nearest", cv2.BORDER_REPLICATE),
        ("wrap", cv2.BORDER_WRAP),
        ("constant", cv2.BORDER_CONSTANT),
    ],
)
def test_pad_is_opencv_s_copy_make_border(border, code):
    image = picture(3, 17, 23, 3, "uint8")
    expected = cv2.copyMakeBorder(image, 30, 5, 0, 41, code, value=(9, 9, 9))
    padded = moved(f"pad:top=30,bottom=5,right=41,border={border},fill=9", image)
    assert (padded == expected).all()


def test_a_padded_picture_cropped_again_is_the_picture():
    image = picture(1, 12, 19, 4, "uint16")
    again = moved("pad:top=7,left=3,bottom=20,border=wrap crop:x=3,y=7,width=19,height=12", image)
    assert again.tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("crop:x=40", r"x goes up to 29 and y up to 19"),
        ("crop:y=20", r"outside the picture of 30 × 20 px"),
        ("crop:x=10,width=21", r"reaches to x=31.*width goes up to 20 and height up to 20.*pad first"),
        ("crop:y=5,height=16", r"width goes up to 30 and height up to 15"),
    ],
)
def test_a_crop_outside_the_picture_is_refused_with_what_would_fit(step, said):
    image = picture(0, 20, 30, 1, "uint8")
    with pytest.raises(ParameterError, match=said):
        check_step(parse(step)[0], spec_of(image))
