"""Removes all of a job that has ended because somebody asked for it, and never what an unfinished job needs.

A mark in the job's folder comes first, and then a look at the unfinished jobs. Whoever submits a job with an
input of another job's writes the new job down first, and then looks for that mark. So of a submission and
a removal at the same time one sees the other, and gives way. What data there is goes before the job's
manifest, and its ending and the mark last: an interrupted removal is asked for once more, or taken up by
``pipeline.keeping.cleaner``.
"""

from collections.abc import Iterator
from contextlib import suppress

from pipeline import layout
from pipeline.errors import JobNotFoundError, JobStateError, ObjectNotFoundError
from pipeline.images.trees import tree_of
from pipeline.models import Manifest
from pipeline.parts import Parts
from pipeline.ports import ObjectStore
from pipeline.records.leftovers import last_of_folders


def remove_job(parts: Parts, manifest: Manifest) -> None:
    """Remove what the service keeps of a job: input, results, records, and its status.

    What its user has named places for stays. Raises JobStateError where the job has not wholly ended, or an
    unfinished one needs what it made; StoreError, QueueUnavailableError.
    """
    job_id, store = manifest.id, parts.store
    _check_ended(parts, job_id)
    store.put_bytes(layout.removal_key(job_id), b"")
    try:
        _check_ended(parts, job_id)
        _check_unneeded(parts, job_id)
    except BaseException:
        store.delete(layout.removal_key(job_id))
        raise
    free_key(store, manifest)
    remove_all(store, job_id)
    parts.board.delete(job_id)


def free_key(store: ObjectStore, manifest: Manifest) -> None:
    """Take back the idempotency key that stands for a job, unless it stands for a later one by now.

    An interrupted removal has freed it before, and somebody may have submitted with it since. Raises
    StoreError.
    """
    if manifest.idempotency_key is None:
        return
    key = layout.idempotency_key(manifest.idempotency_key, manifest.user)
    with suppress(ObjectNotFoundError):
        if store.get_bytes(key) == manifest.id.encode():
            store.delete(key)


def remove_all(store: ObjectStore, job_id: str) -> None:
    """Remove all objects of a job, in the order that lets an interrupted removal be taken up again."""
    places = (*layout.places_of(job_id), layout.job_prefix(job_id))
    keys = sorted((info.key for place in places for info in store.list(place)), key=_turn)
    last = last_of_folders(keys)
    for key in keys:
        store.delete(key, durable=key in last)


def keep_or_cancel(parts: Parts, manifest: Manifest) -> None:
    """Cancel a job that has just been written down, and raise ObjectNotFoundError, if its input is going.

    To be called when the job is on record, and before it is queued.
    """
    owner = layout.job_of(manifest.input.key) if manifest.input.bucket is None else None
    if owner in {None, manifest.id} or parts.store.stat(layout.removal_key(str(owner))) is None:
        return
    parts.records.cancel(manifest.id)
    raise ObjectNotFoundError(f"{manifest.input.key} is being removed with job {owner}; upload it again")


def inputs_of_unfinished(parts: Parts) -> Iterator[tuple[str, str]]:
    """Yield the inputs of the jobs that are unfinished, each with its job's id.

    Of an image of many objects it is what all their keys begin with.
    """
    for marker in parts.store.list(layout.OPEN):
        with suppress(JobNotFoundError):
            manifest = parts.records.manifest(marker.key.removeprefix(layout.OPEN))
            if manifest.input.bucket is None:
                yield tree_of(manifest.input.key) or manifest.input.key, manifest.id


def _check_ended(parts: Parts, job_id: str) -> None:
    if parts.records.ending(job_id) is None:
        raise JobStateError(f"job {job_id} has not ended; cancel it first")
    marks = (layout.open_key(job_id), layout.outbox_key(job_id))
    if any(parts.store.stat(mark) is not None for mark in marks) or _may_be_held(parts, job_id):
        raise JobStateError(f"job {job_id} has ended just now, and is being put away; try again in a moment")


def _may_be_held(parts: Parts, job_id: str) -> bool:
    """Whether a worker may still be at it; one that takes up a job that is gone lets it go."""
    return bool(parts.records.standing(job_id).newest) and parts.queue.contains(job_id)


def _check_unneeded(parts: Parts, job_id: str) -> None:
    for key, other in inputs_of_unfinished(parts):
        if layout.job_of(key) == job_id:
            raise JobStateError(f"job {other} still needs {key} of job {job_id}; wait for it, or cancel it")


def _turn(key: str) -> tuple[int, str]:
    """Return when an object goes: data first, then the manifest, endings, and the mark last."""
    name = key.rpartition("/")[2]
    if not key.startswith("jobs/") or layout.owner_of_data(key):
        return 0, key
    late = ("job.json", "failed.json", "cancelled.json", "result.json", "removing")
    return (2 + late.index(name) if name in late else 1), key
