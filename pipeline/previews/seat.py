"""One process that makes previews for one visitor, and the thread that it belongs to."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from mpi_stage.contract import Request, View
from mpi_stage.errors import StageError
from pipeline.decisions.routing import Capacity
from pipeline.previews.estimate import Estimate, estimate
from pipeline.worlds.warm import WarmWorld
from pipeline.worlds.world import World

DEADLINE_S = 30.0
"""A preview that takes longer is given up, and its process with it."""

PATIENCE_S = 2.0
"""One that nobody waits for any more may go on for so long: its process has read things to keep."""

SETTLE_S = 0.05
"""Where the one before has only just been made, a change may be one of several: the last one counts."""

_BUSY_S = 0.3

Work = Callable[[WarmWorld, Callable[[], bool]], Any]


class Seat:
    """Makes a visitor's previews one after another; of those that wait, the latest.

    The process is started with the first, and ends with ``close``, or when nothing has been asked of it for
    ``idle_s`` seconds; then the seat is ``over``.
    """

    def __init__(self, idle_s: float, make: Callable[[], World] | None = None) -> None:
        """Begin to wait; ``make`` starts the world, by default one of one rank on this machine."""
        self._idle_s = idle_s
        self._world = WarmWorld(1, make)  # whose process the thread starts
        self._asked = threading.Condition()
        self._waiting: dict[str, tuple[Work, Future[Any]]] = {}
        self._closing = False
        self.over = False
        self.busy = False
        self.used_at = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="previews", daemon=True)
        self._thread.start()

    def preview(self, request: Request, view: View) -> "Future[dict[str, Any]]":
        """Return what will be the preview, see ``World.preview``; another one that waits is cancelled."""

        def work(world: WarmWorld, stale: Callable[[], bool]) -> dict[str, Any]:
            with named(request):
                return world.preview(request, view, deadline_s=DEADLINE_S, cancelled=stale)

        return self._ask("preview", work)

    def estimate(self, requests: list[Request], capacity: Capacity) -> "Future[list[Estimate | Exception]]":
        """Return what will be the estimates of requests, or why there is none; as :meth:`preview`."""
        return self._ask("estimate", lambda world, _: [_tried(world, one, capacity) for one in requests])

    def pids(self) -> list[int]:
        """Return the process ids of what makes the previews now, if there is such a process."""
        return self._world.pids()

    def close(self) -> None:
        """End the process; who waits is told that it is cancelled."""
        with self._asked:
            self._closing = True
            self._asked.notify()

    def join(self) -> None:
        """Wait until the process has ended."""
        self._thread.join()

    def _ask(self, kind: str, work: Work) -> "Future[Any]":
        future: Future[Any] = Future()
        with self._asked:
            self.used_at = time.monotonic()
            _, before = self._waiting.pop(kind, (None, None))
            if before is not None:
                before.cancel()
            if self.over or self._closing:
                future.cancel()
            else:
                self._waiting[kind] = work, future
                self._asked.notify()
        return future

    def _serve(self) -> None:
        """Do what is asked for; the process belongs to this thread."""
        done_at = 0.0
        try:
            while (taken := self._next(done_at)) is not None:
                kind, work, future = taken
                self._do(kind, work, future)
                done_at = time.monotonic()
        finally:
            with self._asked:
                self.over = True
                for _, future in self._waiting.values():
                    future.cancel()
                self._waiting.clear()
            self._world.close()

    def _next(self, done_at: float) -> "tuple[str, Work, Future[Any]] | None":
        """Wait for something to do; None where that is over."""
        with self._asked:
            asked = self._asked.wait_for(lambda: self._waiting or self._closing, self._idle_s)
            if asked and not self._closing and time.monotonic() - done_at < _BUSY_S:
                self._asked.wait_for(lambda: self._closing, SETTLE_S)
            if self._closing or not self._waiting:
                return None
            kind = "preview" if "preview" in self._waiting else next(iter(self._waiting))
            work, future = self._waiting.pop(kind)
            self.busy = True
            return kind, work, future

    def _do(self, kind: str, work: Work, future: "Future[Any]") -> None:
        """Make one thing, and tell who waits for it."""
        began = time.monotonic()

        def stale() -> bool:
            outdated = kind in self._waiting and time.monotonic() - began > PATIENCE_S
            return self._closing or outdated

        try:
            if future.set_running_or_notify_cancel():
                future.set_result(work(self._world, stale))
        except Exception as error:  # noqa: BLE001  (whatever it is, somebody waits for it)
            future.set_exception(error)
        finally:
            with self._asked:
                self.busy = False
                self.used_at = time.monotonic()


@contextmanager
def named(request: Request) -> Iterator[None]:
    """Have errors of the stage name the user's file instead of where it lies."""
    try:
        yield
    except StageError as error:
        raise type(error)(str(error).replace(request.input, request.output_name)) from error


def _tried(world: WarmWorld, request: Request, capacity: Capacity) -> Estimate | Exception:
    try:
        with named(request):
            return estimate(world.plan, request, capacity)
    except Exception as error:  # noqa: BLE001  (told of its image alone)
        return error
