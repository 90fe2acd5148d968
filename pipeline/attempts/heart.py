"""One thread that beats for all the jobs a worker holds."""

import threading
import time
from typing import Protocol

from pipeline.logs import get_logger

TICK_S = 0.2
"""Between two beats; progress is told at most so often."""

IDLE_TICKS = 5
"""The thread ends when nothing has been held for so many beats; an idle worker wakes for nothing."""


class Beating(Protocol):
    """What goes on beside the work on a job."""

    def beat(self) -> None:
        """Do what is due; what it raises is logged."""


class Heart:
    """Calls ``beat`` of everything that has joined, about five times a second."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._lock = threading.Lock()
        self._joined: list[Beating] = []
        self._thread: threading.Thread | None = None
        self._log = get_logger()

    def join(self, one: Beating) -> None:
        """Beat for ``one`` from now on."""
        with self._lock:
            self._joined.append(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
                self._thread.start()

    def leave(self, one: Beating) -> None:
        """Beat no more for ``one``; a beat that is under way may still go on."""
        with self._lock:
            self._joined.remove(one)

    def _run(self) -> None:
        idle = 0
        while True:
            time.sleep(TICK_S)
            with self._lock:
                beating = list(self._joined)
                idle = 0 if beating else idle + 1
                if idle >= IDLE_TICKS:
                    self._thread = None
                    return
            for one in beating:
                self._beat(one)

    def _beat(self, one: Beating) -> None:
        """Beat for one; a fault in it must not keep the others' leases from being renewed."""
        try:
            one.beat()
        except Exception:  # noqa: BLE001  (logged; the next beat tries again)
            self._log.exception("a beat failed")
