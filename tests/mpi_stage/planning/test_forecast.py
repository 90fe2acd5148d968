"""What a plan moves and how long it takes: counted and modelled before anything runs."""

from dataclasses import dataclass

import pytest

from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Moved
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.forecast import Load, Rates, Stored, forecast, loads, seconds
from mpi_stage.planning.planner import make_plan

SPEC = ImageSpec(1000, 400, 3, "uint8")
PLAIN = Stored(SPEC.total_bytes, reads=True, writes=True, rereads=True)


@dataclass(frozen=True)
class Facts:
    spec: ImageSpec
    divisible: bool = True
    rereadable: bool = True
    windowed: bool = True
    decode_bytes: int = 0
    encode_bytes: int = 0
    row_unit: int = 1


def plan(words, ranks, spec=SPEC):
    facts = Facts(spec)
    return make_plan(parse(words.split()), facts, facts, ranks=ranks, memory_bytes=1 << 30)


def test_ranks_read_and_write_the_picture_once_together():
    each = loads(plan("gaussian:sigma=2", 7), PLAIN)
    assert sum(load.read_bytes for load in each) == SPEC.total_bytes
    assert sum(load.written_bytes for load in each) == SPEC.total_bytes


def test_inner_ranks_send_two_halos_and_outer_ones_a_single_one():
    each = loads(plan("gaussian:size=9 sobel", 5), PLAIN)
    halo = (4 + 1) * SPEC.row_bytes
    assert [load.sent_bytes for load in each] == [halo, 2 * halo, 2 * halo, 2 * halo, halo]
    assert [load.received_bytes for load in each] == [load.sent_bytes for load in each]


def test_a_halo_larger_than_a_slab_reaches_further_ranks():
    each = loads(plan("box:size=255", 20), PLAIN)
    assert each[10].received_bytes == 2 * 127 * SPEC.row_bytes
    assert each[10].swapped.messages > 4


def test_in_a_periodic_pass_all_ranks_send_alike():
    each = loads(plan("box:size=5,border=wrap", 4), PLAIN)
    assert len({load.sent_bytes for load in each}) == 1


def test_rows_that_only_rank_0_can_read_are_dealt_by_it():
    each = loads(plan("invert", 4), Stored(1234, reads=False, writes=True, rereads=False))
    assert [load.read_bytes for load in each] == [1234, 0, 0, 0]
    assert [load.sent_bytes for load in each] == [SPEC.total_bytes * 3 // 4, 0, 0, 0]


def test_a_measurement_reads_a_plain_file_once_more():
    twice = loads(plan("normalize", 2), PLAIN)
    assert sum(load.read_bytes for load in twice) == 2 * SPEC.total_bytes
    kept = loads(plan("normalize", 2), Stored(SPEC.total_bytes, reads=True, writes=True, rereads=False))
    assert sum(load.read_bytes for load in kept) == SPEC.total_bytes


def test_more_ranks_have_less_to_compute_each_and_slightly_more_in_all():
    alone, many = (
        loads(plan("gaussian:sigma=2 sobel", 1), PLAIN),
        loads(plan("gaussian:sigma=2 sobel", 8), PLAIN),
    )
    assert max(load.core_s for load in many) < alone[0].core_s / 7
    assert sum(load.core_s for load in many) >= alone[0].core_s


@pytest.mark.parametrize("ranks", [2, 3, 8])
def test_the_spectrum_travels_twice_but_for_a_ranks_own_part(ranks):
    each = loads(plan("lowpass", ranks), PLAIN)
    lines = SPEC.channels * (SPEC.columns // 2 + 1)
    whole = 2 * 16 * SPEC.rows * lines * (ranks - 1) / ranks
    assert sum(load.sent_bytes for load in each) == pytest.approx(whole, rel=0.02)


RATES = Rates(
    read_bytes_s=10, written_bytes_s=10, link_bytes_s=10, latency_s=1, start_s=5, exchange_share=0.5
)


def test_the_slowest_rank_sets_the_pace():
    quick = Load(10, 10, Moved(0, 0, 0), Moved(0, 0, 0), 1.0)
    slow = Load(10, 10, Moved(0, 0, 0), Moved(20, 10, 2), 1.0)
    assert seconds([quick, slow], RATES) == 5 + (1 + 1 + 1.0) + (20 / 5 + 2)


def test_halo_rows_travel_while_the_interior_is_computed():
    assert seconds([Load(10, 10, Moved(20, 20, 0), Moved(0, 0, 0), 1.0)], RATES) == 5 + 3.0
    assert seconds([Load(10, 10, Moved(70, 70, 0), Moved(0, 0, 0), 1.0)], RATES) == 5 + 7.0


def test_ranks_of_one_node_move_nothing_over_its_link():
    ranks, nodes = (loads(plan("box:size=101", count), PLAIN) for count in (8, 2))
    slow_link = Rates(link_bytes_s=1e3, start_s=0)
    assert seconds(ranks, slow_link, nodes) == pytest.approx(50 * SPEC.row_bytes / 1e3, rel=0.01)
    assert seconds(ranks, slow_link) > 1.9 * seconds(ranks, slow_link, nodes)


def test_a_forecast_adds_up_what_the_ranks_move():
    told = forecast(plan("gaussian:size=9", 2), PLAIN)
    assert told["sent_bytes"] == 2 * 4 * SPEC.row_bytes
    assert told["read_bytes"] == told["written_bytes"] == SPEC.total_bytes
    assert told["seconds"] > 0
