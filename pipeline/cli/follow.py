"""Follow several jobs to their ends, with a line for each on a terminal."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.client import Client
from pipeline.client_sides.following import LOOK_EVERY_S
from pipeline.models import JobStatus

_STEPS = 1000
"""A bar's length; jobs report fractions of rows."""

_LOOKS_SHARE = 10
"""Looking at many jobs may take a tenth of the time at most."""


def followed(client: Client, jobs: Mapping[str, JobStatus]) -> Iterator[dict[str, JobStatus]]:
    """Yield what is known of jobs, by id, with every event of theirs and every few seconds.

    Ends when all have ended, with their final statuses. Raises JobNotFoundError, QueueUnavailableError.
    """
    known = dict(jobs)
    still = {job_id for job_id, status in known.items() if not status.state.is_final}
    subscription = client.events()
    try:
        looked, wait_s = time.monotonic(), LOOK_EVERY_S
        while still:
            yield known
            event = subscription.next(LOOK_EVERY_S)
            news = {event.job_id: event.status} if event is not None and event.job_id in still else {}
            if time.monotonic() - looked > wait_s:
                # Events are lost while Redis is away.
                began = time.monotonic()
                news = {job_id: client.status(job_id) for job_id in still}
                looked = time.monotonic()
                wait_s = max(LOOK_EVERY_S, _LOOKS_SHARE * (looked - began))
            known |= news
            still -= {job_id for job_id, status in news.items() if status.state.is_final}
    finally:
        subscription.close()
    yield known


def follow(client: Client, job_ids: Sequence[str], *, quiet: bool = False) -> list[JobStatus]:
    """Return the final status of each job, in order. Raises JobNotFoundError, QueueUnavailableError."""
    known = {job_id: client.status(job_id) for job_id in job_ids}
    with _Bars(known, quiet=quiet) as bars:
        for now in followed(client, known):
            bars.show(now)
            known = now
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
