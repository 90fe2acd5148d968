"""What is said of an event, in the words of whom it concerns; pure."""

import hashlib
from collections.abc import Sequence
from typing import Any

from pipeline.channels.models import Kind, Tiding
from pipeline.models import Alert, AlertState, JobState, JobStatus, Notice, Result
from pipeline.notify.news import alert_name

KIND_OF = {
    JobState.SUCCEEDED: Kind.DONE,
    JobState.FAILED: Kind.FAILED,
    JobState.CANCELLED: Kind.CANCELLED,
    JobState.DEAD: Kind.GIVEN_UP,
}
_WORDS = {
    JobState.SUCCEEDED: "is done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
    JobState.DEAD: "was given up",
}
_LISTED = 20
"""Jobs without a result that the tiding of a batch names."""


def of_job(status: JobStatus, result: Result | None = None) -> Tiding:
    """Return what to tell of the end of a job; its id is the same for the same end."""
    title = f"{status.input_name} {_WORDS[status.state]}"
    lines = [status.error or "", f"Pipeline: {status.pipeline}", f"Job: {status.id}"]
    return Tiding(
        id=f"{status.id}:{status.state.value}:{status.attempt}",
        kind=KIND_OF[status.state],
        user=status.user,
        at=status.finished_at or status.updated_at,
        title=title,
        text="\n".join(line for line in lines if line),
        payload=_payload(status, result),
        job=status.id,
    )


def _payload(status: JobStatus, result: Result | None) -> dict[str, Any]:
    return {
        "event": KIND_OF[status.state].value,
        "job": status.id,
        "state": status.state.value,
        "input_name": status.input_name,
        "pipeline": status.pipeline,
        "batch": status.batch,
        "finished_at": status.finished_at.isoformat() if status.finished_at else None,
        "error": status.error,
        "exit_code": status.exit_code,
        "output_key": status.output_key,
        "pixels_sha256": (result.pixels_sha256 or None) if result else None,
    }


def of_batch(user: str, batch: str, jobs: Sequence[JobStatus]) -> Tiding:
    """Return what to tell of a batch whose jobs have all ended.

    The id follows from the jobs and their ends: a batch that grows, or of which some is retried, ends again.
    """
    ends = sorted(f"{job.id}:{job.state.value}:{job.attempt}" for job in jobs)
    digest = hashlib.sha256("\n".join(ends).encode()).hexdigest()[:16]
    counts = {state: sum(job.state is state for job in jobs) for state in _WORDS}
    said = {
        JobState.SUCCEEDED: "done",
        JobState.FAILED: "failed",
        JobState.CANCELLED: "cancelled",
        JobState.DEAD: "given up",
    }
    summary = ", ".join(f"{counts[state]:,} {word}" for state, word in said.items() if counts[state])
    bad = [job.input_name for job in jobs if job.state is not JobState.SUCCEEDED]
    more = [f"and {len(bad) - _LISTED:,} more"] if len(bad) > _LISTED else []
    return Tiding(
        id=f"batch:{user}:{batch}:{digest}",
        kind=Kind.BATCH,
        user=user,
        at=max(job.finished_at or job.updated_at for job in jobs),
        title=f"A batch of {len(jobs):,} image{'' if len(jobs) == 1 else 's'} has ended: {summary}",
        text="\n".join([*(["Without a result:"] if bad else []), *bad[:_LISTED], *more, f"Batch: {batch}"]),
        payload={
            "event": Kind.BATCH.value,
            "batch": batch,
            "jobs": len(jobs),
            **{word.replace(" ", "_"): counts[state] for state, word in said.items()},
        },
    )


def of_alert(alert: Alert, user: str) -> Tiding:
    """Return what to tell an operator of an alert."""
    turn = "Alert" if alert.state is AlertState.RAISED else "No longer"
    return Tiding(
        id=f"{alert_name(alert)}:{user}",  # each operator's own: notices are known by it
        kind=Kind.ALERT,
        user=user,
        at=alert.at,
        title=f"{turn}: {alert.text}",
        text="\n".join(
            part
            for part in (alert.remedy, f"Severity: {alert.severity}", f"Since: {alert.since:%F %T} UTC")
            if part
        ),
        payload={
            "event": Kind.ALERT.value,
            "alert": alert.id,
            "state": alert.state.value,
            "severity": alert.severity,
            "since": alert.since.isoformat(),
            "text": alert.text,
            "remedy": alert.remedy,
        },
    )


def of_test(user: str, nonce: str) -> Tiding:
    """Return a test message."""
    return Tiding(
        id=f"test:{nonce}",
        kind=Kind.TEST,
        user=user,
        title="A test message of halorow",
        text="Somebody, probably you, asked for it on the page Notifications. You will be told this way.",
        payload={"event": Kind.TEST.value},
    )


def notice_of(tiding: Tiding) -> Notice:
    """Return a tiding as a line for the page."""
    error = tiding.payload.get("error")
    return Notice(
        id=tiding.id,
        user=tiding.user,
        job_id=tiding.job or "",
        text=f"{tiding.title}: {error}" if error else tiding.title,
        at=tiding.at,
        kind=tiding.kind.value,
    )
