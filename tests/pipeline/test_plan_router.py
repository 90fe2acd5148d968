"""Which jobs a single-lane worker hands to the gang lane."""

from types import SimpleNamespace

import pytest

from mpi_stage.contract import Request
from mpi_stage.errors import LimitError
from pipeline.models import ObjectRef
from pipeline.plan_router import PLAN_FROM_BYTES, PlanRouter

REQUEST = Request(job="j", input="i", output="o", output_name="o.tif", steps=[])
LARGE = {"input": {"rows": 20_000, "columns": 20_000}, "cost_core_s": 60.0, "divisible": True}


def manifest(size_bytes, ranks=None):
    return SimpleNamespace(ranks=ranks, input=ObjectRef(key="k", size_bytes=size_bytes, generation="g"))


def router(plan, cores=4):
    def planner(_request):
        if isinstance(plan, Exception):
            raise plan
        return plan

    return PlanRouter(planner, SimpleNamespace(cores=cores))


def test_a_large_divisible_image_goes_to_a_world_of_all_cores():
    assert router(LARGE)(REQUEST, manifest(1 << 30)) == 4


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
    assert router(LimitError("too big for one"))(REQUEST, manifest(1 << 30)) == 4
