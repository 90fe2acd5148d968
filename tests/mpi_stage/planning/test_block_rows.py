"""How many rows the plan puts through a pass at once."""

import re
from dataclasses import dataclass

import pytest

from mpi_stage.errors import LimitError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.passes import BLOCK_TARGET_BYTES, LEAST_BLOCK_ROWS
from mpi_stage.planning.planner import make_plan

MEBIBYTE = 1 << 20
WIDE = ImageSpec(32768, 32768, 3, "uint8")
LONG_CHAIN = "gaussian:sigma=3 sharpen " * 8


@dataclass(frozen=True)
class Facts:
    spec: ImageSpec
    divisible: bool = True
    rereadable: bool = True
    windowed: bool = True
    decode_bytes: int = 0
    encode_bytes: int = 0
    row_unit: int = 1
    nodata: float | None = None


def plan(words, memory_bytes=1 << 30, block_rows=None):
    facts = Facts(WIDE)
    steps = parse(words.split())
    return make_plan(steps, facts, facts, ranks=2, memory_bytes=memory_bytes, block_rows=block_rows)


def test_a_block_of_wide_rows_is_as_large_as_the_target():
    assert plan("gaussian:sigma=2").block_rows * WIDE.row_bytes == BLOCK_TARGET_BYTES


def test_a_chain_that_would_not_fit_gets_lower_blocks():
    planned = plan(LONG_CHAIN, memory_bytes=256 * MEBIBYTE)
    assert LEAST_BLOCK_ROWS <= planned.block_rows < plan("gaussian:sigma=2").block_rows
    assert planned.peak_bytes <= 256 * MEBIBYTE


def test_what_does_not_fit_with_the_lowest_blocks_is_refused():
    with pytest.raises(LimitError, match=f"blocks of {LEAST_BLOCK_ROWS} rows"):
        plan(LONG_CHAIN, memory_bytes=80 * MEBIBYTE)


def test_blocks_that_were_asked_for_stay_as_they_are():
    with pytest.raises(LimitError, match="blocks of 64 rows"):
        plan(LONG_CHAIN, memory_bytes=256 * MEBIBYTE, block_rows=64)


def test_a_refusal_names_lower_blocks_with_which_it_would_fit():
    with pytest.raises(LimitError) as refused:
        plan(LONG_CHAIN, memory_bytes=256 * MEBIBYTE, block_rows=64)
    rows = int(re.search(r"--block-rows (\d+)", str(refused.value))[1])
    assert plan(LONG_CHAIN, memory_bytes=256 * MEBIBYTE, block_rows=rows).peak_bytes <= 256 * MEBIBYTE


def test_a_refusal_names_more_ranks_with_which_it_would_fit():
    facts = Facts(ImageSpec(2_000_000, 20_000, 1, "uint8"))
    steps, limit = parse(["label"]), 512 * MEBIBYTE
    with pytest.raises(LimitError) as refused:
        make_plan(steps, facts, facts, ranks=1, memory_bytes=limit)
    ranks = int(re.search(r"--ranks (\d+)", str(refused.value))[1])
    assert make_plan(steps, facts, facts, ranks=ranks, memory_bytes=limit).peak_bytes <= limit


def test_slow_steps_get_lower_blocks_so_that_progress_can_be_told():
    facts = Facts(ImageSpec(5000, 1000, 1, "uint16"))
    quick, slow = (
        make_plan(parse(f"median:size={size}"), facts, facts, ranks=1, memory_bytes=1 << 30).block_rows
        for size in (3, 31)
    )
    assert slow < quick / 2
