"""Adaptive thresholds and Otsu's after smoothing against OpenCV, and by the same rule for wider types."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operation_harness import DTYPES, gray_pictures, numpy_pad, picture, run

METHODS = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}
WHITE = {"uint8": 255, "uint16": 65535, "float32": 1}


@settings(max_examples=150)
@given(
    image=gray_pictures.filter(lambda image: image.dtype == np.uint8),
    kind=st.sampled_from(sorted(METHODS)),
    size=st.sampled_from([3, 5, 11, 31]),
    offset=st.sampled_from([-300, -3.5, 0, 0.5, 2, 7, 256]),
)
def test_it_is_cv2_adaptive_threshold(image, kind, size, offset):
    reference = cv2.adaptiveThreshold(image, 255, METHODS[kind], cv2.THRESH_BINARY, size, offset)
    result = run(f"adaptive_{kind}:size={size},offset={offset}", image, 3)
    np.testing.assert_array_equal(result, reference.reshape(image.shape))


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("size", [3, 7, 17, 51])
def test_it_is_opencvs_on_larger_and_flat_pictures(kind, size):
    for seed, levels in ((1, 256), (2, 2), (3, 5)):
        coarse = picture(seed, 120, 147, 1, "uint8").astype(int) * levels // 256
        image = (coarse * 255 // (levels - 1)).astype(np.uint8)
        reference = cv2.adaptiveThreshold(image, 255, METHODS[kind], cv2.THRESH_BINARY, size, 2)
        np.testing.assert_array_equal(run(f"adaptive_{kind}:size={size}", image)[:, :, 0], reference)


def mean_around(image, kind, size):
    """Return the mean by OpenCV, of the type's own precision."""
    if kind == "mean":
        return cv2.blur(image, (size, size), borderType=cv2.BORDER_REPLICATE)
    smooth = cv2.GaussianBlur(image.astype(np.float32), (size, size), 0, borderType=cv2.BORDER_REPLICATE)
    return smooth if image.dtype == np.float32 else np.rint(smooth)


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("offset", [-500, 0, 0.5, 900])
def test_sixteen_bits_follow_the_same_rule(kind, offset):
    image = picture(7, 60, 71, 1, "uint16")
    mean = mean_around(image, kind, 9).astype(int)
    white = image[:, :, 0].astype(int) - mean > -np.ceil(offset)
    result = run(f"adaptive_{kind}:size=9,offset={offset}", image, 7)
    np.testing.assert_array_equal(result[:, :, 0], white * 65535)


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("offset", [-0.1, 0, 0.02])
def test_floats_follow_the_same_rule(kind, offset):
    image = picture(7, 60, 71, 1, "float32")
    distance = image[:, :, 0] - (mean_around(image, kind, 9).astype(float) - offset)
    clear = np.abs(distance) > 1e-5
    result = run(f"adaptive_{kind}:size=9,offset={offset}", image, 7)[:, :, 0]
    np.testing.assert_array_equal(result[clear], (distance > 0)[clear])
    assert clear.mean() > 0.9


@pytest.mark.parametrize(("dtype", "offset"), [("uint8", 2), ("uint16", 514), ("float32", 2 / 255)])
@pytest.mark.parametrize("kind", METHODS)
def test_the_offset_left_out_is_the_same_share_of_each_range(kind, dtype, offset):
    image = picture(8, 40, 41, 1, dtype)
    np.testing.assert_array_equal(
        run(f"adaptive_{kind}", image), run(f"adaptive_{kind}:offset={offset}", image)
    )


@pytest.mark.parametrize("border", ["mirror", "wrap", "constant"])
def test_other_borders_are_seen(border):
    image = picture(8, 20, 23, 1, "uint8")
    padded = np.ascontiguousarray(numpy_pad(image, 5, border, 90)[:, :, 0])
    method = METHODS["mean"]
    reference = cv2.adaptiveThreshold(padded, 255, method, cv2.THRESH_BINARY, 11, 2)[5:-5, 5:-5]
    result = run(f"adaptive_mean:border={border},fill=90", image, 6)
    np.testing.assert_array_equal(result[:, :, 0], reference)


@pytest.mark.parametrize("step", ["adaptive_mean", "adaptive_gaussian", "gaussian_otsu"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_colour_is_turned_to_gray_first(step, dtype):
    image = picture(5, 20, 30, 3, dtype)
    result = run(step, image)
    np.testing.assert_array_equal(result, run(f"grayscale {step}", image))
    assert set(np.unique(result)) == {0, WHITE[dtype]}


def test_a_nan_is_black():
    image = picture(3, 20, 20, 1, "float32")
    image[4, 4] = np.nan
    assert run("adaptive_mean:offset=1000", image)[4, 4] == 0


@pytest.mark.parametrize("size", [1, 3, 5, 21])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_gaussian_otsu_smooths_before_it_measures(size, dtype):
    gray = picture(size, 50, 61, 1, dtype)
    smooth = cv2.GaussianBlur(gray, (size, size), 0)
    reference = cv2.threshold(smooth, 0, WHITE[dtype], cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    np.testing.assert_array_equal(run(f"gaussian_otsu:size={size}", gray, 7)[:, :, 0], reference)


def test_gaussian_otsu_hands_its_border_on():
    image = picture(5, 20, 30, 1, "uint8")
    image[-3:] = 255
    wrapped = run("gaussian_otsu:size=9,border=wrap", image)
    np.testing.assert_array_equal(wrapped, run("gaussian:size=9,border=wrap otsu", image))
