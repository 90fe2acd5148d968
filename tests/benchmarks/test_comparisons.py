"""What the benchmarks compare."""

import pytest

from benchmarks import opencv_side, vips_side
from benchmarks.comparisons import CORE, WITH_LIBVIPS, WITH_OPENCV, WITH_OPENCV_SLOW
from benchmarks.floor import KERNELS
from mpi_stage.operations.grammar import parse

OPENCV = (*WITH_OPENCV, *WITH_OPENCV_SLOW)


@pytest.mark.parametrize("one", [*CORE, *WITH_LIBVIPS, *OPENCV], ids=lambda one: one.name)
def test_every_comparison_is_a_pipeline(one):
    assert parse(one.steps.format(half=64, quarter=32).split())


def test_the_peers_have_what_they_are_compared_in():
    assert {one.name for one in (*CORE, *WITH_LIBVIPS)} == set(vips_side.OPERATIONS)
    assert {one.name for one in OPENCV} == set(opencv_side.OPERATIONS)
    assert {one.name for one in CORE} == set(KERNELS)
