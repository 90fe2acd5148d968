"""Which lane a job takes, and how many ranks it gets."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decisions.routing import GANG_PIXELS, GANG_WORK_S, ranks_for, route
from pipeline.models import Lane

GIGAPIXEL = 10**9


@dataclass(frozen=True)
class Cores:
    cores: int = 8


@pytest.mark.parametrize(
    ("pixels", "cost", "divisible", "cores", "lane"),
    [
        (1_000_000, 20.0, True, 8, Lane.SINGLE),  # an ordinary photograph
        (GIGAPIXEL, 20.0, True, 8, Lane.GANG),
        (GIGAPIXEL, 20.0, True, 1, Lane.SINGLE),  # a world of one rank is no help
        (GIGAPIXEL, 1.0, True, 8, Lane.SINGLE),  # done before a world is worth its start
        (GANG_PIXELS - 1, 1e6, True, 8, Lane.SINGLE),  # dear, but few rows to deal out
        (GIGAPIXEL, 10.0, False, 8, Lane.SINGLE),  # decoding by one rank takes most of the time
        (GIGAPIXEL, 500.0, False, 8, Lane.GANG),  # it does not
        (0, 0.0, True, 8, Lane.SINGLE),
    ],
)
def test_a_job_goes_where_it_is_done_best(pixels, cost, divisible, cores, lane):
    assert route(pixels, cost, divisible, Cores(cores)) is lane


@given(st.integers(0, 10**12), st.floats(0, 1e5), st.booleans(), st.integers(1, 256))
def test_more_work_never_moves_a_job_out_of_the_gang_lane(pixels, cost, divisible, cores):
    if route(pixels, cost, divisible, Cores(cores)) is Lane.GANG:
        assert pixels * cost * 1e-9 >= GANG_WORK_S
        assert route(2 * pixels, cost, divisible, Cores(cores)) is Lane.GANG
        assert route(pixels, 2 * cost, divisible, Cores(cores)) is Lane.GANG


@given(st.integers(0, 10**12), st.floats(0, 1e5), st.integers(2, 256))
def test_a_world_has_at_least_two_ranks_and_at_most_the_cores(pixels, cost, cores):
    assert 2 <= ranks_for(pixels, cost, Cores(cores)) <= cores


def test_ranks_grow_with_the_work():
    assert [ranks_for(GIGAPIXEL, cost, Cores(8)) for cost in (1.0, 4.0, 100.0)] == [2, 4, 8]


def test_one_core_makes_one_rank():
    assert ranks_for(GIGAPIXEL, 100.0, Cores(1)) == 1
