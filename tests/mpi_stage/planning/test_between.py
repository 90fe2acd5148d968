"""What lies between passes: said by the plan, done by the engine, counted by the forecast."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from mpi4py import MPI

from mpi_stage.engine import Engine
from mpi_stage.formats.memory import ArraySink, ArraySource
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.between import Origin, between
from mpi_stage.planning.forecast import Stored, loads
from mpi_stage.planning.planner import make_plan
from mpi_stage.planning.slab_memory import kept_slabs
from mpi_stage.rows.context import RankContext

SPEC = ImageSpec(400, 300, 3, "uint8")


@dataclass(frozen=True)
class Facts:
    spec: ImageSpec = SPEC
    divisible: bool = True
    rereadable: bool = True
    windowed: bool = False
    decode_bytes: int = 0
    encode_bytes: int = 0
    row_unit: int = 1


def lying(words, ranks=3, **facts):
    source = Facts(**facts)
    plan = make_plan(parse(words), source, Facts(), ranks=ranks, memory_bytes=1 << 30)
    first = Origin.of_input(
        divisible=source.divisible, rereadable=source.rereadable, windowed=source.windowed, ranks=ranks
    )
    return list(between(plan.passes, first, plan.partition))


def test_steps_before_a_measurement_are_carried_out_once():
    (lies,) = lying("gaussian otsu:classes=2")
    assert lies.kept


def test_a_plain_file_is_rather_measured_anew_than_kept():
    (lies,) = lying("normalize")
    assert not lies.kept


def test_what_must_be_decoded_is_kept():
    (lies,) = lying("normalize", rereadable=False)
    assert lies.kept


def test_rows_that_were_dealt_out_into_slabs_are_measured_there():
    (lies,) = lying("normalize", divisible=False, rereadable=False)
    assert lies.reads.slab
    assert not lies.kept


@pytest.mark.parametrize(("windowed", "kept"), [(True, False), (False, True)])
def test_turning_keeps_rows_of_which_it_cannot_read_some_pixels_alone(windowed, kept):
    (lies,) = lying("rotate:degrees=30", windowed=windowed)
    assert lies.kept is lies.travels is kept


def test_moved_pixels_of_a_file_that_all_can_read_travel_no_further_for_a_second_move():
    first, second = lying("crop:y=10,height=200 flip:axis=vertical")
    assert not first.travels
    assert not second.travels


def test_what_is_mirrored_row_by_row_stays_where_it_is():
    (lies,) = lying("gaussian flip:axis=horizontal")
    assert lies.kept
    assert not lies.travels


def test_edges_that_are_made_when_they_are_read_are_kept_before_they_are_turned():
    edges, turned = lying("canny rotate90")
    assert edges.kept
    assert turned.kept


def test_a_response_that_lies_in_a_slab_is_not_kept_again_before_it_is_turned():
    _, turned = lying("harris:output=response rotate90")
    assert not turned.kept
    _, turned = lying("harris:output=mark rotate90")
    assert turned.kept


@pytest.mark.parametrize(
    "words",
    ["canny rotate90", "harris:output=response rotate90", "gaussian otsu", "crop:y=5 normalize", "rotate90"],
)
def test_a_rank_puts_into_slabs_just_what_its_plan_says(tmp_path, words):
    pixels = np.random.default_rng(1).integers(0, 256, (SPEC.rows, SPEC.columns, 1)).astype(np.uint8)
    source = ArraySource(pixels)
    sink_plan = ArraySink(source.header.spec).plan
    plan = make_plan(parse(words), source.header, sink_plan, ranks=1, memory_bytes=1 << 30)
    spilling = replace(plan, slabs_in_memory=False)
    engine = Engine(
        RankContext(MPI.COMM_SELF), spilling, scratch=str(tmp_path), progress=lambda _done, _total: None
    )
    engine.run(source, ArraySink(plan.after), digest=False)
    kept = kept_slabs(plan.passes, source.header, sink_plan, plan.partition)
    assert engine.spilled_bytes == sum(one.rows + one.made for one in kept)


def test_no_pixel_is_forecast_to_travel_that_a_rank_reads_by_itself():
    facts = Facts(windowed=True)
    plan = make_plan(parse("rotate:degrees=30"), facts, facts, ranks=4, memory_bytes=1 << 30)
    by_itself = Stored(SPEC.total_bytes, reads=True, writes=True, rereads=True, windowed=True)
    assert sum(load.sent_bytes for load in loads(plan, by_itself)) == 0
    by_rows = replace(by_itself, windowed=False)
    assert sum(load.sent_bytes for load in loads(plan, by_rows)) > 0
