"""``convolve`` and ``emboss`` against OpenCV and against plain sums in double precision."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import CV_BORDERS, DTYPES, borders, numpy_pad, picture, pictures, run, spec_of

from mpi_stage.errors import ParameterError
from mpi_stage.operations.convolve import emboss_kernel
from mpi_stage.operations.declaring.declaration import Border
from mpi_stage.operations.spelling.grammar import make_step


def pipeline(kernel, **rest):
    height, width = kernel.shape
    assert height
    return [{"op": "convolve", "kernel": kernel.ravel().tolist(), "width": width, **rest}]


def exact_sums(image, kernel, border):
    """Return the correlation in double precision, by its definition."""
    height, width = kernel.shape
    halo = max(height, width) // 2
    padded = numpy_pad(image, halo, border).astype(np.float64)
    top, left = halo - height // 2, halo - width // 2
    rows, columns = image.shape[:2]
    total = np.zeros(image.shape)
    for y in range(height):
        for x in range(width):
            part = padded[top + y : top + y + rows, left + x : left + x + columns]
            total += kernel[y, x] * part
    return total


def in_type(values, dtype):
    if dtype == np.float32:
        return values.astype(np.float32)
    return np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype)


def assert_close(result, reference, last_place=0):
    assert result.dtype == reference.dtype
    if result.dtype == np.float32:
        assert np.abs(result.astype(float) - reference).max() <= 1e-6 * max(np.ptp(reference), 1)
    else:
        assert np.abs(result.astype(int) - reference).max() <= last_place


@given(
    image=pictures,
    border=st.sampled_from(sorted(CV_BORDERS)),
    shape=st.sampled_from([(1, 1), (1, 3), (3, 1), (2, 2), (3, 3), (4, 3), (5, 5), (7, 7)]),
    seed=st.integers(0, 99),
)
def test_small_kernels_are_cv2_filter2d(image, border, shape, seed):
    kernel = np.random.default_rng(seed).integers(-99, 100, shape) / 128
    offset = {"uint8": 30.3, "uint16": 7000.3, "float32": 0.3}[str(image.dtype)]
    reference = cv2.filter2D(image, -1, kernel, delta=offset, borderType=CV_BORDERS[border])
    result = run(pipeline(kernel, offset=offset, border=border.value), image)
    assert_close(result, reference.reshape(image.shape))


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("columns", range(1, 18))
def test_values_at_the_end_of_a_row_round_as_opencv_rounds_them(columns, channels):
    kernel = np.array([[0.1, 0.3, -0.2, 0.1], [0.7, -0.4, 0.2, 0.2], [0.3, 0.1, -0.6, 0.2]])
    for dtype in ("uint8", "uint16"):
        image = picture(columns, 60, columns, channels, dtype)
        reference = cv2.filter2D(image, -1, kernel, delta=0.4).reshape(image.shape)
        np.testing.assert_array_equal(run(pipeline(kernel, offset=0.4), image), reference)


@pytest.mark.parametrize("border", list(Border))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(12, 12), (20, 9), (9, 20), (1, 63), (63, 63)])
def test_large_kernels_are_exact_sums(dtype, border, shape):
    image = picture(shape[0], 9, 14, 2, dtype)
    kernel = np.random.default_rng(1).integers(-60, 100, shape) / 4096
    result = run(pipeline(kernel, scale=0.25, border=border.value), image)
    reference = in_type(exact_sums(image, kernel, border) * 0.25, image.dtype)
    # OpenCV computes up to 129 numbers in single precision.
    assert_close(result, reference, last_place=int(kernel.size < 130))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_whole_numbers_in_large_kernels_are_summed_exactly(dtype):
    image = picture(5, 40, 37, 3, dtype)
    kernel = np.random.default_rng(2).integers(-1, 2, (15, 15)).astype(float)
    reference = in_type(exact_sums(image, kernel, Border.MIRROR) * 0.125, image.dtype)
    np.testing.assert_array_equal(run(pipeline(kernel, scale=0.125), image), reference)


def test_the_scale_is_part_of_the_kernel_and_the_offset_comes_after():
    image = picture(5, 20, 21, 3, "uint8")
    kernel = np.arange(9.0).reshape(3, 3)
    reference = cv2.filter2D(image, -1, kernel * 0.0625, delta=-7)
    np.testing.assert_array_equal(run(pipeline(kernel, scale=0.0625, offset=-7), image), reference)


def test_a_kernel_without_width_is_a_square():
    image = picture(6, 12, 13, 1, "uint8")
    kernel = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    assert run("convolve:kernel=0,-1,0,-1,5,-1,0,-1,0", image).tobytes() == run("sharpen", image).tobytes()
    assert run(pipeline(kernel), image).tobytes() == run("sharpen", image).tobytes()


@pytest.mark.parametrize(
    ("given_parameters", "words"),
    [
        ({"kernel": [1] * 5}, ("5 numbers", "no square", "width")),
        ({"kernel": [1] * 5, "width": 3}, ("5 numbers", "width 3")),
        ({"kernel": [1] * 128, "width": 2}, ("63 rows", "64")),
    ],
)
def test_numbers_that_fill_no_kernel_are_refused_with_both_numbers(given_parameters, words):
    step = make_step("convolve", given_parameters)
    with pytest.raises(ParameterError) as caught:
        step.operation.check(step.params, spec_of(picture(1, 3, 3, 1, "uint8")))
    assert all(word in str(caught.value) for word in words)


def test_an_impulse_shows_the_kernel_turned_round():
    image = np.zeros((9, 9, 1), np.float32)
    image[4, 4] = 1
    kernel = np.arange(1.0, 7).reshape(2, 3)
    result = run(pipeline(kernel), image)[:, :, 0]
    np.testing.assert_array_equal(result[4:6, 3:6], kernel[::-1, ::-1])
    assert np.count_nonzero(result) == 6


def test_a_zero_in_the_kernel_hides_a_nan():
    image = np.ones((30, 30, 1), np.float32)
    image[15, 15] = np.nan
    kernel = np.zeros((13, 13))
    kernel[6, 6] = 1
    np.testing.assert_array_equal(run(pipeline(kernel), image), image)


@given(
    image=pictures,
    border=borders,
    angle=st.sampled_from([0, 30, 135, -90]),
    depth=st.sampled_from([0, 1, 2.3]),
)
def test_emboss_is_a_convolution(image, border, angle, depth):
    kernel = emboss_kernel(angle, depth)
    result = run(f"emboss:angle={angle},depth={depth},border={border}", image)
    assert result.tobytes() == run(pipeline(kernel, border=border.value), image).tobytes()


def test_emboss_from_the_upper_left_is_the_well_known_kernel():
    np.testing.assert_array_equal(emboss_kernel(135, 1), [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])


def test_light_from_the_right_brightens_what_falls_to_the_right():
    image = np.tile(np.linspace(200, 50, 16).astype(np.uint8)[np.newaxis, :, np.newaxis], (5, 1, 1))
    inner = np.s_[:, 1:-1]
    assert (run("emboss:angle=0", image)[inner] > image[inner]).all()
    assert (run("emboss:angle=180", image)[inner] < image[inner]).all()
