"""Whose turn it is at a worker's stage, and when the next job may be fetched ahead."""

import threading
import time
from collections.abc import Callable
from enum import Enum, auto

AHEAD_S = 0.5
"""While a job that is predicted to take longer is at the stage, no other is fetched to wait behind it."""

PATIENCE_S = 1.0
"""A job that was fetched ahead and still waits after this goes back into the queue, for others."""

_LOOK_S = 0.1  # how often somebody who waits looks whether it is to stop


class Room(Enum):
    """Whether another job may be claimed."""

    IDLE = auto()
    AHEAD = auto()
    NONE = auto()


class Turns:
    """One job at a time at the stage, and at most one that is ready to follow it.

    A job is fetched ahead only while one is at work that has said it will be done soon, and only
    once for each, without waiting in the queue: whatever comes later, an idle worker gets sooner.
    """

    def __init__(self) -> None:
        """Begin with nobody at the stage."""
        self._changed = threading.Condition()
        self._held = 0
        self._busy = False
        self._soon = False

    def room(self, timeout_s: float) -> Room:
        """Wait up to ``timeout_s`` seconds until another job may be claimed, and say why it may."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._soon, timeout_s)
            if not self._held:
                return Room.IDLE
            room = Room.AHEAD if self._soon else Room.NONE
            self._soon = False
            return room

    def enter(self) -> "Turn":
        """Return the turn of a job that has been claimed; it counts until it is over."""
        with self._changed:
            self._held += 1
        return Turn(self)

    def _take(self, stopped: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while self._busy:
                if stopped() or time.monotonic() > deadline:
                    return False
                self._changed.wait(_LOOK_S)
            self._busy = True
            self._soon = False
        return True

    def _expect(self, left_s: float) -> None:
        with self._changed:
            # Nobody is fetched ahead twice: who waits already is as far ahead as there is room.
            self._soon = left_s <= AHEAD_S and self._held == 1
            self._changed.notify_all()

    def _end(self, *, busy: bool) -> None:
        with self._changed:
            self._held -= 1
            if busy:
                self._busy = self._soon = False
            self._changed.notify_all()


class Turn:
    """One job's turn: ``take`` it, tell what is left of it, and ``end`` it."""

    def __init__(self, turns: Turns) -> None:
        """Belong to ``turns``."""
        self._turns = turns
        self._taken = False
        self._over = False

    def take(self, stopped: Callable[[], bool]) -> bool:
        """Wait for the stage; False if it is to stop first, or waits for too long behind another."""
        self._taken = self._turns._take(stopped)  # noqa: SLF001  (two halves of one thing)
        return self._taken

    def expect(self, left_s: float) -> None:
        """Say that the stage will be free in about ``left_s`` seconds."""
        self._turns._expect(left_s)  # noqa: SLF001  (as above)

    def end(self) -> None:
        """Leave the stage, or stop waiting for it; safe to call again."""
        if not self._over:
            self._over = True
            self._turns._end(busy=self._taken)  # noqa: SLF001  (as above)
