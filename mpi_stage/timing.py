"""Where the time of a rank goes: one clock per phase."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

PHASES = ("read", "decode", "halo", "compute", "encode", "write", "wait")


class PhaseClock:
    """Adds up the seconds spent in each of :data:`PHASES`; phases do not nest."""

    def __init__(self) -> None:
        """Start with all phases at zero."""
        self.seconds: dict[str, float] = dict.fromkeys(PHASES, 0.0)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time inside the ``with`` block for phase ``name`` (a key of :data:`PHASES`)."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start
