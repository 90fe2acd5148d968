"""What every ledger counts, whatever it stands on."""

import pytest

from pipeline.memory.ledger import MemoryLedger
from pipeline.models import Backlog, Lane, Load
from pipeline.redis import keys
from pipeline.redis.ledger import RedisLedger

LANE = Lane.SINGLE
SMALL, LARGE = Load(pixels=100, core_s=0.5), Load(pixels=3 * 10**15, core_s=9e6)


@pytest.fixture(params=["memory", "redis"])
def ledger(request):
    if request.param == "memory":
        return MemoryLedger()
    client = request.getfixturevalue("redis_client")
    client.hset(keys.members(LANE), "somebody", "waits")
    return RedisLedger(client)


def test_jobs_are_summed_up_by_lane_also_the_largest(ledger):
    ledger.add(LANE, "a", SMALL)
    ledger.add(LANE, "b", LARGE)
    ledger.add(Lane.GANG, "c", SMALL)
    assert ledger.backlog(LANE).todo == Load(pixels=3 * 10**15 + 100, core_s=9e6 + 0.5)


def test_a_job_that_is_added_again_counts_once_as_it_is_now(ledger):
    ledger.add(LANE, "a", SMALL)
    ledger.add(LANE, "a", LARGE)
    assert ledger.backlog(LANE).todo == LARGE


def test_a_job_is_done_with_what_was_spent_on_it_or_dropped_without(ledger):
    for job in "abc":
        ledger.add(LANE, job, SMALL)
    ledger.remove(LANE, "a", 1.5)
    ledger.remove(LANE, "b")
    assert ledger.backlog(LANE) == Backlog(todo=SMALL, done=SMALL, spent_s=1.5)


def test_what_is_not_there_can_be_removed(ledger):
    ledger.add(LANE, "a", SMALL)
    for _ in range(2):
        ledger.remove(LANE, "a", 1.0)
    assert ledger.backlog(LANE) == Backlog(done=SMALL, spent_s=1.0)


def test_an_empty_queue_forgets_jobs_that_have_vanished_but_not_what_was_done(redis_client):
    ledger = RedisLedger(redis_client)
    for job in "ab":
        ledger.add(LANE, job, SMALL)
    ledger.remove(LANE, "a", 2.0)

    assert ledger.backlog(LANE) == Backlog(done=SMALL, spent_s=2.0)

    ledger.add(LANE, "c", SMALL)
    redis_client.hset(keys.members(LANE), "c", "waits")
    assert ledger.backlog(LANE).todo == SMALL
