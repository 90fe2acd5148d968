"""Curves, matrices and channels against OpenCV, Pillow and numpy."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import DTYPES, picture, pictures, run, spec_of
from PIL import Image, ImageOps

from mpi_stage.errors import ParameterError
from mpi_stage.operations.spelling.grammar import parse

WHITE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
WEIGHTS = (0.4, 0.9, -0.3, 0.1, 0.5, 0.2, 1.1, -0.6, 0.35)


def assert_follows(result, reference):
    """Compare with ``reference`` in float64, rounded and clipped for integers."""
    if result.dtype == np.float32:
        np.testing.assert_allclose(result, reference, rtol=1e-6, atol=1e-6 * max(np.ptp(reference), 1))
    else:
        clipped = np.clip(np.rint(reference), 0, np.iinfo(result.dtype).max)
        np.testing.assert_array_equal(result, clipped)


@given(image=pictures, offset=st.sampled_from([-1, -0.3, 0, 0.1, 0.5, 1]))
def test_brightness_is_saturating_addition(image, offset):
    white = WHITE[str(image.dtype)]
    added = offset if white == 1 else float(np.rint(offset * white))
    result = run(f"brightness:offset={offset}", image)
    if image.dtype == np.float32:
        assert_follows(result, image + added)
    else:
        flat = image.reshape(1, -1)  # a column of four would be a scalar to OpenCV
        np.testing.assert_array_equal(result, cv2.add(flat, added).reshape(image.shape))


@given(image=pictures, factor=st.sampled_from([0, 0.3, 1, 1.5, 10]), pivot=st.sampled_from([0, 0.5, 0.8]))
def test_contrast_moves_values_from_the_pivot(image, factor, pivot):
    middle = pivot * WHITE[str(image.dtype)]
    reference = (image.astype(float) - middle) * factor + middle
    assert_follows(run(f"contrast:factor={factor},pivot={pivot}", image), reference)


@given(image=pictures, gamma=st.sampled_from([0.2, 1, 1.8, 2.2, 10]))
def test_gamma_is_a_power_of_the_share_of_white(image, gamma):
    white = WHITE[str(image.dtype)]
    share = image.astype(float) / white
    reference = np.sign(share) * np.abs(share) ** (1 / gamma) * white
    assert_follows(run(f"gamma:gamma={gamma}", image), reference)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gamma_above_one_brightens_and_keeps_black_and_white(dtype):
    white = np.dtype(dtype).type(WHITE[dtype])
    image = np.array([0, white / 2, white]).astype(dtype).reshape(1, 3, 1)
    black, middle, bright = run("gamma:gamma=2", image).ravel()
    assert (black, bright) == (0, white)
    assert middle > image[0, 1, 0]


@given(
    image=pictures, gamma=st.sampled_from([0.5, 1, 2.2]), out=st.sampled_from([(0, 1), (0.2, 0.7), (1, 0)])
)
def test_levels_spread_what_lies_between_the_inputs(image, gamma, out):
    white = WHITE[str(image.dtype)]
    share = np.clip((image / white - 0.2) / (0.7 - 0.2), 0, 1) ** (1 / gamma)
    reference = (out[0] + share * (out[1] - out[0])) * white
    step = f"levels:in_low=0.2,in_high=0.7,out_low={out[0]},out_high={out[1]},gamma={gamma}"
    result = run(step, image)
    if image.dtype == np.float32:
        assert_follows(result, reference)
    else:
        # The order of the operations decides about exact halves.
        assert np.abs(result - reference).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(
    "step", ["brightness:offset=0", "contrast:factor=1", "gamma:gamma=1", "sepia:strength=0"]
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_neutral_value_changes_nothing(step, dtype):
    image = picture(3, 20, 30, 3, dtype)
    assert_follows(run(step, image), image.astype(float))


def test_levels_by_default_change_nothing_but_what_lies_outside():
    for dtype in DTYPES:
        image = picture(3, 20, 30, 3, dtype)
        assert_follows(run("levels", image), np.clip(image.astype(float), 0, WHITE[dtype]))


def test_levels_the_wrong_way_round_are_refused():
    (step,) = parse("levels:in_low=0.6,in_high=0.6")
    with pytest.raises(ParameterError, match=r"in_low=0\.6.*exchange"):
        step.operation.check(step.params, spec_of(picture(1, 2, 2, 1, "uint8")))


@pytest.mark.parametrize("bits", range(1, 9))
def test_posterize_is_pillows(bits):
    image = picture(bits, 30, 40, 3, "uint8")
    np.testing.assert_array_equal(
        run(f"posterize:bits={bits}", image), np.asarray(ImageOps.posterize(Image.fromarray(image), bits))
    )
    wide = image.astype(np.uint16) << 8 | 77
    np.testing.assert_array_equal(
        run(f"posterize:bits={bits}", wide) >> 8, run(f"posterize:bits={bits}", image)
    )


def test_posterized_floats_have_as_many_levels():
    image = np.array([-1, 0, 0.24, 0.25, 0.5, 0.9, 1, 7, np.nan], np.float32).reshape(1, -1, 1)
    result = run("posterize:bits=2", image).ravel().tolist()
    assert result[:-1] == [0, 0, 0, 0.25, 0.5, 0.75, 0.75, 0.75]
    assert np.isnan(result[-1])


@pytest.mark.parametrize("threshold", [0, 1, 100, 128, 255])
def test_solarize_is_pillows(threshold):
    image = picture(threshold, 30, 40, 3, "uint8")
    reference = np.asarray(ImageOps.solarize(Image.fromarray(image), threshold))
    np.testing.assert_array_equal(run(f"solarize:threshold={threshold}", image), reference)
    if threshold == 128:
        np.testing.assert_array_equal(run("solarize", image), reference)


@pytest.mark.parametrize(("dtype", "middle"), [("uint16", 32768), ("float32", 0.5)])
def test_solarize_inverts_from_the_middle_on(dtype, middle):
    image = picture(3, 30, 40, 3, dtype)
    white = np.dtype(dtype).type(WHITE[dtype])
    np.testing.assert_array_equal(run("solarize", image), np.where(image < middle, image, white - image))


def cv2_transform(image, weights):
    """Call OpenCV with rows to spare: it rounds the very last pixels of a picture in another way."""
    return cv2.transform(np.vstack([image, image]), weights)[: len(image)]


@given(seed=st.integers(0, 1000), dtype=st.sampled_from(DTYPES), offsets=st.booleans())
def test_matrix_is_cv2_transform(seed, dtype, offsets):
    image = picture(seed, 8, 40, 3, dtype)
    weights = np.reshape(WEIGHTS, (3, 3))
    if offsets:
        weights = np.hstack([weights, [[3.3], [-40], [0.2]]])
    listed = ",".join(str(weight) for weight in weights.ravel())
    np.testing.assert_array_equal(run(f"matrix:values={listed}", image, 1), cv2_transform(image, weights))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sepia_is_the_picture_mixed_with_brown(dtype):
    image = picture(6, 8, 40, 3, dtype)
    brown = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    np.testing.assert_array_equal(run("sepia", image), cv2_transform(image, brown))
    half = cv2_transform(image, brown / 2 + np.eye(3) / 2)
    np.testing.assert_array_equal(run("sepia:strength=0.5", image), half)


@pytest.mark.parametrize("values", ["1,2,3", "1,0,0,0,1,0,0,0,1,0"])
def test_a_matrix_has_nine_or_twelve_numbers(values):
    with pytest.raises(ParameterError, match="9 or 12 numbers"):
        parse(f"matrix:values={values}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("degrees", [-180, -45, 0, 1, 30, 120, 180])
def test_hue_turns_h_of_hsv(dtype, degrees):
    image = picture(9, 40, 33, 3, dtype)
    values = (image / np.float32(65535)).astype(np.float32) if dtype == "uint16" else image
    hsv = cv2.cvtColor(values, cv2.COLOR_RGB2HSV)
    turn, circle = (round(degrees / 2), 180) if dtype == "uint8" else (degrees, 360)
    hsv[:, :, 0] = ((hsv[:, :, 0].astype(float) + turn) % circle).astype(hsv.dtype)
    reference = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    result = run(f"hue:degrees={degrees}", image)
    if dtype == "uint16":
        reference = np.clip(np.rint(reference * np.float32(65535)), 0, 65535)
        assert np.abs(result - reference).max() <= 1
    elif dtype == "float32":
        # Floats outside 0 to 1 have saturations beyond 1, which amplify the rounding of the hue.
        inside = ((image >= 0) & (image <= 1)).all(axis=2)
        np.testing.assert_allclose(result[inside], reference[inside], atol=1e-6)
    else:
        np.testing.assert_array_equal(result, reference)


def test_a_third_of_a_turn_makes_green_of_red():
    image = np.array([[[200, 10, 10], [50, 50, 50]]], np.uint8)
    assert run("hue:degrees=120", image).tolist() == [[[10, 200, 10], [50, 50, 50]]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_rgb_repeats_gray_and_lets_colour_pass(dtype):
    gray = picture(4, 5, 6, 1, dtype)
    np.testing.assert_array_equal(run("rgb", gray), cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB))
    for channels in (3, 4):
        image = picture(4, 5, 6, channels, dtype)
        np.testing.assert_array_equal(run("rgb", image), image)


@given(image=pictures, data=st.data())
def test_channels_are_picked_as_numpy_does(image, data):
    numbers = data.draw(st.lists(st.integers(0, image.shape[2] - 1), min_size=1, max_size=7))
    result = run(f"channels:select={','.join(map(str, numbers))}", image)
    np.testing.assert_array_equal(result, image[:, :, numbers])


def test_a_channel_that_is_not_there_is_named():
    (step,) = parse("channels:select=0,3")
    with pytest.raises(ParameterError, match="0 to 2 here, select names 3"):
        step.operation.check(step.params, spec_of(picture(1, 2, 2, 3, "uint8")))


def test_channels_are_whole_numbers():
    with pytest.raises(ParameterError, match="whole"):
        parse("channels:select=0.5")


def test_levels_of_the_smallest_span_tell_black_from_all_else():
    image = np.array([0, 1, 255], np.uint8).reshape(1, 3, 1)
    assert run("levels:in_high=2.225073858507e-311", image).ravel().tolist() == [0, 255, 255]
