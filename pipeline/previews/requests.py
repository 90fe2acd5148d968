"""What the stage is asked about an image that is no job's input yet."""

from dataclasses import replace
from pathlib import Path

from mpi_stage.contract import Budget, Request
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline import layout
from pipeline.attempts.place import generation_of, input_address
from pipeline.config import Settings
from pipeline.errors import ObjectNotFoundError
from pipeline.images.trees import ROOT
from pipeline.models import Manifest, ObjectRef
from pipeline.parts import Parts
from pipeline.ports import BucketStore
from pipeline.submitting.budgets import job_budget
from pipeline.submitting.inputs import found_input, name_of
from pipeline.submitting.orders import Order


def preview_request(parts: Parts, settings: Settings, order: Order) -> tuple[Request, str]:
    """Return the request of the job that an order would become, and what names the input's content.

    Nothing is written, so the request has no output. Raises KeyRefusedError for what the order's user may
    not read, ObjectNotFoundError, StoreError, PipelineError.
    """
    found = found_input(parts, order)
    if found is None:
        raise ObjectNotFoundError(f"{order.input} is no object of the store; upload it first")
    store = parts.store
    request = Request(
        job="preview",
        input=_place(parts, found),
        output="",
        output_name=layout.safe_name(order.input_name or name_of(order.input)),
        steps=to_json(parse(order.steps)) if order.steps else [],
        device="cpu",
        memory_bytes=order.memory_bytes,
        page=order.page,
        plane=order.plane,
        level=order.level,
        access=store.access() if isinstance(store, BucketStore) else None,
        budget=job_budget(settings),
    )
    return request, generation_of(found)


def tile_request(
    parts: Parts, budget: Budget, found: ObjectRef, manifest: Manifest | None
) -> tuple[Request, str]:
    """Return the request for tiles of an object, and what names the object's content.

    ``manifest`` says which image of the object it is; without one it is the first. Raises
    ObjectNotFoundError, StoreError.
    """
    store = parts.store
    request = Request(
        job="tiles",
        input=_place(parts, found),
        output="",
        output_name=layout.safe_name(found.key),
        steps=[],
        device="cpu",
        access=store.access() if isinstance(store, BucketStore) else None,
        budget=budget,
    )
    if manifest is not None:
        request = replace(request, page=manifest.page, plane=manifest.plane, level=manifest.level)
    return request, generation_of(found)


def _place(parts: Parts, found: ObjectRef) -> str:
    """Return the path or the address of an input. Raises ObjectNotFoundError."""
    if isinstance(parts.store, BucketStore):
        return input_address(parts.store, found)
    path = parts.store.local_path(found.key)
    if path is None:
        raise ObjectNotFoundError(f"{found.key} is on no disk of this machine; there is no preview of it")
    return str(path.parent if Path(found.key).name == ROOT else path)
