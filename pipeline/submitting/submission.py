"""From a request to an accepted job: check, upload, write the manifest, queue."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from mpi_stage.errors import StageError
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline import layout
from pipeline.access.refusals import log_refusal
from pipeline.decisions.places import is_uri
from pipeline.errors import (
    HalorowError,
    InvalidJobError,
    KeyRefusedError,
    ObjectExistsError,
    QueueUnavailableError,
    QuotaError,
    StoreError,
)
from pipeline.keeping.lending import lend
from pipeline.keeping.removal import keep_or_cancel
from pipeline.models import JobStatus, Manifest, ObjectRef, Share, now
from pipeline.parts import Parts
from pipeline.ports import GatheringStore
from pipeline.records import statuses
from pipeline.records.statuses import KNOWN_PIPELINES
from pipeline.submitting.inputs import counted_pixels, found_input, name_of, uploaded_input
from pipeline.submitting.orders import Order, check_order

WRITERS = 8
"""Submissions of one call that write at the same time; what they wait for is the disk or the bucket."""

FIRST_PORTION = 8
"""Jobs of the first portion, with which idle workers begin; each is twice as large as the one before."""

PORTION = 64
"""Jobs that are queued together: few enough that the first are worked on while others are written."""


def submit(parts: Parts, order: Order) -> JobStatus:
    """Accept a job and queue it; the same job for the same user and idempotency key.

    Once the manifest is written the job is accepted. If Redis is away by then, reconciliation will
    queue it. Raises PipelineError, MissingInputError, InvalidJobError, KeyRefusedError, StoreError; where
    there are limits QuotaError, and QueueUnavailableError if Redis cannot say what is in the queue.
    """
    accepted = _kept(parts, _accept(parts, order))
    if accepted.status is not None:
        return accepted.status
    return _queue(parts, [accepted.manifest])[0]


def submit_many(parts: Parts, orders: Iterable[Order]) -> list[JobStatus]:
    """Accept jobs and queue them, as :func:`submit` does, but many at a time.

    A portion is put into the store together where the store can do that; else, while one waits for it,
    others are written. What fails is raised when all of its portion have been tried; what was accepted
    until then is queued. Raises as :func:`submit`.
    """
    done: list[JobStatus] = []
    remaining, portion_jobs = iter(orders), FIRST_PORTION
    with ThreadPoolExecutor(WRITERS, thread_name_prefix="submit") as writers:
        while portion := list(islice(remaining, portion_jobs)):
            tried = [_try_kept(parts, one) for one in _try_all(parts, portion, writers)]
            accepted = [one for one in tried if isinstance(one, _Accepted)]
            fresh = iter(_queue(parts, [one.manifest for one in accepted if one.status is None]))
            done += [one.status or next(fresh) for one in accepted]
            for one in tried:
                if isinstance(one, BaseException):
                    raise one
            portion_jobs = min(2 * portion_jobs, PORTION)
    return done


@dataclass(frozen=True)
class _Accepted:
    """A job on record; ``status`` where it was there before this submission, and need not be queued."""

    manifest: Manifest
    status: JobStatus | None


_Tried = _Accepted | Exception


def _try_all(parts: Parts, orders: Sequence[Order], writers: Executor) -> list[_Tried]:
    """Accept jobs, and return for each that it is, or why not."""
    if not isinstance(parts.store, GatheringStore) or any(order.key for order in orders):
        # A key may stand for a job that is there already, and what is put together is found by nobody yet.
        return list(writers.map(partial(_try, parts), orders))
    try:
        with parts.store.together() as store:
            tried = [_try(replace(parts, store=store), order) for order in orders]
    except StoreError as error:
        return [error]
    return tried


def _try(parts: Parts, order: Order) -> _Tried:
    try:
        return _accept(parts, order)
    except (HalorowError, StageError, OSError) as error:
        return error


def _try_kept(parts: Parts, tried: _Tried) -> _Tried:
    try:
        return _kept(parts, tried) if isinstance(tried, _Accepted) else tried
    except StoreError as error:
        return error


def _kept(parts: Parts, accepted: _Accepted) -> _Accepted:
    """Return a job that is on record, unless its input is being removed: then it is taken back."""
    if accepted.status is None:
        keep_or_cancel(parts, accepted.manifest)
    return accepted


def _accept(parts: Parts, order: Order) -> _Accepted:
    """Write a job's manifest, or find the one that its idempotency key stands for; log a refusal."""
    try:
        return _accept_or_refuse(parts, order)
    except (KeyRefusedError, QuotaError, InvalidJobError) as error:
        log_refusal("submission", error, user=order.user, input=str(order.input), output=order.output)
        raise


def _accept_or_refuse(parts: Parts, order: Order) -> _Accepted:
    steps = _steps_of(order.steps)
    check_order(order)
    made_at = now()
    job_id = _reserved_id(parts, order, layout.new_job_id(made_at))
    known = _accepted(parts, job_id) if order.key else None
    if known is not None:
        manifest = known
    else:
        found = found_input(parts, order)
        if found is not None:
            lend(parts, found, made_at)
        pixels = counted_pixels(parts, order, found)
        with _place(parts, order, job_id, pixels):
            manifest = _manifest(parts, order, steps, job_id, made_at, pixels, found)
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


@contextmanager
def _place(parts: Parts, order: Order, job_id: str, pixels: int) -> Iterator[None]:
    """Keep a place in the queue while a job is written down, where there are limits. Raises QuotaError."""
    if not order.limits:
        yield
        return
    if 0 < order.limits.user_pixels < pixels:
        raise InvalidJobError(
            f"{order.input} has {pixels} pixels, and a user may have {order.limits.user_pixels} in the"
            " queue (user_queued_pixels); cut it into parts, or ask the operator for more"
        )
    lane = order.lane
    parts.queue.admit(lane, job_id, Share(user=order.user, pixels=pixels), order.limits)
    try:
        yield
    except BaseException:
        with suppress(QueueUnavailableError):
            parts.queue.withdraw(lane, job_id)
        raise


def _manifest(  # noqa: PLR0917  (what it is made of)
    parts: Parts,
    order: Order,
    steps: list[dict[str, Any]],
    job_id: str,
    made_at: datetime,
    pixels: int,
    found: ObjectRef | None,
) -> Manifest:
    """Return the manifest of a new job, whose input is an object by then: ``found``, or uploaded."""
    name = layout.safe_name(order.input_name or name_of(order.input))
    output_key, output_name = _output(parts, job_id, order.user, order.output, name)
    return Manifest(
        id=job_id,
        created_at=made_at,
        user=order.user,
        batch=order.batch,
        input=found or uploaded_input(parts, job_id, order, name),
        input_name=name,
        pixels=pixels,
        steps=steps,
        output_key=output_key,
        output_name=output_name,
        lane=order.lane,
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


def _output(parts: Parts, job_id: str, user: str, uri: str | None, name: str) -> tuple[str, str]:
    """Return key and name of the output; a URI that ends in ``/`` is a folder."""
    if uri is None:
        return f"{layout.job_prefix(job_id)}output-{name}", name
    if not is_uri(uri):
        root = parts.store.uri("x").removesuffix("x")
        raise KeyRefusedError(f"{uri!r} is no URI; write the place of the output as {root}folder/name")
    key = parts.store.key_of(uri + name if uri.endswith("/") else uri)
    parts.places.check_sink(key, job_id, user)
    return key, key.rsplit("/", 1)[-1]
