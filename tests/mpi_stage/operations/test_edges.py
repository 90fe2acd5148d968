"""The edge operators against plain correlations in double precision."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import DTYPES, borders, gray_pictures, numpy_pad, picture, run

KERNELS = {
    "scharr": ([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]], [[-3, -10, -3], [0, 0, 0], [3, 10, 3]]),
    "prewitt": ([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]),
    "roberts": ([[0, 0, 0], [0, 1, 0], [0, 0, -1]], [[0, 0, 0], [0, 0, 1], [0, -1, 0]]),
}


def fill_for(image):
    return {"uint8": 200, "uint16": 40000, "float32": -2.5}[str(image.dtype)]


def in_type(values, dtype):
    if dtype == np.float32:
        return values.astype(np.float32)
    return np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype)


def assert_matches(result, reference):
    assert result.dtype == reference.dtype
    if result.dtype == np.float32:
        assert np.abs(result.astype(float) - reference).max() <= 1e-6 * max(np.ptp(reference), 1)
    else:
        np.testing.assert_array_equal(result, reference)


def correlation(image, border, kernel):
    """Return the sums of a 3 × 3 kernel, exact, rounded to float32."""
    padded = numpy_pad(image, 1, border, fill_for(image)).astype(np.float64)
    rows, columns = image.shape[:2]
    parts = [kernel[y][x] * padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.sum(parts, axis=0).astype(np.float32)


@pytest.mark.parametrize("operation", sorted(KERNELS))
@given(image=gray_pictures, border=borders, output=st.sampled_from(["magnitude", "x", "y"]))
def test_edges_are_the_hypotenuse_or_one_part_of_the_gradient(operation, image, border, output):
    across, down = (correlation(image, border, kernel) for kernel in KERNELS[operation])
    expected = {"magnitude": np.hypot(across, down), "x": np.abs(across), "y": np.abs(down)}[output]
    result = run(f"{operation}:output={output},border={border},fill={fill_for(image)}", image)
    assert_matches(result, in_type(expected, image.dtype))


@given(image=gray_pictures, border=borders, size=st.sampled_from(range(1, 16, 2)))
def test_laplacian_is_the_absolute_value_of_opencvs(image, border, size):
    halo = max(1, size // 2)
    padded = numpy_pad(image, halo, border, fill_for(image)).astype(np.float64)
    exact = cv2.Laplacian(padded, cv2.CV_64F, ksize=size)[halo:-halo, halo:-halo, np.newaxis]
    result = run(f"laplacian:size={size},border={border},fill={fill_for(image)}", image)
    assert_matches(result, in_type(np.abs(exact), image.dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes_1_and_3_of_laplacian_are_opencvs_own_call(dtype):
    image = picture(2, 40, 51, 1, dtype)
    for size in (1, 3):
        whole = np.abs(cv2.Laplacian(image, cv2.CV_32F, ksize=size))[:, :, np.newaxis]
        assert_matches(run(f"laplacian:size={size}", image), in_type(whole, image.dtype))


@pytest.mark.parametrize("operation", ["scharr", "prewitt", "roberts", "laplacian"])
def test_colour_is_turned_to_gray_first(operation):
    image = picture(5, 20, 30, 3, "uint16")
    np.testing.assert_array_equal(run(operation, image), run(f"grayscale {operation}", image))


@pytest.mark.parametrize("operation", ["scharr", "prewitt", "roberts", "laplacian:size=3"])
def test_a_nan_spreads_no_further_than_its_neighbours(operation):
    image = picture(3, 21, 21, 1, "float32")
    damaged = image.copy()
    damaged[10, 10] = np.nan
    rows, columns, _ = np.nonzero(run(operation, image) != run(operation, damaged))
    assert rows.min() >= 9
    assert rows.max() <= 11
    assert columns.min() >= 9
    assert columns.max() <= 11
