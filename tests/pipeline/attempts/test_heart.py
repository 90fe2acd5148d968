"""One thread beats for all jobs that a worker holds, and for none when it holds none."""

import threading

from pipeline.attempts import heart
from pipeline.attempts.heart import Heart


class Beat:
    def __init__(self, times=1):
        self.left = times
        self.done = threading.Event()

    def beat(self):
        self.left -= 1
        if self.left <= 0:
            self.done.set()


def test_all_that_have_joined_are_beaten_for_by_one_thread(monkeypatch):
    monkeypatch.setattr(heart, "TICK_S", 0.001)
    given, ones = Heart(), [Beat(3), Beat(3)]
    given.join(ones[0])
    thread = given._thread
    given.join(ones[1])
    assert all(one.done.wait(30) for one in ones)
    assert given._thread is thread
    for one in ones:
        given.leave(one)


def test_the_thread_ends_when_nothing_is_held_and_begins_again(monkeypatch):
    monkeypatch.setattr(heart, "TICK_S", 0.001)
    given = Heart()
    for _ in range(2):
        one = Beat()
        given.join(one)
        thread = given._thread
        assert one.done.wait(30)
        given.leave(one)
        thread.join(30)
        assert not thread.is_alive()


class Fault(Beat):
    def beat(self):
        super().beat()
        raise RuntimeError("a fault in a beat")


def test_a_fault_in_a_beat_stops_no_heart(monkeypatch):
    monkeypatch.setattr(heart, "TICK_S", 0.001)
    given, ones = Heart(), [Fault(3), Beat(3)]
    for one in ones:
        given.join(one)
    assert all(one.done.wait(30) for one in ones)
    for one in ones:
        given.leave(one)
