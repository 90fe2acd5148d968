"""A bar that shows how far a run is: rows, rate and time left."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress, Task
    from rich.text import Text


class RunProgress:
    """Shows a bar on standard error while the context is open, or nothing where nobody looks.

    Rows are counted over all sweeps of the plan.
    """

    def __init__(self, label: str, *, shown: bool) -> None:
        """Show ``label`` before the bar, if ``shown`` and standard error is a terminal."""
        self._label = label
        self._shown = shown and sys.stderr.isatty()
        self._rows: dict[int, tuple[int, int]] = {}
        self._ranks = 1
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        """Open the context; the bar appears with the first event."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        """Take note of an event of the stage."""
        if event["event"] == "planned":
            self._ranks = int(event["plan"]["ranks"])
        elif event["event"] == "progress":
            self._rows[int(event["rank"])] = (int(event["rows_done"]), int(event["rows_total"]))
        if not self._shown:
            return
        self._bar = self._bar or _bar(self._label)
        done, total = self.rows
        self._bar.update(self._bar.task_ids[0], completed=done, total=total or None)

    @property
    def rows(self) -> tuple[int, int]:
        """Rows done and rows in all; ranks that have not reported count like the mean of the others."""
        done = sum(rows for rows, _ in self._rows.values())
        known = sum(total for _, total in self._rows.values())
        return done, known * max(self._ranks, len(self._rows)) // max(1, len(self._rows))


def _bar(label: str) -> "Progress":
    # rich is slow to load, and most runs are over or unseen without it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        _rate_column(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task(label, total=None)
    bar.start()
    return bar


def _rate_column() -> Any:  # noqa: ANN401  (a class that cannot be named before rich is loaded)
    from rich.progress import ProgressColumn  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    class Rate(ProgressColumn):
        """Rows per second."""

        def render(self, task: "Task") -> "Text":
            """Return the rate of the last seconds."""
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f} rows/s" if speed else "", style="progress.data.speed")

    return Rate()
