"""What every job queue does, whatever it stands on."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event, Thread

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from queue_rigs import LANE, LEASE_S, MemoryRig, RedisRig

from pipeline.models import Lane


@pytest.fixture
def queue(rig):
    return rig.queue


def drain(queue, consumer="w"):
    return [claim.job_id for claim in iter(lambda: queue.claim(LANE, consumer, 0), None)]


def test_an_empty_queue_gives_nothing(queue):
    assert queue.claim(LANE, "w", 0) is None
    assert (queue.depth(LANE), queue.held(LANE), queue.contains("a")) == (0, 0, False)


def test_jobs_of_one_priority_come_in_the_order_in_which_they_were_added(queue):
    for job in "cab":
        assert queue.enqueue(LANE, job)
    assert drain(queue) == ["c", "a", "b"]


def test_higher_priorities_come_first(queue):
    for job, priority in [("low", -1), ("normal", 0), ("high", 1), ("lowest", -10)]:
        queue.enqueue(LANE, job, priority)
    assert drain(queue) == ["high", "normal", "low", "lowest"]


def test_a_job_is_in_the_queue_once_however_often_it_is_added(queue):
    assert queue.enqueue(LANE, "a")
    assert not queue.enqueue(LANE, "a", priority=5)
    claim = queue.claim(LANE, "w", 0)
    assert not queue.enqueue(LANE, "a")
    queue.requeue(claim, delay_s=5)
    assert not queue.enqueue(LANE, "a")
    assert queue.depth(LANE) == 1


def test_lanes_do_not_see_each_other_s_jobs(queue):
    queue.enqueue(Lane.GANG, "a")
    assert queue.claim(Lane.SINGLE, "w", 0) is None
    assert queue.contains("a")
    assert (queue.depth(Lane.SINGLE), queue.depth(Lane.GANG)) == (0, 1)


def test_a_claim_says_who_holds_what(queue):
    queue.enqueue(LANE, "a")
    claim = queue.claim(LANE, "w", 0)
    assert (claim.job_id, claim.lane, claim.consumer, claim.deliveries) == ("a", LANE, "w", 1)


def test_a_held_job_is_counted_as_held_and_known(queue):
    queue.enqueue(LANE, "a")
    queue.enqueue(LANE, "b")
    queue.claim(LANE, "w", 0)
    assert (queue.depth(LANE), queue.held(LANE), queue.contains("a")) == (1, 1, True)


def test_a_released_job_is_gone_and_can_be_added_again(queue):
    queue.enqueue(LANE, "a")
    assert queue.release(queue.claim(LANE, "w", 0))
    assert (queue.depth(LANE), queue.held(LANE), queue.contains("a")) == (0, 0, False)
    assert queue.enqueue(LANE, "a")


def test_a_claim_can_be_released_only_once(queue):
    queue.enqueue(LANE, "a")
    claim = queue.claim(LANE, "w", 0)
    assert queue.release(claim)
    assert not queue.release(claim)
    assert not queue.renew(claim)
    assert not queue.requeue(claim)


def test_a_job_given_back_comes_again_with_its_new_priority(queue):
    queue.enqueue(LANE, "a")
    queue.enqueue(LANE, "b")
    first = queue.claim(LANE, "w", 0)
    assert queue.requeue(first, priority=1)
    assert (queue.depth(LANE), queue.held(LANE)) == (2, 0)
    assert drain(queue) == ["a", "b"]


def test_a_delayed_job_comes_when_it_is_due_and_not_before(rig, queue):
    queue.enqueue(LANE, "a", delay_s=60)
    assert queue.claim(LANE, "w", 0) is None
    assert (queue.depth(LANE), queue.contains("a")) == (1, True)
    rig.pass_time(61)
    assert drain(queue) == ["a"]


def test_a_job_given_back_with_a_delay_keeps_its_new_priority(rig, queue):
    queue.enqueue(LANE, "a")
    queue.requeue(queue.claim(LANE, "w", 0), priority=1, delay_s=60)
    queue.enqueue(LANE, "b")
    rig.pass_time(61)
    assert drain(queue) == ["a", "b"]


@pytest.mark.parametrize("delay_s", [0, 60])
def test_a_job_given_back_keeps_its_priority_unless_it_is_given_another(rig, queue, delay_s):
    queue.enqueue(LANE, "low", priority=-1)
    queue.requeue(queue.claim(LANE, "w", 0), delay_s=delay_s)
    queue.enqueue(LANE, "high", priority=1)
    queue.enqueue(LANE, "normal")
    queue.requeue(queue.claim(LANE, "w", 0), delay_s=delay_s)
    rig.pass_time(61)
    assert drain(queue) == ["high", "normal", "low"]


def test_a_claim_waits_for_a_delayed_job_to_fall_due(queue):
    queue.enqueue(LANE, "a", delay_s=0.05)
    assert queue.claim(LANE, "w", 20).job_id == "a"


def test_a_waiting_claim_takes_a_job_that_is_added_meanwhile(queue):
    claims = []
    waiting = Event()

    def wait():
        waiting.set()
        claims.append(queue.claim(LANE, "w", 20))

    thread = Thread(target=wait)
    thread.start()
    waiting.wait()
    queue.enqueue(LANE, "a", priority=-1)
    thread.join(30)
    assert claims[0].job_id == "a"


def test_a_lease_that_ran_out_goes_to_another_before_all_that_waits(rig, queue):
    queue.enqueue(LANE, "a", priority=-1)
    queue.claim(LANE, "dead", 0)
    queue.enqueue(LANE, "b", priority=1)
    rig.pass_time(LEASE_S + 1)
    claim = queue.claim(LANE, "w", 0)
    assert (claim.job_id, claim.consumer, claim.deliveries) == ("a", "w", 2)


def test_a_renewed_lease_stays_with_its_holder(rig, queue):
    queue.enqueue(LANE, "a")
    claim = queue.claim(LANE, "w", 0)
    for _ in range(3):
        rig.pass_time(LEASE_S * 0.8)
        assert queue.renew(claim)
        assert queue.claim(LANE, "rival", 0) is None
    assert queue.release(claim)


def test_a_late_holder_may_renew_while_nobody_else_has_taken_the_job(rig, queue):
    queue.enqueue(LANE, "a")
    claim = queue.claim(LANE, "w", 0)
    rig.pass_time(LEASE_S * 2)
    assert queue.renew(claim)
    assert queue.claim(LANE, "rival", 0) is None


def test_a_stale_holder_can_do_nothing_to_a_job_that_another_holds(rig, queue):
    queue.enqueue(LANE, "a")
    stale = queue.claim(LANE, "w", 0)
    rig.pass_time(LEASE_S + 1)
    fresh = queue.claim(LANE, "rival", 0)
    assert not queue.renew(stale)
    assert not queue.release(stale)
    assert not queue.requeue(stale)
    assert queue.held(LANE) == 1
    assert queue.renew(fresh)
    assert queue.release(fresh)


def test_a_consumer_s_own_lost_claim_does_not_stand_for_its_new_one(rig, queue):
    queue.enqueue(LANE, "a")
    stale = queue.claim(LANE, "w", 0)
    rig.pass_time(LEASE_S + 1)
    fresh = queue.claim(LANE, "w", 0)
    assert not queue.renew(stale)
    assert not queue.release(stale)
    assert queue.release(fresh)


def test_a_stale_holder_can_do_nothing_to_a_job_that_was_given_back(rig, queue):
    queue.enqueue(LANE, "a")
    stale = queue.claim(LANE, "w", 0)
    rig.pass_time(LEASE_S + 1)
    queue.requeue(queue.claim(LANE, "rival", 0))
    assert not queue.release(stale)
    assert queue.depth(LANE) == 1


def test_many_lost_leases_are_all_found_behind_many_good_ones(rig, queue):
    for number in range(120):
        queue.enqueue(LANE, f"j{number}")
    lost = [queue.claim(LANE, "dead", 0).job_id for _ in range(60)]
    rig.pass_time(LEASE_S + 1)
    kept = [queue.claim(LANE, "w", 0) for _ in range(60)]
    assert {claim.job_id for claim in kept} == set(lost)
    assert len(drain(queue)) == 60


def test_after_everything_was_forgotten_stale_claims_fail_and_the_queue_goes_on(rig, queue):
    for job in "abc":
        queue.enqueue(LANE, job)
    stale = queue.claim(LANE, "w", 0)
    rig.forget_everything()
    assert (queue.depth(LANE), queue.held(LANE), queue.contains("b")) == (0, 0, False)
    assert not queue.renew(stale)
    assert not queue.release(stale)
    assert not queue.requeue(stale)
    assert queue.claim(LANE, "w", 0) is None
    for job in "abc":
        assert queue.enqueue(LANE, job)
    assert drain(queue) == ["a", "b", "c"]


def test_eight_threads_claim_each_of_1600_jobs_exactly_once(queue):
    def work(worker):
        for number in range(200):
            assert queue.enqueue(LANE, f"{worker}-{number}", priority=number % 3 - 1)
        done = []
        while claim := queue.claim(LANE, f"w{worker}", 0):
            done.append(claim.job_id)
            assert queue.release(claim)
        return done

    with ThreadPoolExecutor(8) as pool:
        done = Counter(job for jobs in pool.map(work, range(8)) for job in jobs)
    assert len(done) == 1600
    assert set(done.values()) == {1}
    assert (queue.depth(LANE), queue.held(LANE)) == (0, 0)


class QueueAgainstModel(RuleBasedStateMachine):
    """Any order of calls keeps every job in exactly one place, and counts it there."""

    def __init__(self, rig):
        super().__init__()
        self.rig = rig
        self.numbers = count()
        self.waiting = set()
        self.delayed = set()
        self.held = []
        self.stale = []

    @rule(priority=st.integers(-2, 2), later=st.booleans())
    def enqueue(self, priority, later):
        job = f"j{next(self.numbers)}"
        assert self.rig.queue.enqueue(LANE, job, priority, 1000.0 if later else 0.0)
        assert not self.rig.queue.enqueue(LANE, job, -priority)
        (self.delayed if later else self.waiting).add(job)

    @rule(consumer=st.sampled_from("xyz"))
    def claim(self, consumer):
        claim = self.rig.queue.claim(LANE, consumer, 0)
        assert (claim is None) == (not self.waiting)
        if claim:
            self.waiting.remove(claim.job_id)
            self.held.append(claim)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["renew", "release", "requeue", "requeue later"]))
    def use(self, data, how):
        claim = data.draw(st.sampled_from(self.held))
        if how == "renew":
            assert self.rig.queue.renew(claim)
            return
        self.held.remove(claim)
        self.stale.append(claim)
        if how == "release":
            assert self.rig.queue.release(claim)
        elif how == "requeue":
            assert self.rig.queue.requeue(claim)
            self.waiting.add(claim.job_id)
        else:
            assert self.rig.queue.requeue(claim, delay_s=1000.0)
            self.delayed.add(claim.job_id)

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def misuse(self, data):
        claim = data.draw(st.sampled_from(self.stale))
        assert not self.rig.queue.renew(claim)
        assert not self.rig.queue.release(claim)
        assert not self.rig.queue.requeue(claim)

    @rule()
    def let_time_pass(self):
        self.rig.pass_time(2000.0)
        self.waiting |= self.delayed
        self.delayed.clear()
        # Whoever held a job has lost it; it is handed out before all others.
        for _ in range(len(self.held)):
            claim = self.rig.queue.claim(LANE, "rescuer", 0)
            lost = next(old for old in self.held if old.job_id == claim.job_id)
            self.held.remove(lost)
            self.stale.append(lost)
            assert self.rig.queue.release(claim)

    @invariant()
    def counts_are_exact(self):
        assert self.rig.queue.held(LANE) == len(self.held)
        assert self.rig.queue.depth(LANE) == len(self.waiting) + len(self.delayed)


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_no_order_of_calls_loses_or_doubles_a_job(kind, request):
    def machine():
        if kind == "memory":
            return QueueAgainstModel(MemoryRig())
        client = request.getfixturevalue("redis_client")
        client.flushall()
        return QueueAgainstModel(RedisRig(client))

    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None)
    )


def test_of_several_jobs_those_are_known_that_wait_or_are_held(queue):
    queue.enqueue(LANE, "waits")
    queue.enqueue(LANE, "delayed", delay_s=100.0)
    queue.enqueue(Lane.GANG, "elsewhere")
    assert queue.known(["none", "waits", "delayed", "elsewhere"]) == {"waits", "delayed", "elsewhere"}
    claim = queue.claim(LANE, "worker", 0.0)
    assert queue.known([claim.job_id]) == {claim.job_id}
    queue.release(claim)
    assert queue.known([claim.job_id]) == queue.known([]) == set()


def test_the_jobs_that_come_next_are_named_for_each_priority(rig):
    queue = rig.queue
    for number in range(4):
        queue.enqueue(Lane.SINGLE, f"j{number}")
    queue.enqueue(Lane.SINGLE, "urgent", priority=10)
    queue.enqueue(Lane.SINGLE, "later", delay_s=1000)
    queue.enqueue(Lane.GANG, "other")
    assert queue.next_up(Lane.SINGLE, 2) == ["urgent", "j0", "j1"]
    assert queue.claim(Lane.SINGLE, "w", 0.0).job_id == "urgent"
    assert queue.next_up(Lane.SINGLE, 9) == ["j0", "j1", "j2", "j3"]
