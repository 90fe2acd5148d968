"""What a rank tells of its progress: now and then, and at the end."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpi_stage.sweep.band_keeper import BandKeeper

PROGRESS_EVERY_S = 0.2

Emit = Callable[[dict[str, Any]], None]
"""Sends an event of the contract."""


class Progress:
    """The progress of one rank; an engine's ``progress``."""

    def __init__(self, emit: Emit, job: str, rank: int, bands: "BandKeeper | None") -> None:
        """Tell by ``emit``, with the bands that are kept by now where there are any."""
        self._emit, self._bands = emit, bands
        self._event = {"event": "progress", "job": job, "rank": rank}
        self._told_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Tell of ``done`` rows of ``total``, unless the last time was just before; always of all."""
        at = time.monotonic()
        if at - self._told_at >= PROGRESS_EVERY_S or done == total:
            self._told_at = at
            self.tell(done, total)

    def tell(self, done: int, total: int) -> None:
        """Tell of ``done`` rows of ``total``."""
        event: dict[str, Any] = {**self._event, "rows_done": done, "rows_total": total}
        if self._bands is not None:
            event |= {"bands": self._bands.grid.count, "bands_done": self._bands.done}
        self._emit(event)
