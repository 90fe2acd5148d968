"""What is going on, for all browsers that look: one ear on Redis' events, a book for each viewer."""

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from pipeline.client import Client
from pipeline.errors import HalorowError
from pipeline.models import Event
from ui.following.book import Asked, JobBook

MOST_JOBS = 2000
"""Of a viewer's jobs the newest are known; older ones are found by the command line."""

REFRESH_S = 15.0
"""Events are lost while Redis restarts: so often the list itself is read while somebody looks."""

IDLE_S = 30.0
"""What nobody has looked at for so long is forgotten, and nobody listens for it any more."""

_NEXT_S = 0.5


@dataclass
class _Viewer:
    """One viewer's book, and when it was looked at and read, on the monotonic clock."""

    client: Client
    sees: Callable[[str], bool]
    book: JobBook = field(default_factory=JobBook)
    looked_s: float = 0.0
    read_s: float | None = None
    reading: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> None:
        """Read the list. Raises QueueUnavailableError."""
        at = self.book.changes
        self.book.replace(self.client.jobs(limit=MOST_JOBS), at)
        self.read_s = time.monotonic()


class JobFeed:
    """Knows the jobs of whoever has looked lately; safe between threads.

    Parameters
    ----------
    listen_to: gives the client whose events are heard.
    client_of: gives the client of a viewer, and which users' jobs they may see.

    """

    def __init__(
        self,
        listen_to: Callable[[], Client],
        client_of: Callable[[str], tuple[Client, Callable[[str], bool]]],
    ) -> None:
        self._listen_to = listen_to
        self._client_of = client_of
        self._lock = threading.Lock()
        self._viewers: dict[str, _Viewer] = {}
        self._ear: threading.Thread | None = None
        self._closed = False

    def look(self, viewer: str, asked: Asked, epoch: str = "", since: int = -1) -> dict[str, Any]:
        """Return what :meth:`JobBook.look` does. Raises HalorowError where nothing is known yet."""
        one = self._viewer(viewer)
        if one.read_s is None or time.monotonic() - one.read_s > REFRESH_S:
            self._read(one)
        return one.book.look(asked, epoch, since)

    def refresh(self, viewer: str) -> None:
        """Read the list anew: something was done to it. Raises HalorowError."""
        self._viewer(viewer).read()

    def close(self) -> None:
        """Stop listening."""
        self._closed = True
        ear = self._ear
        if ear is not None:
            ear.join()

    def _viewer(self, viewer: str) -> _Viewer:
        with self._lock:
            one = self._viewers.get(viewer)
            if one is None:
                one = self._viewers[viewer] = _Viewer(*self._client_of(viewer))
            one.looked_s = time.monotonic()
            if self._ear is None and not self._closed:
                self._ear = threading.Thread(target=self._listen, name="job-feed", daemon=True)
                self._ear.start()
        return one

    def _read(self, one: _Viewer) -> None:
        """Read the list, once where many ask; an old one is better than none."""
        if one.read_s is not None and not one.reading.acquire(blocking=False):
            return
        if one.read_s is None:
            one.reading.acquire()
        try:
            one.read()
        except HalorowError:
            if one.read_s is None:
                raise
        finally:
            one.reading.release()

    def _listen(self) -> None:
        """Pass events on until nobody looks any more."""
        try:
            with suppress(HalorowError), closing(self._listen_to().events()) as subscription:
                while self._forget_idle():
                    event = subscription.next(_NEXT_S)
                    if event is not None:
                        self._pass_on(event)
        finally:  # the lists are read all the same, and the next look begins to listen again
            with self._lock:
                self._ear = None

    def _forget_idle(self) -> bool:
        """Forget whom nobody has looked for; return whether there is anybody left."""
        oldest_s = time.monotonic() - IDLE_S
        with self._lock:
            self._viewers = {name: one for name, one in self._viewers.items() if one.looked_s > oldest_s}
            return bool(self._viewers) and not self._closed

    def _pass_on(self, event: Event) -> None:
        with self._lock:
            hearing = [one for one in self._viewers.values() if one.sees(event.status.user)]
        for one in hearing:
            one.book.take(event.status)
