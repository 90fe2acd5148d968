"""Stencil kernels on the engine's padded blocks against whole-image calls of OpenCV."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from operation_harness import (
    CV_BORDERS,
    DTYPES,
    borders,
    gray_pictures,
    numpy_pad,
    picture,
    pictures,
    run,
)

from mpi_stage.operations.declaring.declaration import Border


def whole(image, border, fill, halo, call):
    """Call OpenCV with its own border where it has one, else on a picture that numpy padded."""
    if border in CV_BORDERS:
        return call(image, CV_BORDERS[border]).reshape(image.shape)
    padded = numpy_pad(image, halo, border, fill)
    filtered = call(padded, cv2.BORDER_REPLICATE).reshape(padded.shape)
    return filtered[halo : halo + image.shape[0], halo : halo + image.shape[1]]


def assert_matches(result, reference, *, last_place=False, largest_term=0.0):
    """Compare; ``last_place`` lets integers differ by one.

    ``largest_term`` is that of the products which a value is the sum of. In a picture of few or like values
    it is beyond the data's range, and the sums of both sides are rounded to its last place.

    OpenCV rounds the last few values of a row in another way. Where the reference is a call on a
    padded picture, its rows end elsewhere than the picture's, on which that of the operation depends.
    """
    assert result.dtype == reference.dtype
    if last_place:
        assert np.abs(result.astype(float) - reference).max() <= 1
    elif result.dtype == np.float32:
        data_range = max(np.ptp(reference), 1, largest_term)
        assert np.abs(result.astype(float) - reference).max() <= 1e-6 * data_range
    else:
        np.testing.assert_array_equal(result, reference)


def fill_for(image):
    return {"uint8": 200, "uint16": 40000, "float32": -2.5}[str(image.dtype)]


@given(image=pictures, border=borders, size=st.sampled_from([1, 3, 5, 15, 31]))
def test_box_is_cv2_blur(image, border, size):
    fill = fill_for(image)
    reference = whole(image, border, fill, size // 2, lambda a, b: cv2.blur(a, (size, size), borderType=b))
    result = run(f"box:size={size},border={border},fill={fill}", image)
    last_place = border not in CV_BORDERS and image.dtype == np.uint16 and size > 9
    assert_matches(result, reference, last_place=last_place)


@given(image=pictures, border=borders, sigma=st.sampled_from([0.1, 0.5, 1, 1.37, 2.5, 7]))
def test_gaussian_with_sigma_is_cv2_gaussian_blur(image, border, sigma):
    fill = fill_for(image)
    reference = whole(image, border, fill, 40, lambda a, b: cv2.GaussianBlur(a, (0, 0), sigma, borderType=b))
    assert_matches(run(f"gaussian:sigma={sigma},border={border},fill={fill}", image), reference)


@given(image=pictures, border=borders, size=st.sampled_from([1, 3, 5, 7, 9, 21]))
def test_gaussian_with_size_is_cv2_gaussian_blur(image, border, size):
    fill = fill_for(image)
    reference = whole(
        image, border, fill, 40, lambda a, b: cv2.GaussianBlur(a, (size, size), 0, borderType=b)
    )
    assert_matches(run(f"gaussian:size={size},border={border},fill={fill}", image), reference)


@given(image=pictures, border=borders)
def test_gaussian_with_both_takes_both(image, border):
    fill = fill_for(image)
    reference = whole(image, border, fill, 40, lambda a, b: cv2.GaussianBlur(a, (5, 5), 3.3, borderType=b))
    assert_matches(run(f"gaussian:sigma=3.3,size=5,border={border},fill={fill}", image), reference)


def test_gaussian_with_neither_has_a_sigma_of_two():
    image = picture(1, 30, 30, 3, "uint8")
    assert_matches(run("gaussian", image), cv2.GaussianBlur(image, (0, 0), 2))


@example(image=picture(1, 1, 1, 5, "float32"), border=Border.MIRROR, amount=10)
@given(image=pictures, border=borders, amount=st.sampled_from([0, 0.3, 1, 1.37, 2.71828, 10]))
def test_sharpen_is_cv2_filter2d(image, border, amount):
    a, fill = amount, fill_for(image)
    kernel = np.array([[0, -a, 0], [-a, 1 + 4 * a, -a], [0, -a, 0]])
    reference = whole(image, border, fill, 1, lambda x, b: cv2.filter2D(x, -1, kernel, borderType=b))
    result = run(f"sharpen:amount={a},border={border},fill={fill}", image)
    last_place = border not in CV_BORDERS and image.dtype != np.float32 and a % 1 != 0
    largest_term = (1 + 4 * a) * max(float(image.max()), abs(fill))
    assert_matches(result, reference, last_place=last_place, largest_term=largest_term)


def derivative(image, border, size, *, across, down):
    """Return one derivative in double precision."""
    fill = fill_for(image)
    return whole(
        image.astype(np.float64),
        border,
        fill,
        size // 2,
        lambda a, b: cv2.Sobel(a, cv2.CV_64F, across, down, ksize=size, borderType=b),
    ).astype(np.float32)


def in_type(values, dtype):
    if dtype == np.float32:
        return values
    return np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype)


@given(image=gray_pictures, border=borders, size=st.sampled_from([3, 5, 7]))
def test_sobel_is_the_hypotenuse_of_the_derivatives(image, border, size):
    fill = fill_for(image)
    across = derivative(image, border, size, across=1, down=0)
    down = derivative(image, border, size, across=0, down=1)
    result = run(f"sobel:size={size},border={border},fill={fill}", image)
    assert_matches(result, in_type(np.hypot(across, down), image.dtype))


@given(image=gray_pictures, border=borders, size=st.sampled_from([3, 5, 7]), axis=st.sampled_from(["x", "y"]))
def test_sobel_of_one_axis_is_the_absolute_derivative(image, border, size, axis):
    fill = fill_for(image)
    change = derivative(image, border, size, across=int(axis == "x"), down=int(axis == "y"))
    result = run(f"sobel:size={size},output={axis},border={border},fill={fill}", image)
    assert_matches(result, in_type(np.abs(change), image.dtype))


def test_sobel_turns_colour_to_gray_first():
    image = picture(5, 20, 30, 3, "uint16")
    np.testing.assert_array_equal(run("sobel", image), run("grayscale sobel", image))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_halo_may_be_many_times_the_picture(dtype):
    image = picture(2, 2, 3, 1, dtype)
    padded = np.pad(image, ((127, 127), (127, 127), (0, 0)), mode="symmetric")
    reference = cv2.blur(padded, (255, 255))[127:-127, 127:-127, np.newaxis]
    assert_matches(run("box:size=255,border=reflect", image), reference)


@pytest.mark.parametrize("operation", ["box", "gaussian:size=5,sigma=1", "median:size=5", "sharpen"])
def test_a_nan_spreads_no_further_than_the_footprint(operation):
    image = picture(3, 21, 21, 1, "float32")
    damaged = image.copy()
    damaged[10, 10] = np.nan
    changed = run(operation, image) != run(operation, damaged)
    rows, columns, _ = np.nonzero(changed)
    assert rows.min() >= 8
    assert rows.max() <= 12
    assert columns.min() >= 8
    assert columns.max() <= 12


@example(value=250)
@given(value=st.integers(0, 255))
def test_a_constant_picture_stays_constant(value):
    image = np.full((9, 11, 3), value, np.uint8)
    for step in ("box", "gaussian", "median", "sharpen"):
        for border in (Border.MIRROR, Border.REFLECT, Border.NEAREST, Border.WRAP):
            assert (run(f"{step}:border={border}", image) == value).all()


@pytest.mark.parametrize("columns", [1, 2, 7, 8, 9, 19])
def test_box_rounds_near_the_right_edge_as_opencv_does(columns):
    # 254 of 255 rows are brighter in the last column: the mean there lies 1/130050 below a half.
    for value in range(150, 255, 4):
        image = np.full((255, columns, 1), value, np.uint8)
        image[:254, -1] += 1
        reference = cv2.blur(image, (255, 255), borderType=cv2.BORDER_REPLICATE)
        np.testing.assert_array_equal(run("box:size=255,border=nearest", image)[:, :, 0], reference)


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("columns", range(1, 18))
def test_values_at_the_end_of_a_row_round_as_opencv_rounds_them(columns, channels):
    image = picture(columns, 60, columns, channels, "uint16")
    kernel = np.array([[0, -0.3, 0], [-0.3, 2.2, -0.3], [0, -0.3, 0]])
    np.testing.assert_array_equal(
        run("sharpen:amount=0.3", image), cv2.filter2D(image, -1, kernel).reshape(image.shape)
    )
    bright = image // 4 + 49000
    np.testing.assert_array_equal(run("box:size=15", bright), cv2.blur(bright, (15, 15)).reshape(image.shape))
