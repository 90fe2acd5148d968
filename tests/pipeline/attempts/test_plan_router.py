"""Which jobs a single-lane worker hands to the gang lane."""

from types import SimpleNamespace

import pytest

from mpi_stage.contract import Request
from mpi_stage.errors import BudgetError, ExhaustedError, LimitError
from pipeline.attempts.plan_router import PLAN_FROM_BYTES, Move, PlanRouter
from pipeline.models import Load, ObjectRef

REQUEST = Request(job="j", input="i", output="o", output_name="o.tif", steps=[])
LARGE = {"input": {"rows": 20_000, "columns": 20_000}, "cost_core_s": 60.0, "divisible": True}
LOAD = Load(pixels=400_000_000, core_s=60.0)


def manifest(size_bytes, ranks=None):
    return SimpleNamespace(ranks=ranks, input=ObjectRef(key="k", size_bytes=size_bytes, generation="g"))


def router(plan, cores=4, plan_of_all=LARGE):
    def planner(_request, ranks):
        found = plan if ranks == 1 else plan_of_all
        if isinstance(found, Exception):
            raise found
        return found

    return PlanRouter(planner, SimpleNamespace(cores=cores))


def test_a_large_divisible_image_goes_to_a_world_of_all_cores():
    assert router(LARGE)(REQUEST, manifest(1 << 30)) == Move(4, LOAD)


@pytest.mark.parametrize(
    "why",
    [
        (manifest(1000), 4),
        (manifest(1 << 30, ranks=1), 4),
        (manifest(1 << 30), 1),
    ],
    ids=["small file", "ranks were asked for", "one core"],
)
def test_what_needs_no_plan_stays_without_one(why):
    asked, cores = why

    assert router(AssertionError("not to be planned"), cores)(REQUEST, asked) is None


def test_little_work_stays():
    assert router({**LARGE, "cost_core_s": 0.5})(REQUEST, manifest(PLAN_FROM_BYTES)) is None


def test_what_one_rank_cannot_hold_goes_to_several():
    assert router(LimitError("too big for one"))(REQUEST, manifest(1 << 30)) == Move(4, LOAD)


def test_what_a_world_of_all_cores_cannot_hold_is_refused_before_there_is_one():
    too_big = router(LimitError("too big for one"), plan_of_all=LimitError("too big for four"))
    with pytest.raises(LimitError, match="too big for four"):
        too_big(REQUEST, manifest(1 << 30))


@pytest.mark.parametrize("error", [BudgetError("too much"), ExhaustedError("endless")])
def test_what_no_number_of_ranks_may_do_is_not_handed_to_more(error):
    with pytest.raises(type(error)):
        router(error)(REQUEST, manifest(1 << 30))
