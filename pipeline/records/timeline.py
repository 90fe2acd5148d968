"""What happened to a job, in order: put together from its durable records, so that nothing is missing.

Events on the bus are heard by those who listen and kept for nobody; the records have every turn of a
job's life, also years later and after Redis has lost what it knew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.models import Cancellation, Ending, Failure, Manifest, Result, RetryRecord, ended_at
from pipeline.records.jobs import History, JobRecords
from pipeline.trace_ids import trace_of

Facts = dict[str, str | int | float | None]


@dataclass(frozen=True)
class Turn:
    """One turn of a job's life: when, what, in which attempt, and what else is known of it."""

    at: datetime
    what: str
    attempt: int
    facts: Facts

    def to_json(self, job_id: str) -> dict[str, object]:
        """Return the turn as a line of a log has it."""
        known = {name: value for name, value in self.facts.items() if value is not None}
        about = {"job": job_id, "trace": trace_of(job_id), "attempt": self.attempt}
        return {"timestamp": self.at.isoformat(), "event": self.what, **about, **known}


def timeline(records: JobRecords, job_id: str) -> list[Turn]:
    """Return the turns of a job's life, the oldest first. Raises JobNotFoundError, StoreError."""
    manifest = records.manifest(job_id)
    keys = records.keys(job_id)
    history, ending = records.history(job_id, keys), records.ending(job_id, keys)
    turns = [_accepted(manifest), *_attempts(history), *map(_retry, records.retries(job_id, keys))]
    if ending is not None:
        turns += _end(ending, history)
    return sorted(turns, key=lambda turn: turn.at)


def _accepted(manifest: Manifest) -> Turn:
    facts: Facts = {
        "user": manifest.user,
        "input": manifest.input_name,
        "bytes": manifest.input.size_bytes,
        "lane": manifest.lane.value,
        "priority": manifest.priority,
    }
    return Turn(manifest.created_at, "accepted", 0, facts)


def _attempts(history: History) -> Iterator[Turn]:
    for record in history.attempts:
        yield Turn(record.started_at, "attempt begun", record.attempt, {"worker": record.worker})
    for outcome in history.outcomes.values():
        facts: Facts = {"kind": outcome.kind, "message": outcome.message, "ranks": outcome.ranks}
        yield Turn(outcome.ended_at, "attempt ended without a result", outcome.attempt, facts)


def _retry(record: RetryRecord) -> Turn:
    return Turn(record.asked_at, "asked to be tried again", record.after_attempt, {})


def _end(ending: Ending, history: History) -> Iterator[Turn]:
    at = ended_at(ending)
    if isinstance(ending, Cancellation):
        yield Turn(at, "cancelled", history.highest, {})
    elif isinstance(ending, Failure):
        what = "given up" if ending.dead else "failed"
        yield Turn(at, what, ending.attempt, {"kind": ending.kind, "message": ending.message})
    else:
        yield from _success(ending)


def _success(result: Result) -> Iterator[Turn]:
    """Yield what the ranks have reported, and the commit."""
    for rank in result.report.get("ranks", []):
        phases = {f"{name}_s": round(float(s), 3) for name, s in rank["seconds"].items()}
        facts: Facts = {"rank": rank["rank"], "host": rank["host"], **phases}
        yield Turn(result.finished_at, "rank reported", result.attempt, facts)
    facts = {
        "output": result.output.key,
        "bytes": result.output.size_bytes,
        "seconds": result.report.get("seconds"),
        "pixels_sha256": result.pixels_sha256 or None,
    }
    yield Turn(result.finished_at, "committed", result.attempt, facts)
