"""``denoise`` against OpenCV for bytes and scikit-image for the rest."""

import cv2
import numpy as np
import pytest
from operation_harness import DTYPES, pad, picture, run
from skimage.restoration import denoise_nl_means

from mpi_stage.operations.denoise import DENOISE


def noisy(rows, columns, channels, dtype):
    image = picture(rows, rows, columns, channels, dtype)
    return cv2.GaussianBlur(image, (0, 0), 1).reshape(image.shape)


def strength_for(dtype):
    return {"uint8": 12, "uint16": 3000, "float32": 0.1}[dtype]


@pytest.mark.parametrize(("patch", "search"), [(3, 3), (5, 9), (7, 21)])
@pytest.mark.parametrize("columns", [23, 40])
def test_gray_bytes_are_opencvs(patch, search, columns):
    image = noisy(33, columns, 1, "uint8")
    reference = cv2.fastNlMeansDenoising(image, None, 12, patch, search)[:, :, np.newaxis]
    np.testing.assert_array_equal(run(f"denoise:strength=12,patch={patch},search={search}", image), reference)


@pytest.mark.parametrize(("patch", "search"), [(3, 5), (5, 9)])
@pytest.mark.parametrize("columns", [17, 38])
def test_colour_bytes_are_opencvs_with_blue_first(patch, search, columns):
    image = noisy(31, columns, 3, "uint8")
    turned = np.ascontiguousarray(image[:, :, ::-1])
    reference = cv2.fastNlMeansDenoisingColored(turned, None, 12, 12, patch, search)[:, :, ::-1]
    np.testing.assert_array_equal(run(f"denoise:strength=12,patch={patch},search={search}", image), reference)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 2, 3, 13])
@pytest.mark.parametrize(("patch", "search"), [(3, 5), (5, 9), (7, 7)])
def test_everything_else_is_scikit_images(dtype, channels, patch, search):
    if dtype == "uint8" and channels in {1, 3}:
        return
    image = noisy(26, 31, channels, dtype)
    reference = denoise_nl_means(
        image.astype(np.float64),
        patch_size=patch,
        patch_distance=search // 2,
        h=strength_for(dtype),
        channel_axis=-1,
        preserve_range=True,
    ).reshape(image.shape)
    result = run(f"denoise:strength={strength_for(dtype)},patch={patch},search={search}", image)
    if dtype == "float32":
        assert np.abs(result - reference).max() <= 1e-6 * np.ptp(image)
    else:
        np.testing.assert_array_equal(result, np.rint(reference))


@pytest.mark.parametrize("columns", [1, 255, 256, 257, 300])
def test_the_tiles_that_are_worked_on_leave_no_seams(columns):
    image = picture(columns, 70, columns, 1, "float32")
    wide = pad(image, 9, "mirror")
    parameters = {"strength": 0.2, "patch": 3, "search": 5, "border": "mirror", "fill": 0.0}
    whole = DENOISE.stencil(wide, parameters)[6:-6, 6:-6]
    np.testing.assert_array_equal(run("denoise:strength=0.2,patch=3,search=5", image), whole)


def test_the_default_strength_is_ten_255ths_of_the_types_range():
    image = noisy(12, 13, 1, "uint16")
    steps = ("denoise:search=5", "denoise:search=5,strength=2570")
    assert len({run(step, image).tobytes() for step in steps}) == 1


def test_what_is_not_finite_stays_and_has_no_weight_for_others():
    image = noisy(40, 40, 3, "float32")
    damaged = image.copy()
    damaged[20, 20, 1], damaged[5, 6, 0] = np.nan, np.inf
    result = run("denoise:search=7,patch=5,strength=0.1", damaged)
    bad = ~np.isfinite(damaged)
    np.testing.assert_array_equal(result[bad], damaged[bad])
    assert np.isfinite(result[~bad]).all()
    np.testing.assert_array_equal(result[18:22, 18:20], damaged[18:22, 18:20])
