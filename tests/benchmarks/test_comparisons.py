"""What the benchmarks compare."""

from types import SimpleNamespace

import pytest

from benchmarks import opencv_side, vips_side
from benchmarks.comparisons import CHAIN, WITH_LIBVIPS, WITH_OPENCV, WITH_OPENCV_SLOW
from benchmarks.compressed import CODECS, OPERATIONS
from benchmarks.kernels import KERNELS, PARTS
from benchmarks.pictures import cell
from mpi_stage.formats.tiff.coding import parse_coding
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.planner import make_plan
from pipeline.cli.plain_run import read_run

OPENCV = (*WITH_OPENCV, *WITH_OPENCV_SLOW)


@pytest.mark.parametrize("one", [CHAIN, *WITH_LIBVIPS, *OPENCV], ids=lambda one: one.name)
def test_every_comparison_is_a_pipeline(one):
    assert parse(one.steps.format(half=64, quarter=32).split())


def test_the_peers_have_what_they_are_compared_in():
    assert {one.name for one in (CHAIN, *WITH_LIBVIPS)} == set(vips_side.OPERATIONS)
    assert {one.name for one in OPENCV} == set(opencv_side.OPERATIONS)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_bare_kernel_s_result_has_the_part_of_the_bytes_that_its_copy_writes(name):
    block = cell(1, 64)
    made = KERNELS[name](block)
    assert made.dtype == block.dtype
    assert made.size * PARTS.get(name, 1) == block.size


def test_every_bare_kernel_is_one_of_a_comparison():
    assert set(PARTS) <= set(KERNELS) <= {one.name for one in WITH_LIBVIPS}


def test_the_chain_is_one_pass():
    steps = parse(CHAIN.steps.split())
    source = SimpleNamespace(
        spec=ImageSpec(4096, 4096, 3, "uint8"), divisible=True, rereadable=True, windowed=True, decode_bytes=0
    )
    sink = SimpleNamespace(divisible=True, row_unit=1, encode_bytes=0)
    assert len(make_plan(steps, source, sink, ranks=2, memory_bytes=1 << 30).passes) == 1


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_the_options_of_every_codec_are_understood(codec):
    words = ["a.tif", "b.tif", "invert", *codec.options]
    run = read_run(words)
    assert run is not None
    assert parse_coding(run.options["compression"]).name == codec.name


def test_both_operations_on_compressed_tiles_are_among_those_on_plain_ones():
    assert set(OPERATIONS) <= {one.name for one in WITH_LIBVIPS}
