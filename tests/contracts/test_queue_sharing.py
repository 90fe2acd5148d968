"""How users and priorities share a queue, and when it is full, whatever it stands on."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_rigs import LANE, LEASE_S, MemoryRig, RedisRig

from pipeline.decisions.quotas import ADMITTED_S, UNKNOWN_S, Limits
from pipeline.decisions.sharing import PATIENCE, Shares, band_of, cost_of, next_band, passed_over
from pipeline.errors import QuotaError
from pipeline.models import Lane, Share

MEGA = 1_000_000


@pytest.fixture
def queue(rig):
    return rig.queue


def fill(queue, user, number, *, pixels=MEGA, priority=0):
    for index in range(number):
        assert queue.enqueue(LANE, f"{user}{index:03d}", priority, share=Share(user=user, pixels=pixels))


def served(queue, most=1000):
    """Return the users whose jobs are handed out, in order."""
    claims = iter(lambda: queue.claim(LANE, "w", 0), None)
    return [claim.job_id[:1] for _, claim in zip(range(most), claims, strict=False)]


def test_a_user_with_one_job_does_not_wait_behind_another_s_hundred(queue):
    fill(queue, "a", 100)
    assert served(queue, 10) == ["a"] * 10
    fill(queue, "b", 1)
    assert "b" in served(queue, 2)


def test_users_with_equal_jobs_take_turns(queue):
    for user in "abc":
        fill(queue, user, 6)
    order = served(queue)
    for turn in range(6):
        assert sorted(order[3 * turn : 3 * turn + 3]) == ["a", "b", "c"]


def test_users_share_by_pixels_and_not_by_jobs(queue):
    fill(queue, "a", 10, pixels=100 * MEGA)
    fill(queue, "b", 400, pixels=10 * MEGA)
    order = served(queue, 110)
    assert 9 <= order.count("a") <= 11


def test_jobs_too_small_to_matter_cost_what_a_job_costs(queue):
    fill(queue, "a", 20, pixels=1)
    fill(queue, "b", 20, pixels=MEGA)
    assert abs(served(queue, 20).count("a") - 10) <= 1


def test_who_was_away_has_saved_nothing_up(queue):
    fill(queue, "b", 1)
    fill(queue, "a", 60)
    assert served(queue, 41).count("a") == 40
    fill(queue, "c", 20)
    assert abs(served(queue, 20).count("a") - 10) <= 1


def test_a_job_given_back_keeps_its_place_before_its_user_s_other_jobs(queue):
    fill(queue, "a", 3)
    claim = queue.claim(LANE, "w", 0)
    queue.requeue(claim)
    assert queue.claim(LANE, "w", 0).job_id == claim.job_id


def test_a_failed_job_is_charged_again_to_what_its_user_submits_next(rig, queue):
    fill(queue, "a", 1)
    for _ in range(5):
        queue.requeue(queue.claim(LANE, "w", 0), delay_s=60)
        rig.pass_time(61)
    queue.release(queue.claim(LANE, "w", 0))
    fill(queue, "b", 8)
    queue.enqueue(LANE, "a later one", share=Share(user="a", pixels=MEGA))
    assert served(queue).index("a") > 4


def test_a_low_priority_is_served_however_many_of_a_higher_one_come(queue):
    queue.enqueue(LANE, "low", priority=-1)
    queue.enqueue(LANE, "normal")
    queue.enqueue(LANE, "first", priority=1)
    order = []
    for number in range(3 * PATIENCE):
        queue.enqueue(LANE, f"h{number}", priority=1)
        order.append(queue.claim(LANE, "w", 0).job_id)
    # One of two that have waited equally long goes first, the other right after it.
    assert order.index("normal") == PATIENCE
    assert order.index("low") == PATIENCE + 1


def test_lanes_are_shared_each_by_itself(queue):
    fill(queue, "a", 5)
    queue.enqueue(Lane.GANG, "ag", share=Share(user="a"))
    queue.enqueue(Lane.GANG, "bg", share=Share(user="b"))
    assert queue.claim(Lane.GANG, "w", 0).job_id == "ag"


def admit(queue, job, user="a", pixels=1, lane=LANE, **limits):
    queue.admit(lane, job, Share(user=user, pixels=pixels), Limits(**limits))


def test_a_user_over_the_limit_of_pixels_is_refused_and_others_are_not(queue):
    limits = {"user_pixels": 100}
    admit(queue, "j1", pixels=60, **limits)
    with pytest.raises(QuotaError, match="60 pixels in the queue, and 41 more") as refused:
        admit(queue, "j2", pixels=41, **limits)
    assert refused.value.retry_after_s == UNKNOWN_S
    admit(queue, "j3", pixels=40, **limits)
    admit(queue, "j4", user="b", pixels=100, **limits)


def test_pixels_count_from_admission_to_release_in_both_lanes(rig, queue):
    limits = {"user_pixels": 100}
    share = Share(user="a", pixels=100)
    for lane in Lane:
        admit(queue, "j1", pixels=100, lane=lane, **limits)
        assert queue.enqueue(lane, "j1", share=share)
        claim = queue.claim(lane, "w", 0)
        rig.pass_time(LEASE_S + 1)
        queue.requeue(queue.claim(lane, "w", 0), delay_s=60)
        assert not queue.release(claim)
        rig.pass_time(61)
        claim = queue.claim(lane, "w", 0)
        with pytest.raises(QuotaError):
            admit(queue, "j2", **limits)
        assert queue.release(claim)
    admit(queue, "j2", pixels=100, **limits)


def test_a_full_queue_refuses_everybody(queue):
    fill(queue, "a", 2)
    queue.enqueue(Lane.GANG, "g")
    with pytest.raises(QuotaError, match="3 jobs of at most 3"):
        admit(queue, "j", user="b", jobs=3)
    queue.release(queue.claim(Lane.GANG, "w", 0))
    admit(queue, "j", user="b", jobs=3)


def test_who_submits_too_fast_is_told_when_to_come_back(rig, queue):
    for number in range(30):
        admit(queue, f"j{number}", user_jobs_per_minute=30)
    with pytest.raises(QuotaError, match="30 jobs within a minute") as refused:
        admit(queue, "j30", user_jobs_per_minute=30)
    assert 1 <= refused.value.retry_after_s <= 2
    admit(queue, "other", user="b", user_jobs_per_minute=30)
    rig.pass_time(refused.value.retry_after_s + 0.01)
    admit(queue, "j30", user_jobs_per_minute=30)


def test_a_refused_submission_takes_nothing(queue):
    fill(queue, "a", 1)
    for _ in range(5):
        with pytest.raises(QuotaError):
            admit(queue, "j", pixels=1, user_pixels=MEGA, user_jobs_per_minute=1)
    assert queue.depth(LANE) == 1
    admit(queue, "j", pixels=1, user_jobs_per_minute=1)


def test_an_admitted_job_is_handed_out_once_it_is_submitted_and_counts_once(queue):
    admit(queue, "j", pixels=5, user_pixels=10)
    assert queue.contains("j")
    assert queue.claim(LANE, "w", 0) is None
    assert queue.enqueue(LANE, "j", 1, share=Share(user="a", pixels=5))
    assert not queue.enqueue(LANE, "j", 1, share=Share(user="a", pixels=5))
    admit(queue, "k", pixels=5, user_pixels=10)
    assert queue.claim(LANE, "w", 0).job_id == "j"


def test_a_job_admitted_twice_counts_once(queue):
    for _ in range(3):
        admit(queue, "j", pixels=6, user_pixels=10, user_jobs_per_minute=1)
    queue.enqueue(LANE, "j", share=Share(user="a", pixels=6))
    admit(queue, "j", pixels=6, user_pixels=10, user_jobs_per_minute=1)


def test_what_is_withdrawn_counts_no_more_and_what_was_submitted_cannot_be(queue):
    admit(queue, "j", pixels=10, user_pixels=10)
    queue.withdraw(LANE, "j")
    assert not queue.contains("j")
    admit(queue, "k", pixels=10, user_pixels=10)
    queue.enqueue(LANE, "k", share=Share(user="a", pixels=10))
    queue.withdraw(LANE, "k")
    queue.withdraw(LANE, "unheard of")
    assert queue.claim(LANE, "w", 0).job_id == "k"


def test_a_place_kept_for_a_submission_that_never_comes_is_handed_out_in_the_end(rig, queue):
    admit(queue, "j", pixels=10, user_pixels=10)
    rig.pass_time(ADMITTED_S + 1)
    claim = queue.claim(LANE, "w", 0)
    assert claim.job_id == "j"
    queue.release(claim)
    admit(queue, "k", pixels=10, user_pixels=10)


USERS = st.sampled_from("abcd")
PIXELS = st.sampled_from([1, MEGA, 3 * MEGA, 50 * MEGA])
ARRIVAL = st.tuples(USERS, PIXELS, st.integers(-1, 1))
ACTIONS = st.lists(st.one_of(ARRIVAL, st.just("claim"), st.just("give back"), st.just("fail")), max_size=60)


class Reference:
    """The decisions of ``pipeline.decisions.sharing``, carried out on plain lists."""

    def __init__(self):
        self.bands = [[], [], []]
        self.shares = [Shares(), Shares(), Shares()]
        self.passed = [0, 0, 0]

    def add(self, job, share, band):
        tag = self.shares[band].admit(share.user, cost_of(share.pixels))
        self.bands[band].append((tag, job, share))

    def next(self):
        waiting = [bool(band) for band in self.bands]
        band = next_band(waiting, self.passed)
        if band is None:
            return None
        self.passed = passed_over(waiting, self.passed, band)
        first = min(self.bands[band], key=lambda one: one[:2])
        self.bands[band].remove(first)
        self.shares[band].hand_out(first[0])
        return band, *first


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_the_order_is_that_of_the_pure_decision_for_any_arrivals(kind, request):
    @settings(max_examples=60, deadline=None)
    @given(actions=ACTIONS)
    def check(actions):
        rig = MemoryRig() if kind == "memory" else RedisRig(request.getfixturevalue("redis_client"))
        rig.forget_everything()
        expected, numbers, held = Reference(), count(), []
        for action in [*actions, *["claim"] * len(actions)]:
            if isinstance(action, tuple):
                user, pixels, priority = action
                job, share = f"{user}{next(numbers):04d}", Share(user=user, pixels=pixels)
                assert rig.queue.enqueue(LANE, job, priority, share=share)
                expected.add(job, share, band_of(priority))
            elif action == "claim":
                claim, chosen = rig.queue.claim(LANE, "w", 0), expected.next()
                assert (claim and claim.job_id) == (chosen and chosen[2])
                if claim is not None:
                    held.append((claim, chosen))
            elif held:
                claim, (band, tag, job, share) = held.pop()
                later_s = 60.0 if action == "fail" else 0.0
                assert rig.queue.requeue(claim, 1 - band, later_s)
                if later_s:
                    expected.shares[band].admit(share.user, cost_of(share.pixels))
                    # Leases are renewed, so that only the delay runs out.
                    rig.pass_time(61)
                    for one, _ in held:
                        rig.queue.renew(one)
                expected.bands[band].append((tag, job, share))

    check()


@settings(max_examples=200, deadline=None)
@given(
    first=st.lists(PIXELS, min_size=1, max_size=40),
    second=st.lists(PIXELS, min_size=1, max_size=40),
    ahead=st.integers(0, 20),
)
def test_while_two_users_wait_neither_gets_more_than_the_largest_jobs_ahead(first, second, ahead):
    queue = Reference()
    numbers = count()
    for pixels in first:
        queue.add(f"a{next(numbers):04d}", Share(user="a", pixels=pixels), 1)
    for _ in range(min(ahead, len(first) - 1)):
        queue.next()
    for pixels in second:
        queue.add(f"b{next(numbers):04d}", Share(user="b", pixels=pixels), 1)
    largest = max(map(cost_of, first)) + max(map(cost_of, second))
    given_out = {"a": 0.0, "b": 0.0}
    while {share.user for _, _, share in queue.bands[1]} == {"a", "b"}:
        _, _, _, share = queue.next()
        given_out[share.user] += cost_of(share.pixels)
        assert abs(given_out["a"] - given_out["b"]) <= largest


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=100))
def test_no_band_with_waiting_jobs_is_passed_over_for_long(rounds):
    passed, since = [0, 0, 0], [0, 0, 0]
    for arrivals in rounds:
        # A band that waits goes on waiting until it is served.
        waiting = [bool(passed[band]) or arrivals[band] for band in range(3)]
        band = next_band(waiting, passed)
        assert (band is None) == (not any(waiting))
        if band is not None:
            assert waiting[band]
            passed = passed_over(waiting, passed, band)
            since = [0 if one == band or not waiting[one] else since[one] + 1 for one in range(3)]
            assert max(since) <= PATIENCE + 2
