"""Every kernel gives the same bytes for a row, whatever the height and place of its block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import DTYPES, picture, run

from mpi_stage.operations import box

PIPELINES = (
    "invert",
    "grayscale",
    "saturation:factor=1.7",
    "hue:degrees=-77",
    "brightness:offset=-0.3",
    "contrast:factor=1.7,pivot=0.4",
    "gamma:gamma=2.2",
    "levels:in_low=0.1,in_high=0.8,out_low=0.9,out_high=0.2,gamma=1.3",
    "matrix:values=0.1,0.7,-0.3,1.2,0.9,3.3,-0.7,0.2,1,0.01,0.3,0",
    "sepia:strength=0.7",
    "channels:select=2,0",
    "posterize:bits=3",
    "solarize",
    "box:size=3",
    "box:size=15",
    "gaussian:sigma=0.7",
    "gaussian:sigma=2",
    "gaussian:size=7",
    "median:size=3",
    "median:size=5",
    "median:size=7",
    "bilateral:diameter=5",
    "denoise:search=5,patch=3,strength=0.3",
    "sharpen:amount=1.37",
    "unsharp:sigma=0.7,amount=2.3,threshold=0.1",
    "emboss:angle=30,depth=1.3",
    "convolve:kernel=0.1,0.2,-0.3,0.4,0.7,-0.1,width=3,scale=0.9",
    f"convolve:kernel={','.join(['0.01'] * 169)}",
    "sobel:size=3",
    "sobel:size=5,output=x",
    "sobel:size=7",
    "scharr",
    "prewitt:output=y",
    "roberts",
    "laplacian:size=1",
    "laplacian:size=9",
    "canny:low=0.05,high=0.2",
    "canny:low=30,high=90,aperture=5,l2=true,sigma=1",
    "canny:low=400,high=900,aperture=7",
    "threshold:value=0.5,mode=trunc",
    "otsu",
    "equalize",
    "equalize:channels=each",
    "erode:size=4",
    "dilate:size=17,shape=ellipse",
    "opening:size=70",
    "closing:size=4,shape=ellipse,iterations=2,border=mirror",
    "gradient:size=5,shape=cross,iterations=2,border=constant,fill=0.5",
    "tophat:size=5,shape=ellipse",
    "blackhat:shape=cross,iterations=3,border=constant",
    "gaussian_otsu:size=7",
    "adaptive_mean:size=5",
    "adaptive_gaussian:size=7,offset=0.1",
    "clahe:clip=3,tiles=3",
    "clahe:clip=0,tiles=2,channels=each",
    "stretch:low=5,high=90",
    "normalize",
    "white_balance",
    "white_balance:method=white_patch",
)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_block_height_does_not_change_a_bit(pipeline, dtype):
    for columns in (1, 37, 131):
        image = picture(columns, 23, columns, 3, dtype)
        whole = run(pipeline, image)
        for height in (1, 2, 3, 7):
            assert run(pipeline, image, height).tobytes() == whole.tobytes()


@given(
    pipeline=st.sampled_from(PIPELINES),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**32 - 1),
    columns=st.integers(1, 90),
    height=st.integers(1, 9),
)
def test_no_width_or_content_makes_the_block_height_matter(pipeline, dtype, seed, columns, height):
    image = picture(seed, 17, columns, 3, dtype)
    assert run(pipeline, image, height).tobytes() == run(pipeline, image).tobytes()


@pytest.mark.parametrize(
    "pipeline", ["box:size=9", "gaussian:sigma=1.5", "sharpen", "median:size=3", "sobel"]
)
def test_values_of_very_different_size_stay_exact(pipeline):
    rng = np.random.default_rng(4)
    scale = 10.0 ** rng.integers(-30, 30, (40, 33, 1))
    image = (rng.standard_normal((40, 33, 1)) * scale).astype(np.float32)
    for height in (1, 3, 8):
        assert run(pipeline, image, height).tobytes() == run(pipeline, image).tobytes()


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_damaged_floats_stay_exact(pipeline):
    image = picture(8, 23, 41, 3, "float32")
    image[5, 7] = np.nan
    image[11, 20:23] = np.inf
    image[17, 3] = -np.inf
    image[18, 4] = -0.0
    for height in (1, 4, 9):
        assert run(pipeline, image, height).tobytes() == run(pipeline, image).tobytes()


@pytest.mark.parametrize("size", [3, 5, 31])
def test_box_gives_the_same_bits_with_and_without_opencv(size, monkeypatch):
    image = picture(3, 60, 70, 3, "float32")
    image[50:, 60:] = -0.0
    fast = run(f"box:size={size}", image)
    monkeypatch.setattr(box, "_sums_are_exact", lambda _block, _size: False)
    assert run(f"box:size={size}", image).tobytes() == fast.tobytes()


@pytest.mark.parametrize(
    ("values", "exact"),
    [
        ([0.0, 0.0], True),
        ([1.0, 1 / 255], True),
        ([1.0, 2.0**-44], True),
        ([1.0, 2.0**-60], False),
        ([1e30, 1e-30], False),
        ([1.0, np.nan], False),
        ([1.0, np.inf], False),
    ],
)
def test_running_sums_are_used_only_where_nothing_is_rounded(values, exact):
    assert box._sums_are_exact(np.array(values, np.float32).reshape(1, 2, 1), 15) is exact
