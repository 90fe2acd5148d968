"""The status of a job at each turn of its life, made from its durable records; pure."""

import json
from datetime import datetime
from functools import lru_cache

from mpi_stage.operations.declaring.parameters import parameters_of
from mpi_stage.operations.spelling.grammar import Step, parse, to_text
from pipeline.decisions.load import estimated
from pipeline.models import AttemptRecord, Ending, Event, Failure, JobState, JobStatus, Manifest, Result
from pipeline.records.commit import published_key

KNOWN_PIPELINES = 64
"""Of how many pipelines the short text is remembered: the jobs of a batch all have the same."""


def event_of(status: JobStatus, kind: str | None = None) -> Event:
    """Return the event that tells of a status: a transition by its state's name, unless said otherwise."""
    return Event(job_id=status.id, type=kind or status.state.value, status=status)


def queued(manifest: Manifest, attempt: int = 0) -> JobStatus:
    """Return the status of a job that waits, after ``attempt`` attempts."""
    return JobStatus(
        id=manifest.id,
        user=manifest.user,
        batch=manifest.batch,
        state=JobState.QUEUED,
        lane=manifest.lane,
        priority=manifest.priority,
        attempt=attempt,
        input_name=manifest.input_name,
        pixels=manifest.pixels,
        pipeline=_brief(manifest),
        load=estimated(manifest),
        created_at=manifest.created_at,
    )


def running(manifest: Manifest, record: AttemptRecord) -> JobStatus:
    """Return the status of a job that an attempt has just taken up."""
    return queued(manifest, record.attempt).model_copy(
        update={"state": JobState.RUNNING, "started_at": record.started_at, "worker": record.worker}
    )


def ended(manifest: Manifest, ending: Ending, before: JobStatus | None = None) -> JobStatus:
    """Return the status of a job that has ended; ``before`` adds what only the board knew."""
    status = before or queued(manifest)
    if isinstance(ending, Result):
        return status.model_copy(update=_success(manifest, ending, status))
    if isinstance(ending, Failure):
        return status.model_copy(update=_failure(ending))
    return status.model_copy(
        update={"rows_per_s": 0.0, **_end(JobState.CANCELLED, ending.cancelled_at), "error": None}
    )


def _brief(manifest: Manifest) -> str:
    """Return the pipeline as text, without the parameters that have their defaults."""
    return _brief_of(json.dumps(manifest.steps))


@lru_cache(KNOWN_PIPELINES)
def _brief_of(steps_json: str) -> str:
    steps = []
    for step in parse(json.loads(steps_json)):
        defaults = {one.name: one.default for one in parameters_of(step.operation)}
        stated = {name: value for name, value in step.params.items() if value != defaults.get(name)}
        steps.append(Step(step.operation, stated))
    return to_text(steps)


def _end(state: JobState, at: datetime) -> dict[str, object]:
    return {"state": state, "finished_at": at, "updated_at": at}


def _success(manifest: Manifest, result: Result, before: JobStatus) -> dict[str, object]:
    rows = before.rows_total or int(result.report.get("rows", 0))
    return {
        **_end(JobState.SUCCEEDED, result.finished_at),
        "attempt": result.attempt,
        "rows_done": rows,
        "rows_total": rows,
        "ranks": [rank.model_copy(update={"rows_done": rank.rows_total}) for rank in before.ranks],
        "error": None,
        "error_kind": None,
        "exit_code": 0,
        "output_key": published_key(manifest, result),
    }


def _failure(failure: Failure) -> dict[str, object]:
    return {
        **_end(JobState.DEAD if failure.dead else JobState.FAILED, failure.failed_at),
        "attempt": failure.attempt,
        "rows_per_s": 0.0,
        "error": failure.message,
        "error_kind": failure.kind,
        "exit_code": failure.exit_code,
    }
