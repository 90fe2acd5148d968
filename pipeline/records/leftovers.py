"""What attempts have left because they died or failed: parts of outputs in a bucket, and bands."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pipeline import layout
from pipeline.ports import ObjectStore

_AT_ONCE = 16


def clear_parts(store: ObjectStore, job_id: str, *, below: int | None = None) -> int:
    """Remove the parts of a job's attempts, of those below ``below`` alone if given; return how many.

    A stale attempt that is still at work misses them when it composes, and fails. Raises StoreError.
    """
    prefix = layout.parts_prefix(job_id)
    keys = [info.key for info in store.list(prefix)]
    old = [key for key in keys if below is None or _attempt(key, prefix) < below]
    for key in old:
        store.delete(key)
    return len(old)


def clear_bands(store: ObjectStore, job_id: str, *, attempt: int | None = None) -> int:
    """Remove the bands of a job that has ended, or those of one attempt; return how many objects those were.

    Raises StoreError.
    """
    keys = [info.key for info in store.list(layout.bands_prefix(job_id, attempt))]
    last = last_of_folders(keys)
    rest = [key for key in keys if key not in last]
    if rest:
        with ThreadPoolExecutor(_AT_ONCE, "delete") as pool:
            list(pool.map(lambda key: store.delete(key, durable=False), rest))
    for key in last:
        store.delete(key)
    return len(keys)


def last_of_folders(keys: Iterable[str]) -> set[str]:
    """Return the last key of each folder: removed for good, it takes a disk's folder along.

    So that a folder is put on the disk once, and not for each of its objects.
    """
    return set({key.rpartition("/")[0]: key for key in keys}.values())


def _attempt(key: str, prefix: str) -> int:
    number = key.removeprefix(prefix).partition("/")[0]
    return int(number) if number.isdecimal() else 0
