"""Corners and lines, without ranks."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import picture, run, run_step

from mpi_stage.errors import UnsupportedImageError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.arithmetic.hough_draw import draw_line
from mpi_stage.operations.arithmetic.hough_votes import Grid, Line, best
from mpi_stage.operations.arithmetic.window_sums import window_sums
from mpi_stage.operations.index import find
from mpi_stage.operations.spelling.grammar import make_step, parse
from mpi_stage.operations.spelling.steps import Step
from mpi_stage.planning.planned_steps import check_step


@given(st.integers(1, 40), st.integers(0, 12), st.integers(0, 1))
def test_window_sums_are_the_sums_of_all_windows(size, more, axis):
    values = np.random.default_rng(size).integers(0, 1000, (size + more, size + more)).astype(float)
    expected = np.lib.stride_tricks.sliding_window_view(values, size, axis).sum(axis=-1)
    np.testing.assert_array_equal(window_sums(values, size, axis), expected)


@given(st.integers(2, 40), st.integers(1, 12))
def test_a_window_has_the_same_sum_wherever_it_lies(size, offset):
    values = np.random.default_rng(size).random((size, 1)) * 10.0 ** np.arange(-9, 9, 18 / size)[:size, None]
    moved = np.concatenate([np.full((offset, 1), 1e15), values, np.full((3, 1), -1e15)])
    assert window_sums(moved, size, 0)[offset] == window_sums(values, size, 0)[0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("block", [1, 2, 5, 8])
@pytest.mark.parametrize("size", [3, 7])
def test_harris_does_not_depend_on_the_block_height(dtype, block, size):
    image = picture(5, 29, 33, 1, dtype)
    if dtype == "float32":
        image[11, 7] = np.nan
    border = {"border": "mirror", "fill": 0.0}
    for name, params in (
        ("harris_gradients", {"size": size}),
        ("harris_response", {"block": block, "k": 0.04, "scale": 0.01}),
    ):
        step = Step(find(name), {**params, **border})
        whole = run_step(step, image, image.shape[0])
        for rows in (1, 2, 3, 7):
            assert run_step(step, image, rows).tobytes() == whole.tobytes()
        image = whole


def test_sixteen_bits_have_the_response_of_the_same_picture_in_floats():
    image = picture(6, 40, 50, 1, "uint16")
    as_floats = (image / 65535).astype(np.float32)
    response = run("harris:output=response", image)
    expected = cv2.cornerHarris(as_floats[..., 0], 2, 3, 0.04)
    np.testing.assert_allclose(response[..., 0], expected, atol=1e-5 * np.abs(expected).max())


def edges_of(seed, rows, columns):
    """Return scattered edge pixels and a few straight strokes."""
    rng = np.random.default_rng(seed)
    edges = (rng.random((rows, columns)) < 0.05).astype(np.uint8)
    for ends in rng.integers(0, 90, (3, 4)).tolist():
        cv2.line(edges, ends[:2], ends[2:], 1)
    return edges


@given(
    seed=st.integers(0, 1000),
    rows=st.integers(1, 90),
    columns=st.integers(1, 90),
    rho=st.sampled_from([0.1, 0.3, 0.5, 1, 1.7, 3, 50]),
    degrees=st.sampled_from([0.5, 1, 2.3, 7, 45, 90]),
    threshold=st.integers(1, 30),
    band=st.sampled_from([1, 7, 1000]),
)
def test_the_lines_are_those_of_cv2_in_its_order(*, seed, rows, columns, rho, degrees, threshold, band):
    edges = edges_of(seed, rows, columns)
    expected = cv2.HoughLinesWithAccumulator(edges, rho, np.radians(degrees), threshold)
    grid = Grid(rows, columns, rho, np.radians(degrees))
    found = np.zeros((0, 2), np.int64)
    for first in range(0, grid.angles, band):
        start, end = first - 1, min(first + band, grid.angles) + 1
        votes = grid.empty(start, end)
        grid.vote(votes, start, *np.nonzero(edges))
        found = best(np.concatenate([found, grid.peaks(votes, start, threshold, 50)]), 50)
    lines = [grid.line(*peak) for peak in found.tolist()]
    ours = np.array([(line.rho, line.theta, line.votes) for line in lines], np.float32).reshape(-1, 3)
    theirs = np.zeros((0, 3)) if expected is None else expected.reshape(-1, 3)[:50]
    np.testing.assert_array_equal(ours, theirs.astype(np.float32))


@given(
    rho=st.floats(-90, 120),
    theta=st.one_of(
        st.floats(0, np.pi), st.sampled_from([0.0, np.pi / 2, np.pi / 4, 1e-9, np.pi / 2 + 1e-9])
    ),
    height=st.sampled_from([1, 2, 3, 7]),
)
def test_a_line_is_the_same_in_portions_of_any_height(rho, theta, height):
    line = Line(rho, theta, 1)
    whole = np.zeros((61, 83, 3), np.uint8)
    draw_line(whole, 0, line)
    portions = np.zeros_like(whole)
    for first in range(0, 61, height):
        draw_line(portions[first : first + height], first, line)
    np.testing.assert_array_equal(portions, whole)
    rows, columns = np.nonzero(whole[..., 0])
    distance = abs(columns * np.cos(theta) + rows * np.sin(theta) - rho)
    assert distance.max(initial=0) <= 0.5 + 1e-9
    assert not whole[..., 1:].any()


def test_label_takes_one_channel_and_leaves_what_other_operations_refuse():
    with pytest.raises(UnsupportedImageError, match="label takes 1 channels; it would get 3"):
        check_step(make_step("label", {}), ImageSpec(5, 5, 3, "uint8"))
    after = check_step(make_step("label", {}), ImageSpec(5, 5, 1, "float32"))
    assert (after.dtype, after.channels) == ("uint32", 1)
    with pytest.raises(UnsupportedImageError, match="it would get uint32"):
        check_step(make_step("invert", {}), after)


def test_connectivity_may_be_a_number_or_a_word():
    assert parse('[{"op": "label", "connectivity": 8}]') == parse("label:connectivity=8")
