"""Canny's compiled kernels against the library calls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_harness import compiled, library_path

from mpi_stage.collective.components import NOTHING
from mpi_stage.collective.edge_blocks import edge_nodes, kept_edges
from mpi_stage.operations.canny import CANNY_GRADIENTS, CANNY_MAPS

KERNELS = compiled()


def noise(seed, rows, columns, spread):
    return np.random.default_rng(seed).integers(0, spread, (rows, columns, 1), np.uint8)


pictures = st.builds(
    noise,
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 40),
    columns=st.integers(1, 90),
    spread=st.sampled_from([2, 30, 256]),
)


def both(module, call):
    with library_path(module):
        expected = call()
    return call(), expected


@given(image=pictures, euclidean=st.booleans(), low=st.floats(0, 1500), gap=st.floats(0, 1e6))
def test_the_compiled_map_of_edges_is_that_of_the_library(image, euclidean, low, gap):
    block = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    params = {"aperture": 3, "low": low, "high": low + gap, "l2": euclidean}

    def gradients():
        return CANNY_GRADIENTS.stencil(block, params)

    ours, expected = both("mpi_stage.operations.canny", gradients)
    np.testing.assert_array_equal(ours, expected)
    padded = np.pad(ours, ((1, 1), (1, 1), (0, 0)))
    np.testing.assert_array_equal(
        *both("mpi_stage.operations.canny", lambda: CANNY_MAPS.stencil(padded, params))
    )


def sparse_levels(seed, rows, columns, share):
    rng = np.random.default_rng(seed)
    levels = rng.integers(1, 21, (rows, columns, 1)) // 20 + 1
    return (levels * (rng.random((rows, columns, 1)) < share)).astype(np.uint8)


level_maps = st.builds(
    sparse_levels,
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 30),
    columns=st.integers(1, 60),
    share=st.sampled_from([0, 0.02, 0.2, 0.4, 0.6, 1]),
)


def partition_of(top, bottom):
    """Return each node's pixels on the two rows, whatever its number."""
    ends = np.stack([top, bottom])
    return {node: tuple(map(tuple, np.argwhere(ends == node))) for node in np.unique(ends[ends != NOTHING])}


@given(levels=level_maps, first=st.integers(0, 100))
def test_the_compiled_components_are_those_of_the_library(levels, first):
    (ours, strong), (theirs, expected) = both(
        "mpi_stage.collective.edge_blocks", lambda: edge_nodes(levels, first)
    )
    mine, others = partition_of(ours.top, ours.bottom), partition_of(theirs.top, theirs.bottom)
    assert sorted(mine.values()) == sorted(others.values())
    assert list(mine) == list(range(first, first + len(ours.labels)))
    found = {pixels: strong[node - first] for node, pixels in mine.items()}
    assert found == {pixels: expected[node - first] for node, pixels in others.items()}


@given(levels=level_maps, data=st.data())
def test_the_compiled_choice_of_edges_is_that_of_the_library(levels, data):
    def kept(chosen):
        nodes, _ = edge_nodes(levels, 0)
        pixels = partition_of(nodes.top, nodes.bottom)
        keep = np.array([chosen(pixels[node]) for node in range(len(nodes.labels))], bool)
        out = np.full(levels.shape, 7, np.uint8)
        kept_edges(levels, keep, out)
        return out

    parity = data.draw(st.integers(0, 1))
    np.testing.assert_array_equal(
        *both("mpi_stage.collective.edge_blocks", lambda: kept(lambda pixels: pixels[0][1] % 2 == parity))
    )


def zeros(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


LEVELS = np.full((2, 4, 1), 1, np.uint8)


@pytest.mark.parametrize(
    ("kernel", "arguments", "error"),
    [
        ("canny_gradients_uint8", (zeros(5, 5, 1), zeros(3, 3, 1, dtype=np.int16)), ValueError),
        ("canny_gradients_uint8", (zeros(5, 5, 1), zeros(3, 3, 2)), TypeError),
        ("canny_gradients_uint8", (zeros(5, 5, 1), zeros(5, 5, 2, dtype=np.int16)), ValueError),
        ("canny_maps_int16", (zeros(5, 5, 2), zeros(3, 3, 1), 1, 2, False), TypeError),
        ("canny_maps_int16", (zeros(5, 5, 1, dtype=np.int16), zeros(3, 3, 1), 1, 2, False), ValueError),
        ("canny_maps_int16", (zeros(5, 5, 2, dtype=np.int16), zeros(3, 3, 1), 1, 2**16, 0), ValueError),
        ("edge_components", (LEVELS, zeros(2, 4, 1), zeros(1, 5, 1)), TypeError),
        ("edge_components", (LEVELS, zeros(2, 4, 1, dtype=np.int32), zeros(1, 4, 1)), ValueError),
        ("edge_components", (LEVELS, zeros(1, 4, 1, dtype=np.int32), zeros(1, 5, 1)), ValueError),
        ("edge_components", (LEVELS[:0], zeros(2, 4, 1, dtype=np.int32), zeros(1, 5, 1)), ValueError),
        ("keep_edges", (LEVELS, zeros(1, 0, 1), zeros(2, 4, 1)), ValueError),
        ("keep_edges", (LEVELS, zeros(1, 1, 1), zeros(2, 3, 1)), ValueError),
        ("keep_edges", (LEVELS, zeros(2, 1, 1), zeros(2, 4, 1)), ValueError),
    ],
)
def test_a_wrong_call_is_refused(kernel, arguments, error):
    with pytest.raises(error):
        getattr(KERNELS, kernel)(*arguments)
