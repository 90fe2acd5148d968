"""What has become of the jobs when all is quiet again."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline import layout
from pipeline.models import JobState, Result
from tests.chaos.ground import Ground
from tests.chaos.quiet import Expected
from tests.chaos.stream import Job


@dataclass
class Verdict:
    """Counts over all jobs, and a line for each that is not as it should be."""

    jobs: int = 0
    lost: int = 0
    two_results: int = 0
    different: int = 0
    attempts_again: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faulty: list[str] = field(default_factory=list)


def judge(ground: Ground, jobs: list[Job], expected: Mapping[str, Expected]) -> Verdict:
    """Look at every job once more, in the store and as the client shows it."""
    verdict = Verdict(jobs=len(jobs))
    for job in jobs:
        _judge_one(ground, job, expected[job.kind.name], verdict)
    ids = {job.id for job in jobs}
    for info in ground.records.store.list("jobs/"):
        job_id = info.key.split("/")[1]
        if info.key == layout.manifest_key(job_id) and job_id not in ids:
            verdict.two_results += 1
            verdict.faulty.append(f"{job_id}: nobody knows this job; a submission was accepted twice")
    return verdict


def _judge_one(ground: Ground, job: Job, expected: Expected, verdict: Verdict) -> None:
    history = ground.records.history(job.id)
    verdict.attempts_again += max(0, len(history.attempts) - 1)
    verdict.outcomes.update(_word(history, one.attempt) for one in history.attempts)
    ending = ground.ending(job.id)
    told = ground.service.client.status(job.id)
    if not isinstance(ending, Result) or told.state is not JobState.SUCCEEDED:
        verdict.lost += 1
        verdict.faulty.append(f"{job.id} ({job.kind.name}): {told.state}, on record {ending!r}")
        return
    if job.first_seen is not None and job.first_seen != ending:
        verdict.two_results += 1
        verdict.faulty.append(f"{job.id}: its result was {job.first_seen!r} and is {ending!r}")
    same = ground.output_sha256(ending) == expected.file_sha256
    if not same or ending.pixels_sha256 != expected.pixels_sha256:
        verdict.different += 1
        verdict.faulty.append(f"{job.id} ({job.kind.name}): another output than in a quiet run")


def _word(history, attempt: int) -> str:
    """Say how an attempt ended."""
    outcome = history.outcomes.get(attempt)
    if outcome is not None:
        return outcome.kind
    return "died without a word" if attempt < history.highest else "succeeded"
