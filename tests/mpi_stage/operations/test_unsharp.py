"""``unsharp`` against its definition, on the exact ``gaussian``."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import borders, picture, pictures, run


@given(
    image=pictures,
    border=borders,
    sigma=st.sampled_from([0.5, 2, 3.7]),
    amount=st.sampled_from([0, 0.5, 1, 2.3, 10]),
    relative=st.sampled_from([0, 0.02, 0.3]),
)
def test_unsharp_adds_what_the_blurred_picture_lacks(image, border, sigma, amount, relative):
    is_float = image.dtype == np.float32
    threshold = relative if is_float else round(relative * np.iinfo(image.dtype).max, 1)
    blurred = run(f"gaussian:sigma={sigma},border={border}", image)
    if is_float:
        difference = image - blurred
        sharpened = image + np.float32(amount) * difference
        expected = np.where(np.abs(difference) >= np.float32(threshold), sharpened, image)
    else:
        difference = image.astype(np.int64) - blurred
        change = np.where(np.abs(difference) >= threshold, np.rint(difference * float(amount)), 0)
        expected = np.clip(image + change, 0, np.iinfo(image.dtype).max).astype(image.dtype)
    step = f"unsharp:sigma={sigma},amount={amount},threshold={threshold},border={border}"
    np.testing.assert_array_equal(run(step, image), expected)


def test_flat_parts_and_small_differences_are_left_alone():
    image = np.full((20, 20, 3), 100, np.uint8)
    image[10, 10] = 104
    assert run("unsharp:threshold=5,amount=10", image).tobytes() == image.tobytes()


def test_a_nan_stays_where_it_is():
    image = picture(3, 30, 30, 1, "float32")
    image[15, 15] = np.nan
    assert np.argwhere(np.isnan(run("unsharp", image))).tolist() == [[15, 15, 0]]
