"""Follow several jobs to their ends, with a line for each on a terminal."""

import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.client import LOOK_EVERY_S, Client
from pipeline.models import JobStatus

_STEPS = 1000
"""A bar's length; jobs report fractions of rows."""


def follow(client: Client, job_ids: Sequence[str], *, quiet: bool = False) -> list[JobStatus]:
    """Return the final status of each job, in order. Raises JobNotFoundError, QueueUnavailableError."""
    subscription = client.events()
    known = {job_id: client.status(job_id) for job_id in job_ids}
    try:
        with _Bars(known, quiet=quiet) as bars:
            looked = time.monotonic()
            bars.show(known)
            while not all(status.state.is_final for status in known.values()):
                event = subscription.next(LOOK_EVERY_S)
                if event is not None and event.job_id in known:
                    known[event.job_id] = event.status
                if time.monotonic() - looked > LOOK_EVERY_S:
                    # Events are lost while Redis is away.
                    looked = time.monotonic()
                    open_ids = [job_id for job_id, status in known.items() if not status.state.is_final]
                    known |= {job_id: client.status(job_id) for job_id in open_ids}
                bars.show(known)
    finally:
        subscription.close()
    return [known[job_id] for job_id in job_ids]


class _Bars:
    """A bar per job on a terminal, a line per transition elsewhere; on stderr."""

    def __init__(self, known: dict[str, JobStatus], *, quiet: bool) -> None:
        console = Console(stderr=True, quiet=quiet)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
        )
        self._bars = Progress(*columns, console=console, disable=not console.is_terminal)
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._states: dict[str, str] = {}
        for job_id, status in known.items():
            name = f"{status.input_name} ({job_id})"
            self._tasks[job_id] = self._bars.add_task(name, total=_STEPS, state=status.state.value)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, known: dict[str, JobStatus]) -> None:
        """Bring every line up to date."""
        for job_id, status in known.items():
            state = status.state.value
            done = int(status.fraction_done * _STEPS)
            self._bars.update(self._tasks[job_id], completed=done, state=state)
            if not self._console.is_terminal and self._states.get(job_id) != state:
                self._states[job_id] = state
                self._console.print(f"{job_id} {status.input_name}: {status.error or state}", soft_wrap=True)
