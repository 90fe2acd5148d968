"""Marks that cannot be passed on rest for longer each time, and a fault is told of once."""

import pytest

from pipeline.notify.pace import LONGEST_REST_S
from pipeline.notify.rests import Rests

MARK = "outbox/news/1.json"


class Clock:
    at_s = 0.0

    def __call__(self):
        return self.at_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rests(clock):
    return Rests(clock)


def rested_s(rests, clock):
    """Return for how long a mark rests from now on, in whole seconds."""
    began_s = clock.at_s
    while rests.is_resting(MARK):
        clock.at_s += 1.0
    return clock.at_s - began_s


def test_a_mark_that_fails_again_and_again_rests_for_longer_each_time_up_to_a_minute(rests, clock):
    pauses = []
    for _ in range(8):
        rests.fail(MARK, "no alert", passes=False)
        pauses.append(rested_s(rests, clock))
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_REST_S, LONGEST_REST_S]


def test_what_passes_by_itself_does_not_rest(rests):
    rests.fail(MARK, "the store is away", passes=True)
    assert not rests.is_resting(MARK)


def test_a_fault_is_new_once_and_again_when_it_is_another(rests):
    told = [rests.fail(MARK, fault, passes=True) for fault in ("a", "a", "b", "b", "a")]
    assert told == [True, False, True, False, True]


def test_a_mark_that_has_gone_is_forgotten_and_others_are_not(rests):
    for mark in (MARK, "other"):
        rests.rest(mark, 10.0)
    rests.forget_all_but({"other"})
    assert (rests.is_resting(MARK), rests.is_resting("other")) == (False, True)
