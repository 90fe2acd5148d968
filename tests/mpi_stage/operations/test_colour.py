"""``invert``, ``grayscale``, ``saturation`` and ``threshold`` against OpenCV and numpy."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import DTYPES, picture, pictures, run

MODES = {"binary": 0, "binary_inv": 1, "trunc": 2, "to_zero": 3, "to_zero_inv": 4}


@given(image=pictures)
def test_invert_is_white_minus_the_value(image):
    reference = 1 - image if image.dtype == np.float32 else cv2.bitwise_not(image).reshape(image.shape)
    np.testing.assert_array_equal(run("invert", image), reference)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [3, 4])
def test_grayscale_is_cv2_luma_and_drops_alpha(dtype, channels):
    image = picture(4, 31, 45, channels, dtype)
    rgb = np.ascontiguousarray(image[:, :, :3])
    np.testing.assert_array_equal(run("grayscale", image)[:, :, 0], cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))


def test_grayscale_lets_gray_pass():
    image = picture(4, 5, 6, 1, "uint16")
    np.testing.assert_array_equal(run("grayscale", image), image)


@pytest.mark.parametrize("factor", [0, 0.5, 1, 1.5, 10])
@pytest.mark.parametrize("dtype", DTYPES)
def test_saturation_scales_s_of_hsv(dtype, factor):
    image = picture(9, 40, 33, 3, dtype)
    values = (image / np.float32(65535)).astype(np.float32) if dtype == "uint16" else image
    hue, saturation, value = cv2.split(cv2.cvtColor(values, cv2.COLOR_RGB2HSV))
    if dtype == "uint8":
        saturation = np.clip(np.rint(saturation * float(factor)), 0, 255).astype(np.uint8)
    else:
        saturation = np.clip(saturation * np.float32(factor), 0, 1)
    reference = cv2.cvtColor(cv2.merge([hue, saturation, value]), cv2.COLOR_HSV2RGB)
    if dtype == "uint16":
        reference = np.clip(np.rint(reference * np.float32(65535)), 0, 65535).astype(np.uint16)
    np.testing.assert_array_equal(run(f"saturation:factor={factor}", image), reference)


def test_no_saturation_is_gray():
    result = run("saturation:factor=0", picture(9, 10, 10, 3, "uint8"))
    assert (result == result[:, :, :1]).all()


@given(
    image=pictures,
    mode=st.sampled_from(sorted(MODES)),
    share=st.floats(-1.2, 1.2),
)
def test_threshold_is_cv2_threshold(image, mode, share):
    white = 1.0 if image.dtype == np.float32 else float(np.iinfo(image.dtype).max)
    value = share * white
    reference = cv2.threshold(image, value, white, MODES[mode])[1].reshape(image.shape)
    np.testing.assert_array_equal(run(f"threshold:value={value},mode={mode}", image), reference)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("value", [-1e12, -1, -0.5, 0, 0.5, 254, 255, 65534.9, 65535, 1e12])
def test_threshold_of_integers_drops_the_fraction(mode, value):
    for dtype in ("uint8", "uint16"):
        white = np.iinfo(dtype).max
        image = np.array([0, 1, 2, white - 1, white], dtype).reshape(1, 5, 1)
        above = image > np.floor(value)
        chosen = {
            "binary": (white, 0),
            "binary_inv": (0, white),
            "trunc": (np.clip(np.floor(value), 0, white), image),
            "to_zero": (image, 0),
            "to_zero_inv": (0, image),
        }[mode]
        result = run(f"threshold:value={value},mode={mode}", image)
        np.testing.assert_array_equal(result, np.where(above, *chosen).astype(dtype))


def test_threshold_compares_floats_exactly():
    value = np.float32(0.1)
    image = np.array([np.nextafter(value, np.float32(0)), value, np.nextafter(value, np.float32(1))])
    assert run("threshold:value=0.1", image.reshape(1, 3, 1)).ravel().tolist() == [0, 0, 1]
