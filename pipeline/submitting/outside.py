"""Inputs that lie in a bucket other than the store's, and are used where they are."""

from fnmatch import fnmatchcase

from pipeline.decisions.places import no_bucket
from pipeline.errors import KeyRefusedError, ObjectNotFoundError
from pipeline.images.folder_images import named_as_folder
from pipeline.images.trees import reference_to, tree_info
from pipeline.models import ObjectInfo, ObjectRef
from pipeline.ports import BucketStore, ObjectStore

SCHEME = "gs://"
_WILD = "*"


def reference(store: ObjectStore, uri: str, allowed: tuple[str, ...]) -> ObjectRef:
    """Return an object of another bucket as it is now.

    Raises KeyRefusedError unless the bucket is one of ``allowed``, ObjectNotFoundError, StoreError.
    """
    bucket, key = _parts(uri)
    return reference_to(found_at(_bucket(store, uri, bucket, allowed), key, uri), bucket)


def found_at(store: ObjectStore, key: str, uri: str) -> ObjectInfo:
    """Return what is known of the object ``key``, or of the Zarr below it. Raises ObjectNotFoundError."""
    if named_as_folder(key):
        return tree_info(store, key.rstrip("/"))
    found = store.stat(key)
    if found is None:
        raise ObjectNotFoundError(f"there is no object {uri}; check the URI")
    return found


def is_outside(store: ObjectStore, uri: str) -> bool:
    """Whether a URI names a bucket's object that is not in the store."""
    return uri.startswith(SCHEME) and not uri.startswith(store.uri("x").removesuffix("x"))


def is_pattern(uri: str) -> bool:
    """Whether a URI stands for several objects of a bucket."""
    return uri.startswith(SCHEME) and _WILD in uri


def matching(store: ObjectStore, pattern: str, allowed: tuple[str, ...]) -> list[str]:
    """Return the URIs of the objects that a pattern such as ``gs://bucket/scans/*.tif`` stands for.

    A ``*`` goes over slashes too. Raises KeyRefusedError unless the bucket is the store's or one of
    ``allowed``, ObjectNotFoundError where there are none, StoreError.
    """
    start = pattern.partition(_WILD)[0]
    plain = pattern.replace("[", "[[]").replace("?", "[?]")  # only the star stands for anything
    if is_outside(store, pattern):
        bucket, prefix = _parts(f"{start}x")
        searched: ObjectStore = _bucket(store, pattern, bucket, allowed)
    else:
        searched, prefix = store, store.key_of(f"{start}x")
    found = [searched.uri(info.key) for info in searched.list(prefix.removesuffix("x"))]
    matched = [uri for uri in found if fnmatchcase(uri, plain)]
    if not matched:
        raise ObjectNotFoundError(f"no object matches {pattern}; check the pattern")
    return matched


def searched(store: ObjectStore, place: str, allowed: tuple[str, ...]) -> tuple[ObjectStore, str]:
    """Return the other bucket that ``gs://bucket/prefix`` is in, as a store, and the prefix, maybe empty.

    Raises KeyRefusedError unless the bucket is one of ``allowed``.
    """
    bucket, prefix = _parts(f"{place}x" if place.endswith("/") else f"{place}/x")
    return _bucket(store, place, bucket, allowed), prefix.removesuffix("x")


def bucket_of(store: ObjectStore, bucket: str) -> ObjectStore:
    """Return another bucket as a store. Raises KeyRefusedError where this store is in none."""
    if not isinstance(store, BucketStore):
        raise KeyRefusedError(f"{SCHEME}{bucket} cannot be reached from {store!r}, which is in no bucket")
    return store.beside(bucket)


def _bucket(store: ObjectStore, uri: str, bucket: str, allowed: tuple[str, ...]) -> ObjectStore:
    if bucket not in allowed:
        raise KeyRefusedError(f"{uri!r} is not in this store, and {no_bucket(bucket, allowed)}")
    return bucket_of(store, bucket)


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    if not bucket or not key:
        raise KeyRefusedError(f"{uri!r} names no object; write gs://bucket/name")
    return bucket, key
