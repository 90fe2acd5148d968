"""When to give a run up: pure decisions from its events and the time."""

from collections.abc import Callable
from typing import Any

from mpi_stage.errors import WorldError
from pipeline.errors import RunCancelledError


class Watch:
    """Judges one run by its deadline, its progress, and whether somebody wants it stopped.

    Only rows that were not done before count as progress: a rank that goes on saying the same has
    stalled.
    """

    def __init__(
        self,
        job: str,
        now_s: float,
        *,
        deadline_s: float | None = None,
        stall_s: float | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Start at ``now_s``, on any clock that does not go back; None means without that limit."""
        self._job = job
        self._started_s = self._moved_s = now_s
        self._deadline_s = deadline_s
        self._stall_s = stall_s
        self._cancelled = cancelled
        self._rows: dict[int, tuple[int, int]] = {}

    def saw(self, event: dict[str, Any], now_s: float) -> None:
        """Take note of an event of the run."""
        if event["event"] == "progress":
            rows = (int(event["rows_done"]), int(event["rows_total"]))
            if self._rows.get(event["rank"]) == rows:
                return
            self._rows[event["rank"]] = rows
        self._moved_s = now_s

    def check(self, now_s: float) -> None:
        """Raise RunCancelledError or WorldError when the run is to be given up."""
        if self._cancelled is not None and self._cancelled():
            raise RunCancelledError(f"job {self._job} was cancelled")
        if self._deadline_s is not None and now_s - self._started_s > self._deadline_s:
            raise WorldError(
                f"job {self._job} was not done within its limit of {self._deadline_s:g} s ({self._where()}); "
                "allow more time or more ranks"
            )
        if self._stall_s is not None and now_s - self._moved_s > self._stall_s:
            raise WorldError(
                f"job {self._job} made no progress for {self._stall_s:g} s ({self._where()}): "
                "a rank has stopped or waits for ever; the job can be tried again"
            )

    def _where(self) -> str:
        """Say which rank is least far."""
        if not self._rows:
            return "no rank has reported a row"
        rank, (done, total) = min(self._rows.items(), key=lambda item: item[1][0] / max(1, item[1][1]))
        return f"rank {rank} was last at row {done} of {total}"
