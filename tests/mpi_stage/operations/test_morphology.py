"""Morphology against OpenCV: whole images, every type, shape, size and border."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import CV_BORDERS, DTYPES, picture, pictures, run, spec_of

from mpi_stage.operations.arithmetic.flat_extrema import SHAPES, element
from mpi_stage.operations.declaring.declaration import Border
from mpi_stage.operations.spelling.grammar import make_step

OPENCV = {
    "erode": cv2.MORPH_ERODE,
    "dilate": cv2.MORPH_DILATE,
    "opening": cv2.MORPH_OPEN,
    "closing": cv2.MORPH_CLOSE,
    "gradient": cv2.MORPH_GRADIENT,
    "tophat": cv2.MORPH_TOPHAT,
    "blackhat": cv2.MORPH_BLACKHAT,
}
operations = st.sampled_from(sorted(OPENCV))
shapes = st.sampled_from(sorted(SHAPES))
sizes = st.sampled_from([1, 2, 3, 4, 5, 8, 9, 16, 17, 40, 70])
iterations = st.integers(1, 3)


def reference(image, operation, shape, size, times, **border):
    mask = cv2.getStructuringElement(SHAPES[shape], (size, size))
    result = cv2.morphologyEx(image, OPENCV[operation], mask, iterations=times, **border)
    return result.reshape(image.shape)


@given(image=pictures, operation=operations, shape=shapes, size=sizes, times=iterations)
def test_every_operation_is_opencvs_with_its_default_border(image, operation, shape, size, times):
    planes = [np.ascontiguousarray(image[:, :, channel : channel + 1]) for channel in range(image.shape[2])]
    expected = [reference(plane, operation, shape, size, times) for plane in planes]
    result = run(f"{operation}:size={size},shape={shape},iterations={times}", image)
    np.testing.assert_array_equal(result, np.concatenate(expected, axis=2))


@given(
    image=pictures,
    operation=operations,
    shape=shapes,
    size=st.integers(1, 6),
    border=st.sampled_from([*CV_BORDERS, Border.CONSTANT]),
)
def test_other_borders_surround_each_half_and_iteration_as_in_opencv(image, operation, shape, size, border):
    times = 1 + size % 3
    fill = {"uint8": 100, "uint16": 30000, "float32": 0.25}[str(image.dtype)]
    image = np.ascontiguousarray(image[:, :, :3])
    if border is Border.CONSTANT:
        around = {"borderType": cv2.BORDER_CONSTANT, "borderValue": (fill,) * 4}
    else:
        around = {"borderType": CV_BORDERS[border]}
    expected = reference(image, operation, shape, size, times, **around)
    step = f"{operation}:size={size},shape={shape},iterations={times},border={border},fill={fill}"
    np.testing.assert_array_equal(run(step, image), expected)


@given(operation=operations, shape=shapes, size=sizes, times=iterations, image=pictures)
def test_wrapping_is_seeing_the_picture_repeated(operation, shape, size, times, image):
    image = np.ascontiguousarray(image[:5, :7, :1])
    reach = 2 * times * (size // 2)
    repeated = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="wrap")
    expected = reference(repeated, operation, shape, size, times)
    inside = expected[reach : reach + image.shape[0], reach : reach + image.shape[1]]
    step = f"{operation}:size={size},shape={shape},iterations={times},border=wrap"
    np.testing.assert_array_equal(run(step, image), inside)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_shapes_hold_all_between_their_pixels_and_their_middle_lines(shape):
    # What makes the nearest pixel the same as a border that never wins.
    for size in range(1, 256):
        mask, middle = element(shape, size), size // 2
        for lines in (mask, mask.T):
            for line in lines:
                covered = np.flatnonzero(line)
                assert covered[0] <= middle <= covered[-1]
                assert len(covered) == covered[-1] - covered[0] + 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("size", [100, 255])
def test_the_largest_sizes_work_on_every_type_and_shape(dtype, shape, size):
    image = picture(size, 31, 45, 2, dtype)
    for operation in ("erode", "dilate"):
        expected = reference(image, operation, shape, size, 1)
        np.testing.assert_array_equal(run(f"{operation}:size={size},shape={shape}", image), expected)


def test_a_hundred_iterations_reach_a_hundred_pixels():
    image = np.zeros((205, 205, 1), np.uint8)
    image[102, 102] = 255
    assert run("dilate:size=3,iterations=100", image).sum() == 201 * 201 * 255
    assert run("dilate:size=3,shape=cross,iterations=100", image).sum() == (101**2 + 100**2) * 255
    assert not run("opening:size=3,iterations=100", image).any()


@pytest.mark.parametrize("border", ["nearest", "constant"])
@pytest.mark.parametrize("operation", ["gradient", "tophat", "blackhat"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_alpha_channel_goes_around_comparisons(operation, border, dtype):
    image = picture(4, 20, 30, 4, dtype)
    step = f"{operation}:shape=cross,iterations=3,border={border}"
    result = run(step, image)
    if (operation, border) != ("gradient", "nearest"):  # there the engine keeps alpha from the kernel
        np.testing.assert_array_equal(result[:, :, 3], image[:, :, 3])
    np.testing.assert_array_equal(result[:, :, :3], run(step, np.ascontiguousarray(image[:, :, :3])))


@pytest.mark.parametrize(("shape", "size"), [("rect", 3), ("ellipse", 5), ("cross", 5), ("ellipse", 21)])
@pytest.mark.parametrize("operation", ["erode", "dilate"])
def test_a_nan_spreads_over_the_shape_and_no_further(operation, shape, size):
    image = picture(7, 40, 50, 1, "float32")
    damaged = image.copy()
    damaged[20, 25] = damaged[3, 3] = np.nan
    step = f"{operation}:size={size},shape={shape}"
    result, clean = run(step, damaged), run(step, image)
    mask = element(shape, size)
    footprint = scipy.ndimage.binary_dilation(np.isnan(damaged[:, :, 0]), mask)[:, :, np.newaxis]
    np.testing.assert_array_equal(np.isnan(result), footprint)
    np.testing.assert_array_equal(result[~footprint], clean[~footprint])


def test_zeros_have_no_sign():
    image = np.where(picture(1, 20, 30, 1, "float32") > 0.3, np.float32(-0.0), np.float32(0.0))
    for size in (3, 90):
        assert not np.signbit(run(f"erode:size={size}", image)).any()


def test_the_halo_is_that_of_all_iterations_of_one_half():
    image = spec_of(picture(1, 5, 5, 1, "uint8"))
    step = make_step("opening", {"size": 7, "iterations": 4})
    inner = step.operation.prepare(step.params, image)
    assert [name for name, _ in inner] == ["erode"]
    assert step.operation.halo(step.params, image) == 12


def test_a_constant_border_gives_each_iteration_a_step_of_its_own():
    step = make_step("closing", {"shape": "cross", "iterations": 3, "border": "constant"})
    inner = step.operation.prepare(step.params, spec_of(picture(1, 5, 5, 1, "uint8")))
    assert [name for name, _ in inner] == ["dilate"] * 3 + ["erode"] * 2
    assert step.operation.halo(step.params, spec_of(picture(1, 5, 5, 1, "uint8"))) == 1
