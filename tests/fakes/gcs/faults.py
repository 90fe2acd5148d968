"""Faults on demand: what goes wrong with the next requests that match."""

import re
import threading
from dataclasses import dataclass
from enum import StrEnum

_NAMED_BYTES = 1024


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """The request is answered with an error and not carried out."""

    RESET = "reset"
    """The connection is reset before the request is carried out."""

    LOST_ANSWER = "lost_answer"
    """The request is carried out, and the connection is reset instead of the answer."""

    STALL = "stall"
    """The request is carried out, and no answer comes until ``Faults.release``."""

    TRUNCATED = "truncated"
    """The connection ends in the middle of the answer's body."""

    CORRUPTED = "corrupted"
    """A byte in the middle of the answer's body is another one."""

    CORRUPTED_UPLOAD = "corrupted_upload"
    """A byte in the last quarter of the request's body is another one."""


@dataclass
class Fault:
    """A fault, and the requests that it befalls.

    Attributes
    ----------
    kind: what goes wrong.
    method: the HTTP method, any if None.
    target: a regular expression that is searched for in path and query, as they were sent.
    times: how many requests it befalls.
    status: of the answer, for ``STATUS``.
    about: a regular expression that is searched for at the beginning of the body, where an upload names
        its object.

    """

    kind: FaultKind
    method: str | None = None
    target: str = ""
    times: int = 1
    status: int = 503
    about: str = ""

    def befalls(self, method: str, target: str, body: bytes) -> bool:
        """Whether this request is one of those."""
        fits = self.method is None or self.method == method
        named = not self.about or re.search(self.about.encode(), body[:_NAMED_BYTES]) is not None
        return self.times > 0 and fits and named and re.search(self.target, target) is not None


class Faults:
    """The faults that are waiting, in order; each request meets one at most."""

    def __init__(self) -> None:
        """Start without faults."""
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._released = threading.Event()
        self.befallen: list[tuple[FaultKind, str, str]] = []
        """Kind, method and target of the requests that went wrong."""

    def add(
        self,
        kind: FaultKind,
        *,
        method: str | None = None,
        target: str = "",
        times: int = 1,
        status: int = 503,
        about: str = "",
    ) -> None:
        """Let the next ``times`` matching requests go wrong."""
        with self._lock:
            self._waiting.append(Fault(kind, method, target, times, status, about))

    def take(self, method: str, target: str, body: bytes) -> Fault | None:
        """Return the fault of a request, None if all goes well."""
        with self._lock:
            for fault in self._waiting:
                if fault.befalls(method, target, body):
                    fault.times -= 1
                    self.befallen.append((fault.kind, method, target))
                    return fault
        return None

    def clear(self) -> None:
        """Let everything go well from now on."""
        with self._lock:
            self._waiting.clear()

    def release(self) -> None:
        """Let go of the requests that stall, now and later."""
        self._released.set()

    def hold(self) -> None:
        """Let requests stall again after a release."""
        self._released.clear()

    def wait_for_release(self) -> None:
        """Wait until somebody releases the stalled requests."""
        self._released.wait()


def flip(data: bytes, position: int) -> bytes:
    """Return ``data`` with another byte at ``position``."""
    if not data:
        return data
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
