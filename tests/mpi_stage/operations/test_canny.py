"""``canny`` against ``cv2.Canny``, and beyond 8 bits against a slow and obvious reference."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import gray_pictures, hysteresis, picture, run, spec_of

from mpi_stage.operations.index import find
from mpi_stage.operations.spelling.grammar import parse

APERTURES = (3, 5, 7)
WHITE = {"uint8": 255, "uint16": 65535, "float32": 1.0}


def reference_levels(image, low, high, aperture, *, euclidean):
    """Thin pixel by pixel: 0 none, 1 weak, 2 strong."""
    plane = image[:, :, 0].astype(np.float64)
    border = cv2.BORDER_REPLICATE
    gradients = [
        cv2.Sobel(plane, cv2.CV_64F, 1 - axis, axis, ksize=aperture, borderType=border) for axis in (0, 1)
    ]
    if aperture == 7:
        gradients = [gradient / 16 for gradient in gradients]
        low, high = low / 16, high / 16
        if image.dtype != np.float32:
            gradients = [np.rint(gradient) for gradient in gradients]
    across, down = (gradient.astype(np.float32).astype(float) for gradient in gradients)
    strength = across**2 + down**2 if euclidean else abs(across) + abs(down)
    if euclidean:
        low, high = low**2, high**2
    around = np.pad(strength, 1)
    levels = np.zeros(plane.shape, np.uint8)
    for row, column in np.ndindex(plane.shape):
        here, x, y = strength[row, column], across[row, column], down[row, column]
        r, c = row + 1, column + 1
        if abs(y) * 32768 < abs(x) * 13573:
            ridge = here > around[r, c - 1] and here >= around[r, c + 1]
        elif abs(y) * 32768 > abs(x) * (13573 + 65536):
            ridge = here > around[r - 1, c] and here >= around[r + 1, c]
        else:
            side = -1 if (x < 0) != (y < 0) else 1
            ridge = here > around[r - 1, c - side] and here > around[r + 1, c + side]
        levels[row, column] = (1 + (here > high)) if ridge and here > low else 0
    return levels


@given(
    image=gray_pictures.filter(lambda image: image.dtype == np.uint8),
    aperture=st.sampled_from(APERTURES),
    euclidean=st.booleans(),
    low=st.sampled_from([0, 10, 50.7, 300, 2000]),
    gap=st.sampled_from([0, 40, 500.5, 40000]),
)
def test_canny_is_cv2_canny(image, aperture, euclidean, low, gap):
    high = low + gap
    reference = cv2.Canny(image, low, high, apertureSize=aperture, L2gradient=euclidean)
    result = run(f"canny:low={low},high={high},aperture={aperture},l2={euclidean}", image)
    np.testing.assert_array_equal(result[:, :, 0], reference.reshape(image.shape[:2]))


@pytest.mark.parametrize("euclidean", [False, True])
@pytest.mark.parametrize("aperture", APERTURES)
def test_canny_is_cv2_canny_on_a_larger_picture(aperture, euclidean):
    image = cv2.GaussianBlur(picture(11, 200, 301, 1, "uint8"), (0, 0), 1.5)[:, :, np.newaxis]
    low, high = {3: (20, 60), 5: (300, 900), 7: (4000, 12000)}[aperture]
    reference = cv2.Canny(image, low, high, apertureSize=aperture, L2gradient=euclidean)
    assert 0.005 < (reference > 0).mean() < 0.5
    result = run(f"canny:low={low},high={high},aperture={aperture},l2={euclidean}", image, 7)
    np.testing.assert_array_equal(result[:, :, 0], reference)


@given(
    image=gray_pictures.filter(lambda image: image.dtype != np.uint8),
    aperture=st.sampled_from(APERTURES),
    euclidean=st.booleans(),
    low=st.sampled_from([0, 0.01, 0.2, 1.5]),
    gap=st.sampled_from([0, 0.1, 2]),
)
def test_wider_types_follow_the_same_rule(image, aperture, euclidean, low, gap):
    white = WHITE[str(image.dtype)]
    low, high = low * white, (low + gap) * white
    levels = reference_levels(image, low, high, aperture, euclidean=euclidean)
    result = run(f"canny:low={low},high={high},aperture={aperture},l2={euclidean}", image)
    np.testing.assert_array_equal(result[:, :, 0] > 0, hysteresis(levels))


@pytest.mark.parametrize("euclidean", [False, True])
@pytest.mark.parametrize(
    ("aperture", "dtype"), [(3, "uint16"), (5, "uint16"), (7, "uint16"), (3, "float32"), (5, "float32")]
)
def test_the_values_of_uint8_give_the_edges_of_uint8_in_every_type(aperture, dtype, euclidean):
    for seed in range(4):
        image = picture(seed, 40, 51, 1, "uint8")
        reference = cv2.Canny(image, 150, 500, apertureSize=aperture, L2gradient=euclidean)
        steps = f"canny:low=150,high=500,aperture={aperture},l2={euclidean}"
        result = run(steps, image.astype(dtype))[:, :, 0]
        np.testing.assert_array_equal(result > 0, reference > 0)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_edges_are_white_in_the_images_own_type(dtype):
    image = np.zeros((20, 20, 3), dtype)
    image[:, 10:] = WHITE[dtype]
    edges = run("canny:low=0.5,high=0.9", image)
    assert edges.dtype == dtype
    assert edges.shape == (20, 20, 1)
    assert sorted(np.unique(edges)) == [0, WHITE[dtype]]


def test_low_and_high_may_come_in_either_order():
    image = picture(3, 30, 30, 1, "uint8")
    np.testing.assert_array_equal(run("canny:low=300,high=90", image), run("canny:low=90,high=300", image))


def test_sigma_smooths_before():
    image = picture(3, 40, 40, 1, "uint8")
    smooth = cv2.GaussianBlur(image, (0, 0), 1.4, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_array_equal(
        run("canny:low=30,high=80,sigma=1.4", image)[:, :, 0], cv2.Canny(smooth, 30, 80)
    )


def test_the_plan_gets_a_gaussian_only_where_sigma_is_given():
    spec = spec_of(picture(1, 4, 4, 1, "uint8"))
    for sigma, names in (
        (0, ["canny_gradients", "canny_maps"]),
        (2, ["gaussian", "canny_gradients", "canny_maps"]),
    ):
        (step,) = parse(f"canny:sigma={sigma},border=wrap")
        prepared = step.operation.prepare(step.params, spec)
        assert [name for name, _ in prepared] == names
        assert [params["border"] for _, params in prepared] == ["wrap"] * (len(names) - 1) + ["constant"]


def test_the_stencils_reach_as_far_as_the_catalogue_says():
    for aperture in APERTURES:
        (step,) = parse(f"canny:aperture={aperture}")
        spec = spec_of(picture(1, 4, 4, 1, "uint8"))
        halos = [find(name).halo(params, spec) for name, params in step.operation.prepare(step.params, spec)]
        assert sum(halos) == aperture // 2 + 1


def test_a_nan_is_no_edge():
    image = picture(1, 20, 20, 1, "float32")
    image[10, 10] = np.nan
    edges = run("canny:low=0.1,high=0.3", image)
    assert np.isin(edges, (0, 1)).all()
    assert edges[10, 10] == 0
