"""Bring Redis in line with the store: nothing that was accepted stays forgotten.

Only the markers of unfinished jobs are listed, so that the cost does not grow with the jobs that
are done. Everything here may be done twice, and by several at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from pipeline import layout
from pipeline.attempts.aftermath import MOVED
from pipeline.errors import JobNotFoundError
from pipeline.models import Lane, Manifest, now
from pipeline.parts import Parts
from pipeline.records import statuses
from pipeline.records.jobs import History
from pipeline.records.settle import settle

ORPHAN_AGE = timedelta(hours=1)
"""A marker whose manifest has not come for so long belongs to a submission that died in between."""

PORTION = 256
"""Jobs of which the queue is asked at once."""

REBUILT_DAYS = 2
REBUILT_JOBS = 500
"""How far back the list of finished jobs is made anew after Redis has lost it."""


@dataclass
class Reconciled:
    """What one round found to do."""

    settled: int = 0
    queued: int = 0
    orphans: int = 0
    rebuilt: int = 0

    def __bool__(self) -> bool:
        """Whether there was anything."""
        return bool(self.settled or self.queued or self.orphans or self.rebuilt)


def reconcile(parts: Parts, at: datetime | None = None) -> Reconciled:
    """Look at every unfinished job once. Raises StoreError, QueueUnavailableError."""
    done = Reconciled()
    markers = parts.store.list(layout.OPEN)
    while portion := {one.key.removeprefix(layout.OPEN): one for one in islice(markers, PORTION)}:
        # The queue is asked first: a job leaves it only after its end is on record, so one that is
        # neither in the queue nor, when looked at after that, ended, has been forgotten. One that
        # is in the queue will be claimed, whatever has become of it, and its claimer settles it.
        queued = parts.queue.known(list(portion))
        for job_id, marker in portion.items():
            if job_id not in queued:
                _look_at(parts, job_id, marker.updated_at, at or now(), done)
    return done


def _look_at(parts: Parts, job_id: str, marked_at: datetime, at: datetime, done: Reconciled) -> None:
    """Bring a job that the queue does not know to where it belongs."""
    try:
        manifest = parts.records.manifest(job_id)
    except JobNotFoundError:
        if at - marked_at > ORPHAN_AGE:
            parts.records.close(job_id)
            done.orphans += 1
        return
    _one(parts, manifest, done)


def _one(parts: Parts, manifest: Manifest, done: Reconciled) -> None:
    ending = parts.records.ending(manifest.id)
    if ending is not None:
        settle(parts.records, parts.news, manifest, ending)
        done.settled += 1
        return
    history = parts.records.history(manifest.id)
    lane = lane_of(manifest, history)
    status = statuses.queued(manifest, history.highest).model_copy(update={"lane": lane})
    parts.news.again(status)
    done.queued += 1


def lane_of(manifest: Manifest, history: History) -> Lane:
    """Return the lane that a job is in: the manifest's, or the gang lane if it has been moved there."""
    moved = any(outcome.kind == MOVED for outcome in history.outcomes.values())
    return Lane.GANG if moved else manifest.lane


def rebuild_and_reconcile(parts: Parts) -> Reconciled:
    """Do one whole round. Raises StoreError, QueueUnavailableError."""
    rebuilt = rebuild(parts)
    return replace(reconcile(parts), rebuilt=rebuilt)


def rebuild(parts: Parts, at: datetime | None = None) -> int:
    """Make the statuses of recently finished jobs anew, if the board has lost what it knew.

    Returns how many. Raises StoreError, QueueUnavailableError.
    """
    if parts.board.is_whole():
        return 0
    made = 0
    for day in range(REBUILT_DAYS):
        made += _rebuild_day(parts, f"{(at or now()) - timedelta(days=day):%Y%m%d}-", REBUILT_JOBS - made)
    parts.board.mark_whole()
    return made


def _rebuild_day(parts: Parts, day: str, most: int) -> int:
    ids = sorted(
        {info.key.split("/")[1] for info in parts.store.list(layout.job_prefix(day).removesuffix("/"))}
    )
    made = 0
    for job_id in reversed(ids):
        if made >= most:
            break
        try:
            manifest = parts.records.manifest(job_id)
        except JobNotFoundError:
            continue
        ending = parts.records.ending(job_id)
        if ending is not None:
            parts.board.put(statuses.ended(manifest, ending))
            made += 1
    return made
