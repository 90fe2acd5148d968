"""Where the time of a rank goes: one clock per phase."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

PHASES = ("read", "decode", "halo", "compute", "encode", "write", "wait")


class PhaseClock:
    """Adds up the seconds spent in each of :data:`PHASES`; an inner phase stops the outer one."""

    def __init__(self) -> None:
        """Start with all phases at zero."""
        self.seconds: dict[str, float] = dict.fromkeys(PHASES, 0.0)
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time inside the ``with`` block for phase ``name`` (a key of :data:`PHASES`)."""
        self._switch()
        self._open.append(name)
        try:
            yield
        finally:
            self._switch()
            self._open.pop()

    def _switch(self) -> None:
        """Count the time since the last switch for the innermost open phase."""
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now
