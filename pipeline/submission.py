"""From a request to an accepted job: check, upload, write the manifest, queue."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mpi_stage.errors import MissingInputError
from mpi_stage.operations.grammar import parse, to_json
from pipeline import layout, statuses
from pipeline.errors import (
    InvalidJobError,
    KeyRefusedError,
    ObjectExistsError,
    QueueUnavailableError,
)
from pipeline.folder_images import is_folder_image
from pipeline.models import JobStatus, Lane, Manifest, ObjectInfo, ObjectRef, now
from pipeline.outside import found_at, is_outside, reference
from pipeline.parts import Parts
from pipeline.statuses import KNOWN_PIPELINES
from pipeline.trees import ROOT, put_tree, reference_to, tree_info
from pipeline.webhook_url import check_webhook

DEVICES = ("auto", "cpu", "gpu")
MAX_RANKS = 10_000
MAX_TEXT_CHARACTERS = 200
"""Longest idempotency key, user or batch."""

WRITERS = 8
"""Submissions of one call that write at the same time; what they wait for is the disk or the bucket."""

PORTION = 64
"""Jobs that are queued together: few enough that the first are worked on while others are written."""

PRIORITIES = range(-10, 11)
_RESERVED = ("jobs/", "keys/", layout.OPEN, layout.OUTBOX, layout.UPLOADS, layout.PARTS)


@dataclass(frozen=True)
class Order:
    """What somebody asks for; ``data`` stands in for the file at ``input`` where given.

    ``buckets`` are those beside the store's that the input may lie in.
    """

    input: str | Path
    steps: str | list[dict[str, Any]]
    user: str
    memory_bytes: int
    buckets: tuple[str, ...] = ()
    data: bytes | None = None
    input_name: str | None = None
    output: str | None = None
    priority: int = 0
    key: str | None = None
    batch: str | None = None
    webhook: str | None = None
    ranks: int | None = None
    device: str = "auto"
    block_rows: int | None = None
    page: int = 0
    plane: str | None = None
    level: int = 0
    compression: str | None = None
    quality: int | None = None
    tile: int | None = None
    format: str | None = None
    digest: bool = True


def submit(parts: Parts, order: Order) -> JobStatus:
    """Accept a job and queue it; the same job for the same user and idempotency key.

    Once the manifest is written the job is accepted. If Redis is away by then, reconciliation will
    queue it. Raises PipelineError, MissingInputError, InvalidJobError, KeyRefusedError, StoreError.
    """
    accepted = _accept(parts, order)
    if accepted.status is not None:
        return accepted.status
    return _queue(parts, [accepted.manifest])[0]


def submit_many(parts: Parts, orders: Iterable[Order]) -> list[JobStatus]:
    """Accept jobs and queue them, as :func:`submit` does, but many at a time.

    While one waits for the disk others are written. What fails is raised when all of its portion
    have been tried; what was accepted until then is queued. Raises as :func:`submit`.
    """
    done: list[JobStatus] = []
    remaining = iter(orders)
    with ThreadPoolExecutor(WRITERS, thread_name_prefix="submit") as writers:
        while portion := list(islice(remaining, PORTION)):
            tried = [writers.submit(_accept, parts, order) for order in portion]
            wait(tried)
            accepted = [one.result() for one in tried if one.exception() is None]
            fresh = iter(_queue(parts, [one.manifest for one in accepted if one.status is None]))
            done += [one.status or next(fresh) for one in accepted]
            for one in tried:
                one.result()
    return done


@dataclass(frozen=True)
class _Accepted:
    """A job on record; ``status`` where it was there before this submission, and need not be queued."""

    manifest: Manifest
    status: JobStatus | None


def _accept(parts: Parts, order: Order) -> _Accepted:
    """Write a job's manifest, or find the one that its idempotency key stands for."""
    steps = _steps_of(order.steps)
    _check(order)
    made_at = now()
    job_id = _reserved_id(parts, order, layout.new_job_id(made_at))
    known = _accepted(parts, job_id) if order.key else None
    manifest = known or _manifest(parts, order, steps, job_id, made_at)
    if known is None:
        try:
            parts.records.accept(manifest)
        except ObjectExistsError:
            # Two submissions with one key at once: the other's manifest was first.
            known = manifest = parts.records.manifest(job_id)
    if manifest.steps != steps:
        raise InvalidJobError(
            f"the key {order.key!r} stands for job {job_id}, which has other steps; use another key"
        )
    return _Accepted(manifest, _further(parts, manifest) if known is not None else None)


