"""``median`` against OpenCV where that takes type and size, against SciPy elsewhere."""

import cv2
import numpy as np
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import borders, numpy_pad, picture, pictures, run


@given(image=pictures, border=borders, size=st.sampled_from([3, 5, 7, 11]))
def test_median_is_scipys_for_every_type_channel_count_and_border(image, border, size):
    fill = {"uint8": 7, "uint16": 900, "float32": 0.3}[str(image.dtype)]
    halo = size // 2
    padded = numpy_pad(image, halo, border, fill)
    reference = scipy.ndimage.median_filter(padded, size=(size, size, 1))
    reference = reference[halo : halo + image.shape[0], halo : halo + image.shape[1]]
    np.testing.assert_array_equal(run(f"median:size={size},border={border},fill={fill}", image), reference)


@given(image=pictures, size=st.sampled_from([3, 5, 9]))
def test_median_is_cv2_median_blur_by_default(image, size):
    if size > 5 and (image.dtype != np.uint8 or image.shape[2] not in {1, 3}):
        return
    reference = cv2.medianBlur(image, size).reshape(image.shape)
    np.testing.assert_array_equal(run(f"median:size={size}", image), reference)


def test_the_largest_size_works_on_every_type():
    for dtype in ("uint8", "uint16", "float32"):
        image = picture(6, 3, 2, 1, dtype)
        reference = scipy.ndimage.median_filter(image, size=(101, 101, 1), mode="nearest")
        np.testing.assert_array_equal(run("median:size=101", image), reference)


def test_a_nan_counts_as_the_largest_value():
    image = np.zeros((5, 5, 1), np.float32)
    image[1:4, 1:4] = np.nan
    for size in (3, 5):
        reference = scipy.ndimage.median_filter(
            np.nan_to_num(image, nan=9), size=(size, size, 1), mode="nearest"
        )
        result = np.nan_to_num(run(f"median:size={size}", image), nan=9)
        np.testing.assert_array_equal(result, reference)
