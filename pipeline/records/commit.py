"""The one place where a result becomes visible, and where it is put where the user wants it."""

import tempfile
from pathlib import Path

from pipeline import layout
from pipeline.errors import ObjectExistsError, RunCancelledError, StaleFenceError
from pipeline.images.trees import copy_tree, remove_image, tree_of
from pipeline.models import Manifest, Result
from pipeline.ports import BucketStore, ObjectStore
from pipeline.records.jobs import JobRecords


def commit(records: JobRecords, result: Result) -> Result | None:
    """Make ``result`` the visible one; return the one that is, an earlier attempt's if that was there first.

    Raises RunCancelledError where the job is to stop, and StaleFenceError when a newer attempt has
    been taken up or has committed: what follows is its holder's. What this attempt made is dropped
    then. The check alone could not keep two attempts from committing, since this process may be
    stopped right after it for as long as a rival takes; the create-only write does.
    """
    standing = records.standing(result.job_id)
    if standing.cancelled:
        remove_image(records.store, result.output.key)
        raise RunCancelledError(f"job {result.job_id} was cancelled")
    if standing.newest > result.attempt:
        raise _stale(records, result, "begun")
    try:
        records.commit(result)
    except ObjectExistsError:
        winner = records.result(result.job_id)
        if winner is not None and winner.attempt > result.attempt:
            raise _stale(records, result, "committed") from None
        if winner is not None and winner.output.key != result.output.key:
            remove_image(records.store, result.output.key)
        return winner
    return result


def _stale(records: JobRecords, result: Result, done: str) -> StaleFenceError:
    """Remove what a stale attempt has made; return the error that says so."""
    remove_image(records.store, result.output.key)
    return StaleFenceError(
        f"attempt {result.attempt} at job {result.job_id} came back after a newer one had {done};"
        " its result is not used"
    )


def publish(store: ObjectStore, manifest: Manifest, result: Result) -> None:
    """Copy a committed result to the place that the user named, if it is another than its own.

    Done only after the commit, so that nothing of a failed, cancelled or stale attempt ever lies
    there; doing it twice is harmless, and reconciliation does it for whoever died in between.
    """
    tree = tree_of(result.output.key)
    if not is_published_apart(manifest, result):
        return
    if tree is not None:
        copy_tree(store, tree, manifest.output_key)
        return
    if isinstance(store, BucketStore):
        store.copy(result.output.key, manifest.output_key, generation=result.output.generation)
        return
    path = store.local_path(result.output.key)
    if path is not None:
        store.put_file(manifest.output_key, path)
        return
    with tempfile.TemporaryDirectory(prefix="halorow-") as folder:
        copy = Path(folder) / "result"
        store.fetch(result.output.key, copy, generation=result.output.generation)
        store.put_file(manifest.output_key, copy)


def is_published_apart(manifest: Manifest, result: Result) -> bool:
    """Whether the user has named another place for the result than its own."""
    return published_key(manifest, result) == manifest.output_key


def published_key(manifest: Manifest, result: Result) -> str:
    """Return where the user finds the result: the place asked for, else the result's own.

    Of an image of many objects it is what all their keys begin with.
    """
    if manifest.output_key.startswith(layout.job_prefix(manifest.id)):
        return tree_of(result.output.key) or result.output.key
    return manifest.output_key
