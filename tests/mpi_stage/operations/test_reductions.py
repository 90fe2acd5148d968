"""``otsu`` and ``equalize`` against OpenCV, and for floats against obvious numpy."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operation_harness import gray_pictures, picture, run, spec_of

from mpi_stage.errors import UnsupportedImageError
from mpi_stage.operations.spelling.grammar import parse

BINS = 65536


def bins_of(values):
    """Cut finite floats into 65,536 bins of equal width, in double precision."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.zeros(values.shape, int)
    return np.minimum((values.astype(float) - low) * (BINS / (high - low)), BINS - 1).astype(int)


def widest_split(bins):
    """Return the bin after which the two classes lie furthest apart, by the textbook's formula."""
    counts = np.bincount(bins.ravel(), minlength=BINS).astype(float)
    below = np.cumsum(counts) / counts.sum()
    mean_below = np.cumsum(counts * np.arange(BINS)) / counts.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean_below[-1] * below - mean_below) ** 2 / (below * (1 - below))
    return np.nan_to_num(between, posinf=0)


@settings(max_examples=25)
@given(image=gray_pictures.filter(lambda image: image.dtype != np.float32))
def test_otsu_is_cv2_threshold_otsu(image):
    white = np.iinfo(image.dtype).max
    reference = cv2.threshold(image, 0, white, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    np.testing.assert_array_equal(run("otsu", image, 3), reference.reshape(image.shape))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_otsu_is_opencvs_on_a_larger_picture(dtype):
    for seed in range(5):
        image = picture(seed, 150, 201, 3, dtype)
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        white = np.iinfo(dtype).max
        reference = cv2.threshold(gray, 0, white, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
        np.testing.assert_array_equal(run("otsu", image, 17)[:, :, 0], reference)


@pytest.mark.parametrize("seed", range(5))
def test_otsu_of_floats_splits_the_measured_range_best(seed):
    image = picture(seed, 60, 71, 1, "float32") * 40 - 7
    result = run("otsu", image, 11)
    bins = bins_of(image)
    between = widest_split(bins)
    level = bins[result == 0].max()
    assert bins[result == 1].min() > level
    assert between[level] >= between.max() * (1 - 1e-9)


@pytest.mark.parametrize("value", [0, 1, 100, 255])
def test_a_constant_picture_goes_where_opencv_puts_it(value):
    for dtype in ("uint8", "uint16"):
        image = np.full((5, 6, 1), value, dtype)
        white = np.iinfo(dtype).max
        reference = cv2.threshold(image, 0, white, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
        np.testing.assert_array_equal(run("otsu", image)[:, :, 0], reference)


def test_a_constant_picture_of_floats_becomes_black():
    assert (run("otsu", np.full((5, 6, 1), 3.5, np.float32)) == 0).all()


def test_otsu_measures_no_nan_and_makes_it_black():
    image = picture(3, 20, 20, 1, "float32")
    clean = run("otsu", image)
    image[0, 0], image[1, 1], image[2, 2] = np.nan, np.inf, -np.inf
    damaged = run("otsu", image)
    assert [damaged[i, i, 0] for i in range(3)] == [0, 1, 0]
    np.testing.assert_array_equal(damaged[3:], clean[3:])


def test_a_picture_of_nothing_but_nan_works():
    image = np.full((4, 4, 1), np.nan, np.float32)
    assert (run("otsu", image) == 0).all()
    assert np.isnan(run("equalize", image)).all()


@given(image=gray_pictures.filter(lambda image: image.dtype == np.uint8))
def test_equalize_is_cv2_equalize_hist(image):
    reference = cv2.equalizeHist(image).reshape(image.shape)
    np.testing.assert_array_equal(run("equalize", image, 2), reference)
    np.testing.assert_array_equal(run("equalize:channels=each", image), reference)


def rule(values, bins, white):
    """Return the table's rule spelled out: share of the values up to here, less those of the first bin."""
    counts = np.bincount(bins.ravel(), minlength=BINS)
    least = counts[bins.min()]
    if least == values.size:
        return values
    return ((np.cumsum(counts) - least) * white / (values.size - least))[bins]


@given(image=gray_pictures.filter(lambda image: image.dtype != np.uint8))
def test_equalize_of_wider_types_follows_the_same_rule(image):
    if image.dtype == np.uint16:
        reference = np.rint(rule(image, image.astype(int), 65535))
        assert np.abs(run("equalize", image, 2) - reference).max() == 0
    else:
        np.testing.assert_allclose(run("equalize", image, 2), rule(image, bins_of(image), 1), atol=1e-6)


@given(seed=st.integers(0, 1000))
def test_equalize_of_colour_treats_luma(seed):
    image = picture(seed, 23, 31, 3, "uint8")
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    luma[:, :, 0] = cv2.equalizeHist(np.ascontiguousarray(luma[:, :, 0]))
    np.testing.assert_array_equal(run("equalize", image, 5), cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB))


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_equalize_of_wide_colour_treats_luma(dtype):
    image = picture(5, 23, 31, 3, dtype)
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    luma[:, :, :1] = run("equalize", np.ascontiguousarray(luma[:, :, :1]))
    np.testing.assert_array_equal(run("equalize", image, 5), cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB))


@pytest.mark.parametrize("channels", [2, 3, 5, 13])
def test_equalize_each_treats_every_channel_by_itself(channels):
    image = picture(5, 23, 31, channels, "uint8")
    planes = [cv2.equalizeHist(np.ascontiguousarray(image[:, :, c])) for c in range(channels)]
    np.testing.assert_array_equal(run("equalize:channels=each", image, 4), np.stack(planes, axis=2))


def test_luma_of_bands_is_refused_with_the_remedy():
    (step,) = parse("equalize")
    with pytest.raises(UnsupportedImageError, match="channels=each"):
        step.operation.check(step.params, spec_of(picture(1, 2, 2, 5, "uint8")))


def test_a_nan_stays_one_and_infinities_become_the_ends_of_the_range():
    image = picture(3, 20, 20, 1, "float32")
    image[0, 0], image[1, 1], image[2, 2] = np.nan, np.inf, -np.inf
    result = run("equalize", image)
    assert np.isnan(result[0, 0])
    assert result[1, 1] == 1
    assert result[2, 2] == 0
    assert np.isnan(result).sum() == 1
