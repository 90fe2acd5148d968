"""Whether a job is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decisions.retry import RetryPolicy, Verdict, backoff_s, decide, device_of_next, jitter_of

POLICY = RetryPolicy(max_attempts=5, max_deaths=3, base_s=0.5, cap_s=30.0)


def test_an_error_that_would_come_again_fails_the_job_at_once():
    assert decide(1, failure_retryable=False, deaths=0, policy=POLICY).verdict is Verdict.FAIL


def test_a_final_error_after_deaths_is_a_failure_and_no_dead_letter():
    assert decide(4, failure_retryable=False, deaths=3, policy=POLICY).verdict is Verdict.FAIL


@pytest.mark.parametrize("attempt", [1, 2, 3, 4])
def test_an_error_that_may_pass_is_tried_again_until_the_last_attempt(attempt):
    assert decide(attempt, failure_retryable=True, deaths=0, policy=POLICY).verdict is Verdict.RETRY


def test_after_its_last_attempt_a_job_is_a_dead_letter_that_says_so():
    decision = decide(5, failure_retryable=True, deaths=0, policy=POLICY)
    assert decision.verdict is Verdict.DEAD_LETTER
    assert "attempt 5 was the last of 5" in decision.reason


def test_a_job_that_killed_three_workers_is_a_dead_letter_that_says_so():
    assert decide(2, failure_retryable=None, deaths=2, policy=POLICY).verdict is Verdict.RETRY
    decision = decide(3, failure_retryable=None, deaths=3, policy=POLICY)
    assert decision.verdict is Verdict.DEAD_LETTER
    assert "3 attempts" in decision.reason


def test_waits_double_up_to_the_cap():
    waits = [backoff_s(attempt, POLICY, jitter=1.0) for attempt in range(1, 9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_jitter_spreads_the_second_half_of_a_wait():
    assert backoff_s(2, POLICY, jitter=0.0) == 0.5
    assert backoff_s(2, POLICY, jitter=0.5) == 0.75


@given(st.text(), st.integers(1, 10**6))
def test_jitter_is_a_fraction_that_never_changes(job, attempt):
    assert 0.0 <= jitter_of(job, attempt) < 1.0
    assert jitter_of(job, attempt) == jitter_of(job, attempt)


def test_jitter_differs_between_jobs_and_attempts():
    assert len({jitter_of(job, attempt) for job in "abc" for attempt in range(1, 4)}) == 9


@given(st.integers(1, 10**6), st.sampled_from([True, False, None]), st.integers(0, 10), st.floats(0, 1))
def test_every_job_comes_to_an_end_and_no_wait_is_longer_than_the_cap(attempt, retryable, deaths, jitter):
    decision = decide(attempt, retryable, deaths, POLICY, jitter=jitter)
    assert 0.0 <= decision.delay_s <= POLICY.cap_s
    if attempt >= POLICY.max_attempts or deaths >= POLICY.max_deaths:
        assert decision.verdict is not Verdict.RETRY
    assert decision.reason


@pytest.mark.parametrize("wanted", ["auto", "gpu", "cpu"])
def test_after_the_loss_of_a_device_or_a_worker_the_next_attempt_is_on_cpus(wanted):
    assert device_of_next(wanted, lost=0) == wanted
    assert device_of_next(wanted, lost=1) == "cpu"
