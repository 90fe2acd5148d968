"""What somebody can pick as an input without uploading it: objects below a place, and results of jobs."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, islice

from pipeline import layout
from pipeline.access.gate import Gate
from pipeline.access.refusals import log_refusal
from pipeline.errors import KeyRefusedError
from pipeline.images.folder_images import SUFFIX
from pipeline.images.trees import ROOT, tree_of
from pipeline.models import JobState, JobStatus, ObjectInfo
from pipeline.parts import Parts
from pipeline.ports import BucketStore, ObjectStore
from pipeline.submitting.outside import SCHEME, is_outside, searched

SHOWN = 200
"""Images that are listed at a time."""

LOOKED_AT = 20_000
"""Objects that are looked at for one list; a Zarr may have a great many."""


@dataclass(frozen=True)
class Found:
    """An image that could be an input: its URI, its name below the place, and the bytes of all of it."""

    uri: str
    name: str
    size_bytes: int


@dataclass(frozen=True)
class Listing:
    """Images below a place, in order of their keys; ``more`` if there are further ones."""

    found: tuple[Found, ...]
    more: bool


def places(parts: Parts, user: str) -> list[str]:
    """Return the URIs below which a user's inputs may lie, of the store and of further buckets."""
    base = parts.store.uri("x").removesuffix("x")
    roots = [f"{base}{root}" for root in parts.places.source_roots(user)]
    buckets = [f"{SCHEME}{bucket}/" for bucket in parts.places.buckets]
    return roots + (buckets if isinstance(parts.store, BucketStore) else [])


def images_below(parts: Parts, gate: Gate, user: str, place: str, suffixes: Sequence[str]) -> Listing:
    """Return the images below a URI whose names end in one of ``suffixes``, and Zarrs.

    Raises KeyRefusedError for a place that a user's inputs may not lie in, StoreError.
    """
    try:
        store, prefix = _searched(parts, user, place)
    except KeyRefusedError as error:
        log_refusal("list", error, place=place, user=user, person=gate.person.name if gate.person else None)
        raise
    ours = store is parts.store
    folder = prefix.rpartition("/")[0]
    images = _images(islice(store.list(prefix), LOOKED_AT), suffixes)
    allowed = (one for one in images if not (ours and one.key.startswith(layout.RECORDS)))
    found = list(islice(allowed, SHOWN + 1))
    return Listing(
        tuple(
            Found(
                store.uri(one.key), one.key.removeprefix(f"{folder}/") if folder else one.key, one.size_bytes
            )
            for one in found[:SHOWN]
        ),
        more=len(found) > SHOWN,
    )


def results(store: ObjectStore, statuses: Sequence[JobStatus]) -> list[tuple[JobStatus, Found]]:
    """Return the results of those jobs that have one which is still there."""
    found = []
    for status in statuses:
        if status.state is not JobState.SUCCEEDED or status.output_key is None:
            continue
        with suppress(KeyRefusedError):
            info = store.stat(status.output_key)
            if info is not None:
                key = tree_of(info.key) or info.key
                found.append((status, Found(store.uri(key), status.input_name, info.size_bytes)))
    return found


def _searched(parts: Parts, user: str, place: str) -> tuple[ObjectStore, str]:
    """Return the store that a place is in, and what its keys begin with there. Raises KeyRefusedError."""
    if is_outside(parts.store, place):
        return searched(parts.store, place, parts.places.buckets)
    prefix = parts.store.key_of(f"{place}x").removesuffix("x")
    parts.places.check_source(f"{prefix}x", user, parts.records.owner)
    return parts.store, prefix


def _images(found: Iterator[ObjectInfo], suffixes: Sequence[str]) -> Iterator[ObjectInfo]:
    """Yield the objects that are images by their names; of a Zarr's objects its root, as one."""
    for tree, members in groupby(found, key=lambda info: _tree(info.key)):
        if tree is None:
            yield from (info for info in members if info.key.lower().endswith(tuple(suffixes)))
            continue
        inside = list(members)
        if any(info.key == f"{tree}/{ROOT}" for info in inside):
            size_bytes = sum(info.size_bytes for info in inside)
            yield inside[0].model_copy(update={"key": tree, "size_bytes": size_bytes})


def _tree(key: str) -> str | None:
    """Return the Zarr that an object lies in, by the names of the folders alone."""
    at = key.lower().find(f"{SUFFIX}/")
    return key[: at + len(SUFFIX)] if at > 0 else None
