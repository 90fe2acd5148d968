"""``bilateral`` against OpenCV where that takes the picture, against its formula elsewhere."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import CV_BORDERS, borders, numpy_pad, picture, pictures, run


@pytest.fixture(autouse=True)
def _opencv_itself():
    """IPP, which OpenCV uses for some diameters and borders, rounds about half of the values otherwise."""
    cv2.ipp.setUseIPP(False)
    yield
    cv2.ipp.setUseIPP(True)


def formula(image, diameter, sigma_color, sigma_space, border):
    """Return the means in double precision, pixel by pixel of the disc."""
    radius = diameter // 2
    rows, columns = image.shape[:2]
    padded = numpy_pad(image, radius, border).astype(np.float64)
    sums, total = np.zeros(image.shape), np.zeros((rows, columns, 1))
    for y in range(-radius, radius + 1):
        for x in range(-radius, radius + 1):
            if y * y + x * x <= radius * radius:
                part = padded[radius + y :, radius + x :][:rows, :columns]
                apart = np.abs(part - image).sum(axis=2, keepdims=True)
                weight = np.exp(-(y * y + x * x) / (2 * sigma_space**2) - apart**2 / (2 * sigma_color**2))
                sums += weight * part
                total += weight
    return sums / total


@given(
    image=pictures.filter(lambda image: image.dtype == np.uint8 and image.shape[2] in {1, 3}),
    border=st.sampled_from(sorted(CV_BORDERS)),
    diameter=st.sampled_from([3, 5, 9, 15]),
    sigma_color=st.sampled_from([3, 25.5, 200]),
)
def test_bytes_of_1_or_3_channels_are_opencvs(image, border, diameter, sigma_color):
    reference = cv2.bilateralFilter(image, diameter, sigma_color, 2.5, borderType=CV_BORDERS[border])
    step = f"bilateral:diameter={diameter},sigma_color={sigma_color},sigma_space=2.5,border={border}"
    np.testing.assert_array_equal(run(step, image), reference.reshape(image.shape))


@given(image=pictures, border=borders, diameter=st.sampled_from([3, 7]), sigma=st.sampled_from([0.02, 0.3]))
def test_everything_else_is_the_formula(image, border, diameter, sigma):
    white = 1 if image.dtype == np.float32 else int(np.iinfo(image.dtype).max)
    step = f"bilateral:diameter={diameter},sigma_color={sigma * white},sigma_space=1.5,border={border}"
    result = run(step, image)
    reference = formula(image, diameter, sigma * white, 1.5, border)
    if image.dtype == np.float32:
        assert np.abs(result - reference).max() <= 1e-6 * max(np.ptp(image), 1)
    elif image.dtype == np.uint8 and image.shape[2] in {1, 3}:
        assert np.abs(result - reference).max() <= 0.51  # OpenCV rounds sums in single precision
    else:
        np.testing.assert_array_equal(result, np.rint(reference))


def test_the_default_colour_range_is_a_tenth_of_the_types():
    image = picture(1, 12, 13, 3, "uint16")
    assert run("bilateral", image).tobytes() == run("bilateral:sigma_color=6553.5", image).tobytes()


def test_what_is_not_finite_stays_and_has_no_weight_for_others():
    image = picture(3, 30, 30, 3, "float32")
    image[15, 15, 1], image[4, 4, 0], image[20, 20, 2] = np.nan, np.inf, -np.inf
    result = run("bilateral:diameter=7", image)
    damaged = ~np.isfinite(image).all(axis=2)
    np.testing.assert_array_equal(result[damaged], image[damaged])
    assert np.isfinite(result[~damaged]).all()
