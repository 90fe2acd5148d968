"""``clahe`` against OpenCV, and for floats against the same rule on bins of the measured range."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import picture, run, spec_of

from mpi_stage.errors import ParameterError, UnsupportedImageError
from mpi_stage.operations.spelling.grammar import parse


def opencv(plane, clip, tiles):
    return cv2.createCLAHE(clip, (tiles, tiles)).apply(np.ascontiguousarray(plane)).reshape(plane.shape)


@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    dtype=st.sampled_from(["uint8", "uint16"]),
    grid=st.tuples(st.sampled_from([0, 0.5, 2, 40]), st.integers(1, 10)),
    height=st.integers(1, 9),
)
def test_it_is_cv2_clahe(seed, shape, dtype, grid, height):
    image, (clip, tiles) = picture(seed, *shape, 1, dtype), grid
    result = run(f"clahe:clip={clip},tiles={tiles}", image, height)
    np.testing.assert_array_equal(result[:, :, 0], opencv(image[:, :, 0], clip, tiles))


@pytest.mark.parametrize("shape", [(160, 240), (160, 241), (163, 240), (333, 217)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_it_is_opencvs_whether_or_not_the_tiles_divide_the_picture(shape, dtype):
    image = picture(3, *shape, 1, dtype)
    np.testing.assert_array_equal(run("clahe:clip=3", image, 50)[:, :, 0], opencv(image[:, :, 0], 3, 8))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_of_colour_it_treats_luma(dtype):
    image = picture(5, 43, 51, 3, dtype)
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    luma[:, :, 0] = opencv(luma[:, :, 0], 2, 8)
    np.testing.assert_array_equal(run("clahe", image, 5), cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB))


def test_each_treats_every_channel_by_itself():
    image = picture(5, 43, 51, 5, "uint8")
    planes = [opencv(image[:, :, channel], 2, 4) for channel in range(5)]
    np.testing.assert_array_equal(run("clahe:tiles=4,channels=each", image, 5), np.stack(planes, axis=2))


def test_floats_are_what_their_bins_would_be():
    image = picture(5, 43, 51, 1, "float32")
    low, high = float(image.min()), float(image.max())
    bins = np.minimum((image.astype(float) - low) * (65536 / (high - low)), 65535).astype(np.uint16)
    reference = opencv(bins[:, :, 0], 3, 5) / 65535
    result = run("clahe:clip=3,tiles=5", image, 5)[:, :, 0]
    # The bins' results are rounded to 16 bits twice: in the tables, and when they are mixed.
    np.testing.assert_allclose(result, reference, atol=1.1 / 65535)


def test_a_nan_is_not_measured_and_stays():
    image = picture(5, 43, 51, 1, "float32")
    image[3, 4] = np.nan
    image[9, 9], image[10, 10] = np.inf, -np.inf
    result = run("clahe", image, 5)
    assert np.argwhere(np.isnan(result)).tolist() == [[3, 4, 0]]
    assert np.nanmin(result) >= 0
    assert np.nanmax(result) <= 1


def test_a_tile_of_nothing_but_nan_works():
    image = picture(5, 32, 32, 1, "float32")
    image[:16, :16] = np.nan
    assert np.isnan(run("clahe:tiles=4", image)).sum() == 256


@pytest.mark.parametrize(
    ("dtype", "tiles", "fits"), [("uint8", 256, True), ("uint16", 16, True), ("uint16", 17, False)]
)
def test_histograms_too_large_are_refused_with_what_fits(dtype, tiles, fits):
    (step,) = parse(f"clahe:tiles={tiles}")
    spec = spec_of(picture(1, 2, 2, 1, dtype))
    if fits:
        step.operation.check(step.params, spec)
    else:
        with pytest.raises(ParameterError, match="at most 16 tiles"):
            step.operation.check(step.params, spec)


def test_luma_of_bands_is_refused_with_the_remedy():
    (step,) = parse("clahe")
    with pytest.raises(UnsupportedImageError, match="clahe:channels=each"):
        step.operation.check(step.params, spec_of(picture(1, 2, 2, 5, "uint8")))
