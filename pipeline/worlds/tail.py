"""The last words of a program: the end of what it wrote, kept for when it fails."""

import os
import select
import sys
import time
from contextlib import suppress

KEPT_BYTES = 16 << 10
_READ_BYTES = 1 << 16


class Tail:
    """A pipe for a program's output, of which only the end is kept.

    Attributes
    ----------
    writer: the end of the pipe that the program gets; close it by :meth:`started`.
    ended: whether all who could write have gone.
    """

    def __init__(self, *, pass_on: bool = False) -> None:
        """Make the pipe; with ``pass_on`` what comes is also written to our standard error."""
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._pass_on = pass_on
        self._kept = b""
        self.ended = False

    def started(self) -> None:
        """Give up our copy of the writing end, once the program has its own."""
        os.close(self.writer)

    def fileno(self) -> int:
        """Return the reading end, to wait for."""
        return self._reader

    def read(self) -> None:
        """Take in what has come, without waiting."""
        with suppress(BlockingIOError):
            while data := os.read(self._reader, _READ_BYTES):
                if self._pass_on:
                    sys.stderr.write(data.decode(errors="replace"))
                self._kept = (self._kept + data)[-KEPT_BYTES:]
            self.ended = True

    def read_until(self, end: bytes, timeout_s: float) -> str | None:
        """Return what comes before ``end``, which is not kept; None if that does not come in time."""
        deadline = time.monotonic() + timeout_s
        come = b""
        while end not in come:
            wait_s = deadline - time.monotonic()
            if wait_s <= 0 or not select.select([self._reader], [], [], wait_s)[0]:
                break
            data = os.read(self._reader, _READ_BYTES)
            come += data
            if not data:
                break
        before, found, rest = come.partition(end)
        self._kept = (self._kept + (rest if found else before))[-KEPT_BYTES:]
        return before.decode(errors="replace") if found else None

    @property
    def text(self) -> str:
        """What is kept, without white space around it."""
        return self._kept.decode(errors="replace").strip()

    def close(self) -> None:
        """Take in what is left and close the pipe."""
        if not self.ended:
            self.read()
        os.close(self._reader)