def _steps_of(given: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a pipeline as manifests have it. Raises PipelineError."""
    text = _stated(given) if isinstance(given, str) else json.dumps(to_json(parse(given)))
    steps: list[dict[str, Any]] = json.loads(text)
    return steps


@lru_cache(KNOWN_PIPELINES)
def _stated(text: str) -> str:
    return json.dumps(to_json(parse(text)))


def _manifest(
    parts: Parts, order: Order, steps: list[dict[str, Any]], job_id: str, made_at: datetime
) -> Manifest:
    """Return the manifest of a new job, whose input is an object by then."""
    name = layout.safe_name(order.input_name or _name_of(order.input))
    output_key, output_name = _output(parts, job_id, order.output, name)
    return Manifest(
        id=job_id,
        created_at=made_at,
        user=order.user,
        batch=order.batch,
        input=_input(parts, job_id, order, name),
        input_name=name,
        steps=steps,
        output_key=output_key,
        output_name=output_name,
        lane=Lane.GANG if order.ranks is not None and order.ranks > 1 else Lane.SINGLE,
        priority=order.priority,
        ranks=order.ranks,
        device=order.device,
        memory_bytes=order.memory_bytes,
        block_rows=order.block_rows,
        page=order.page,
        plane=order.plane,
        level=order.level,
        compression=order.compression,
        quality=order.quality,
        tile=order.tile,
        format=order.format,
        digest=order.digest,
        webhook=order.webhook,
        idempotency_key=order.key,
    )


def _further(parts: Parts, manifest: Manifest) -> JobStatus | None:
    """Return how far a job of an earlier submission is; None if nothing shows that it was queued."""
    with suppress(QueueUnavailableError):
        known = parts.board.get(manifest.id)
        if known is not None:
            return known
    ending = parts.records.ending(manifest.id)
    return statuses.ended(manifest, ending) if ending is not None else None


def _queue(parts: Parts, manifests: Sequence[Manifest]) -> list[JobStatus]:
    """Put accepted jobs into the queue; where Redis is away, reconciliation will."""
    waiting = [statuses.queued(manifest) for manifest in manifests]
    with suppress(QueueUnavailableError):
        parts.news.queued(waiting)
    return waiting


def _check(order: Order) -> None:
    if order.device not in DEVICES:
        raise InvalidJobError(f"device must be one of {', '.join(DEVICES)}, got {order.device!r}")
    if order.ranks is not None and not 1 <= order.ranks <= MAX_RANKS:
        raise InvalidJobError(f"ranks must be from 1 to {MAX_RANKS}, got {order.ranks}")
    if order.block_rows is not None and order.block_rows < 1:
        raise InvalidJobError(f"block_rows must be at least 1, got {order.block_rows}")
    for name, number in (("page", order.page), ("level", order.level)):
        if number < 0:
            raise InvalidJobError(f"{name} must be at least 0, got {number}")
    if order.priority not in PRIORITIES:
        raise InvalidJobError(f"priority must be from -10 to 10, got {order.priority}")
    for name, text in (("key", order.key), ("user", order.user), ("batch", order.batch)):
        if text is not None and not 1 <= len(text) <= MAX_TEXT_CHARACTERS:
            raise InvalidJobError(f"{name} must have 1 to {MAX_TEXT_CHARACTERS} characters, got {len(text)}")
    if order.webhook is not None:
        check_webhook(order.webhook)


def _reserved_id(parts: Parts, order: Order, fresh: str) -> str:
    """Return the id that the idempotency key stands for, which is ``fresh`` if the key is new."""
    if order.key is None:
        return fresh
    key = layout.idempotency_key(order.key, order.user)
    try:
        parts.store.put_bytes(key, fresh.encode(), create_only=True)
    except ObjectExistsError:
        return parts.store.get_bytes(key).decode()
    return fresh


def _accepted(parts: Parts, job_id: str) -> Manifest | None:
    if parts.store.stat(layout.manifest_key(job_id)) is None:
        return None
    return parts.records.manifest(job_id)


def _is_uri(text: str | Path) -> bool:
    return isinstance(text, str) and "://" in text


def _name_of(given: str | Path) -> str:
    text = str(given).rstrip("/")
    return unquote(text) if _is_uri(given) else text


def _input(parts: Parts, job_id: str, order: Order, name: str) -> ObjectRef:
    """Return the input as an object, uploaded if it is none yet."""
    if _is_uri(order.input) and order.data is None:
        if is_outside(parts.store, str(order.input)):
            return reference(parts.store, str(order.input), order.buckets)
        key = parts.store.key_of(str(order.input).rstrip("/"))
        return reference_to(found_at(parts.store, key, str(order.input)))
    key = layout.upload_key(job_id, name)
    try:
        if order.data is not None:
            return reference_to(parts.store.put_bytes(key, order.data, create_only=True))
        path = Path(order.input)
        if path.is_dir():
            return reference_to(_put_folder(parts, key, path))
        if not path.is_file():
            raise MissingInputError(f"there is no file {path}; check the path")
        return reference_to(parts.store.put_file(key, path, create_only=True))
    except ObjectExistsError:
        # An earlier submission with the same idempotency key got as far as this.
        found = parts.store.stat(key)
        if found is None:
            raise
        return reference_to(found)


def _put_folder(parts: Parts, key: str, path: Path) -> ObjectInfo:
    """Upload an image that is a folder; one that an earlier submission has begun, once more."""
    if not is_folder_image(path):
        raise InvalidJobError(f"{path} is a folder and no Zarr; name one image in it")
    if parts.store.stat(f"{key}/{ROOT}") is not None:
        return tree_info(parts.store, key)
    return put_tree(parts.store, key, path)


def _output(parts: Parts, job_id: str, uri: str | None, name: str) -> tuple[str, str]:
    """Return key and name of the output; a URI that ends in ``/`` is a folder."""
    if uri is None:
        return f"{layout.job_prefix(job_id)}output-{name}", name
    if not _is_uri(uri):
        root = parts.store.uri("x").removesuffix("x")
        raise KeyRefusedError(f"{uri!r} is no URI; write the place of the output as {root}folder/name")
    key = parts.store.key_of(uri + name if uri.endswith("/") else uri)
    if key.startswith(_RESERVED):
        raise KeyRefusedError(f"{uri!r} lies where the service keeps its records; choose another folder")
    return key, key.rsplit("/", 1)[-1]
