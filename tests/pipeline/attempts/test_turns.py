"""Whose turn it is at the stage, and when another job may be fetched to wait for it."""

import threading

from pipeline.attempts import turns
from pipeline.attempts.turns import AHEAD_S, Room, Turns


def never():
    return False


def at_the_stage(given, left_s=None):
    turn = given.enter()
    assert turn.take(never)
    if left_s is not None:
        turn.expect(left_s)
    return turn


def test_an_idle_stage_has_room():
    assert Turns().room(0) is Room.IDLE


def test_there_is_no_room_while_nothing_is_known_of_the_job_at_work():
    given = Turns()
    given.enter()
    assert given.room(0) is Room.NONE
    at_the_stage(given := Turns())
    assert given.room(0) is Room.NONE


def test_one_job_may_be_fetched_ahead_while_a_short_one_is_at_work():
    given = Turns()
    at_the_stage(given, AHEAD_S)
    assert given.room(0) is Room.AHEAD


def test_the_queue_is_looked_at_once_for_each_short_job():
    given = Turns()
    turn = at_the_stage(given, AHEAD_S)
    assert [given.room(0), given.room(0)] == [Room.AHEAD, Room.NONE]
    turn.end()
    at_the_stage(given, AHEAD_S)
    assert given.room(0) is Room.AHEAD


def test_nothing_is_fetched_to_wait_behind_a_long_job():
    given = Turns()
    at_the_stage(given, AHEAD_S * 1.01)
    assert given.room(0) is Room.NONE


def test_nothing_is_fetched_behind_a_job_that_waits_already():
    given = Turns()
    turn = given.enter()
    turn.take(never)
    given.enter()
    turn.expect(0.0)
    assert given.room(0) is Room.NONE


def test_there_is_room_again_when_all_turns_are_over():
    given = Turns()
    turn = at_the_stage(given)
    turn.end()
    turn.end()
    assert given.room(0) is Room.IDLE


def test_a_turn_that_waits_comes_when_the_one_before_ends():
    given = Turns()
    first, second = at_the_stage(given), given.enter()
    taken = []
    thread = threading.Thread(target=lambda: taken.append(second.take(never)))
    thread.start()
    first.end()
    thread.join(30)
    assert taken == [True]


def test_a_turn_that_is_to_stop_does_not_wait():
    given = Turns()
    at_the_stage(given)
    assert not given.enter().take(lambda: True)


def test_a_turn_that_waits_for_too_long_is_given_up_and_leaves_the_other_alone(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_S", -1.0)
    given = Turns()
    first, second = at_the_stage(given), given.enter()
    assert not second.take(never)
    second.end()
    third = given.enter()
    assert not third.take(never), "the first is still at the stage"
    third.end()
    first.end()
    assert given.enter().take(never)
