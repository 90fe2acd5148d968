"""What the page shows of a job, worked out from its status alone."""

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.models import JobState, JobStatus
from ui import words
from ui.drafts.builder import brief

_TITLES = {
    "DamagedInputError": "The file is damaged",
    "UnsupportedFormatError": "This file format is not supported",
    "MissingInputError": "The file is not there any more",
    "UnsupportedImageError": "The pipeline does not fit this image",
    "UnknownOperationError": "The pipeline is wrong",
    "ParameterError": "The pipeline is wrong",
    "LimitError": "The job is too large",
    "BudgetError": "The job is more than is allowed",
    "ExhaustedError": "The file takes too much to decode",
    "DiskFullError": "There is no room left for the result",
    "DeviceError": "The device that was asked for is not available",
    "WorldError": "The computation was interrupted",
}
_ADVICE = {
    "DamagedInputError": "Check that the file opens on your computer, and upload it again.",
    "UnsupportedFormatError": "Save it as TIFF, PNG, JPEG, WebP, AVIF or BMP, and upload it again.",
    "DiskFullError": "Tell your operator; retry the job when there is room again.",
    "WorldError": "Retry the job; if it happens again, tell your operator.",
}
_BADGES = {
    JobState.QUEUED: ("Waiting", "gray", ":material/schedule:"),
    JobState.RUNNING: ("Running", "blue", ":material/progress_activity:"),
    JobState.RETRYING: ("Trying again", "orange", ":material/replay:"),
    JobState.SUCCEEDED: ("Done", "green", ":material/check_circle:"),
    JobState.FAILED: ("Failed", "red", ":material/error:"),
    JobState.CANCELLED: ("Cancelled", "gray", ":material/cancel:"),
    JobState.DEAD: ("Given up", "red", ":material/report:"),
}
STATES = {
    "waiting": frozenset({JobState.QUEUED}),
    "running": frozenset({JobState.RUNNING, JobState.RETRYING}),
    "done": frozenset({JobState.SUCCEEDED}),
    "failed": frozenset({JobState.FAILED, JobState.DEAD}),
    "cancelled": frozenset({JobState.CANCELLED}),
}
"""The states that people tell apart, in the order in which a job may come by them."""

_RETRIABLE = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.DEAD})


@dataclass(frozen=True)
class Badge:
    """A state as a word, a colour of the page's palette, and an icon."""

    label: str
    colour: str
    icon: str


@dataclass(frozen=True)
class RankBar:
    """How far one rank is: a share from 0 to 1, and the same in words."""

    rank: int
    fraction: float
    words: str


@dataclass(frozen=True)
class Trouble:
    """Why a job has no result: a title, what happened, and what to do (empty if the text says it)."""

    title: str
    message: str
    advice: str


@dataclass(frozen=True)
class JobCard:
    """One job, ready to be drawn.

    ``progress`` goes with the bar of a job that is moving, ``note`` stands beside the pipeline of
    one that has ended. ``made_ms`` is when it was submitted, in milliseconds since 1970. ``bands`` are how
    many of the output are kept as they are made, ``bands_done`` ranges of those that are.
    """

    id: str
    title: str
    pipeline: str
    badge: Badge
    fraction: float
    progress: str
    note: str
    ranks: tuple[RankBar, ...]
    bands: int
    bands_done: tuple[tuple[int, int], ...]
    trouble: Trouble | None
    user: str
    batch: str
    made_ms: int
    is_waiting: bool
    is_moving: bool
    can_cancel: bool
    can_retry: bool
    can_delete: bool
    has_result: bool

    def to_json(self) -> dict[str, Any]:
        """Return the card as the browser gets it."""
        return asdict(self)


def card(status: JobStatus) -> JobCard:
    """Return what to draw for ``status``."""
    label, colour, icon = _BADGES[status.state]
    if status.state is JobState.RETRYING and status.attempt:
        label = f"{label} (attempt {status.attempt} ended)"
    live = not status.state.is_final
    moving = live and status.state is not JobState.QUEUED
    return JobCard(
        id=status.id,
        title=status.input_name,
        pipeline=brief(status.pipeline),
        badge=Badge(label, colour, icon),
        fraction=status.fraction_done,
        progress=_progress(status) if moving else "",
        note="" if live else _note(status),
        ranks=_ranks(status) if moving else (),
        bands=status.bands if moving else 0,
        bands_done=_bands_done(status) if moving else (),
        trouble=_trouble(status),
        user=status.user,
        batch=status.batch or "",
        made_ms=round(status.created_at.timestamp() * 1000),
        is_waiting=status.state is JobState.QUEUED,
        is_moving=moving,
        can_cancel=live,
        can_retry=status.state in _RETRIABLE,
        can_delete=not live,
        has_result=status.state is JobState.SUCCEEDED,
    )


def _progress(status: JobStatus) -> str:
    """Say in one line how far a job is, how fast, and how long it takes."""
    if not status.rows_total:
        return "Getting ready"
    parts = [f"{status.rows_done:,} of {words.count(status.rows_total, 'row')}"]
    if status.rows_per_s > 0:
        parts.append(words.pixel_rate(status.pixels_per_s))
    if status.seconds_left is not None:
        parts.append(f"{words.duration(status.seconds_left)} left")
    return " · ".join(parts)


def _note(status: JobStatus) -> str:
    """Say how long a job took."""
    if status.started_at is None or status.finished_at is None:
        return ""
    took = words.duration((status.finished_at - status.started_at).total_seconds())
    return f"took {took}" if status.state is JobState.SUCCEEDED else f"ended after {took}"


def _ranks(status: JobStatus) -> tuple[RankBar, ...]:
    """Return a bar for each rank, in their order."""
    return tuple(
        RankBar(
            rank=each.rank,
            fraction=min(1.0, each.rows_done / each.rows_total) if each.rows_total else 1.0,
            words=f"rank {each.rank}: {each.rows_done:,} of {words.count(each.rows_total, 'row')}",
        )
        for each in sorted(status.ranks, key=lambda each: each.rank)
    )


def _bands_done(status: JobStatus) -> tuple[tuple[int, int], ...]:
    """Return the bands that are kept by now, as ranges in order."""
    return tuple(sorted((first, end) for each in status.ranks for first, end in each.bands_done))


def _trouble(status: JobStatus) -> Trouble | None:
    """Return what went wrong in plain words, None where nothing did (or somebody cancelled)."""
    if status.state not in {JobState.FAILED, JobState.DEAD, JobState.RETRYING} or not status.error:
        return None
    kind = status.error_kind or ""
    advice = _ADVICE.get(kind, "")
    if status.state is JobState.RETRYING:
        advice = "It is tried again by itself; there is nothing to do."
    return Trouble(_TITLES.get(kind, "It did not work"), status.error, advice)
