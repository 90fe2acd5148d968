"""Removes what has lived its life, and never what an unfinished job needs.

A job is left alone until its end is on record and its mark among the unfinished is gone; so is what
another unfinished job has as its input. What is about to be removed is not lent to new jobs
(``retention.MARGIN_S``), so none can begin to need it meanwhile. A job's manifest goes first and its
ending last: whatever is interrupted in between, the rest is found again, and no job looks unfinished.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from pipeline import layout
from pipeline.decisions.retention import Kind, Retention, kind_of
from pipeline.errors import JobNotFoundError, JobStateError
from pipeline.images.trees import tree_of
from pipeline.keeping.lending import last_use
from pipeline.keeping.removal import free_key, inputs_of_unfinished, remove_all, remove_job
from pipeline.models import Ending, Manifest, ObjectInfo, ended_at, now
from pipeline.parts import Parts
from pipeline.ports import Staging
from pipeline.records.leftovers import last_of_folders
from pipeline.records.uploads import UNFINISHED_S

TAKEN_UP_S = 600.0
"""A removal that has taken so long was interrupted."""

ABANDONED_S = 86_400.0
"""What belongs to no job for so long is of a submission that never came to its end."""

_PLACES = (layout.UPLOADS, layout.PARTS, layout.BANDS, "jobs/")


@dataclass
class Cleaned:
    """What was removed, or would be: objects and bytes of each kind.

    ``statuses`` are entries of lists in Redis, ``staged`` files that killed writers had left.
    """

    objects: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    size_bytes: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    statuses: int = 0
    staged: int = 0

    def __bool__(self) -> bool:
        """Whether there was anything."""
        return bool(sum(self.objects.values()) or self.statuses or self.staged)

    def add(self, kind: Kind, info: ObjectInfo) -> None:
        """Count an object."""
        self.objects[kind] += 1
        self.size_bytes[kind] += info.size_bytes


def clean(
    parts: Parts, retention: Retention, at: datetime | None = None, *, dry_run: bool = False
) -> Cleaned:
    """Remove what has lived its life at the time ``at``; with ``dry_run`` only count it.

    Raises StoreError, QueueUnavailableError.
    """
    done = Cleaned()
    round_ = _Round(parts, retention, at or now(), dry_run, done)
    for place in _PLACES:
        for job_id, found in _by_job(parts, place):
            round_.one(job_id, found)
    if not dry_run:
        done.statuses = parts.board.prune()
        if isinstance(parts.store, Staging):
            done.staged = parts.store.sweep_staging(ABANDONED_S, lambda name: _is_open(parts, name))
    return done


def _is_open(parts: Parts, name: str) -> bool:
    """Whether a staged file is of a job that is unfinished."""
    job_id = layout.job_of_name(name)
    return job_id is not None and parts.store.stat(layout.open_key(job_id)) is not None


def _by_job(parts: Parts, place: str) -> Iterator[tuple[str, list[ObjectInfo]]]:
    """Yield the jobs that have objects at a place, each with these."""
    for job_id, found in groupby(parts.store.list(place), key=lambda info: layout.job_of(info.key)):
        if job_id is not None:
            yield job_id, list(found)


@dataclass
class _Round:
    """One look at everything; ``needed`` are the inputs of the jobs that are unfinished."""

    parts: Parts
    retention: Retention
    at: datetime
    dry_run: bool
    done: Cleaned
    needed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.needed = {key for key, _ in inputs_of_unfinished(self.parts)}

    def one(self, job_id: str, found: list[ObjectInfo]) -> None:
        """Remove what is over of a job's objects at one place, or of an upload's."""
        keys = {info.key for info in found}
        if layout.upload_record_key(job_id) in keys:
            self._upload(job_id, found)
            return
        if layout.removal_key(job_id) in keys:
            self._taken_up(job_id)
            return
        shortest_s = self.retention.shortest_s
        if not shortest_s or self.at - layout.made_at(job_id) < timedelta(seconds=shortest_s):
            return
        ending = self._ending(job_id)
        if ending is None:
            self._abandoned(job_id, found)
            return
        over = [info for info in found if self._is_over(info, ended_at(ending))]
        if layout.manifest_key(job_id) in {info.key for info in over}:
            self._forget(job_id)
        self._remove(sorted(over, key=lambda info: _turn(job_id, info.key)))

    def _taken_up(self, job_id: str) -> None:
        """Finish a removal that was interrupted; one that may be going on is left alone."""
        mark = self.parts.store.stat(layout.removal_key(job_id))
        manifest = self._manifest(job_id)
        if self.dry_run or mark is None or self.at - mark.updated_at < timedelta(seconds=TAKEN_UP_S):
            return
        if manifest is None:
            remove_all(self.parts.store, job_id)
            return
        with suppress(JobStateError):  # then it lives on
            remove_job(self.parts, manifest)

    def _ending(self, job_id: str) -> Ending | None:
        """Return how a job ended; None for one that is not wholly ended, or was never accepted."""
        for mark in (layout.open_key(job_id), layout.outbox_key(job_id)):
            if self.parts.store.stat(mark) is not None:
                return None
        return self.parts.records.ending(job_id)

    def _is_over(self, info: ObjectInfo, ended: datetime) -> bool:
        named = kind_of(info.key)
        if named is None or self._is_needed(info.key):
            return False
        return self.retention.is_over(named[1], ended, self.at)

    def _is_needed(self, key: str) -> bool:
        """Whether an object is an input of an unfinished job, or a part of one."""
        above = (key[:at] for at in range(len(key)) if key[at] == "/")
        return key in self.needed or not self.needed.isdisjoint(above)

    def _abandoned(self, job_id: str, found: list[ObjectInfo]) -> None:
        """Remove what an interrupted submission, or an interrupted removal, has left of a job."""
        if self._manifest(job_id) is not None or self.parts.store.stat(layout.open_key(job_id)) is not None:
            return
        oldest = self.at - timedelta(seconds=ABANDONED_S)
        self._remove([one for one in found if one.updated_at < oldest and not self._is_needed(one.key)])

    def _upload(self, upload_id: str, found: list[ObjectInfo]) -> None:
        """Remove a browser's upload that nobody has used for long, or that never came to its end."""
        whole = layout.upload_finished_key(upload_id)
        life_s = self.retention.inputs_s if whole in {info.key for info in found} else UNFINISHED_S
        used = any(self._is_needed(info.key) for info in found)
        if not life_s or used or self.at - last_use(found) < timedelta(seconds=life_s):
            return
        last = layout.upload_record_key(upload_id)
        self._remove(sorted(found, key=lambda info: 0 if info.key == whole else 2 if info.key == last else 1))

    def _forget(self, job_id: str) -> None:
        """Take back the idempotency key that stands for a job that is removed."""
        manifest = self._manifest(job_id)
        if manifest is not None and not self.dry_run:
            free_key(self.parts.store, manifest)

    def _manifest(self, job_id: str) -> Manifest | None:
        with suppress(JobNotFoundError):
            return self.parts.records.manifest(job_id)
        return None

    def _remove(self, over: Sequence[ObjectInfo]) -> None:
        last = last_of_folders(info.key for info in over)
        for info in over:
            named = kind_of(info.key)
            if named is None:
                continue
            self.done.add(named[1], info)
            if not self.dry_run:
                self.parts.store.delete(info.key, durable=info.key in last)


def _turn(job_id: str, key: str) -> int:
    """Return when an object goes: the manifest first, endings last."""
    endings = {layout.result_key(job_id), layout.failed_key(job_id), layout.cancelled_key(job_id)}
    if key == layout.manifest_key(job_id):
        return 0
    # The root's document stands for all of an image of many objects.
    return 3 if key in endings else 1 if tree_of(key) else 2
