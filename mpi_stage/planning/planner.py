"""A pipeline compiled for one image: steps, passes, blocks and memory; pure, reads no pixel."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import Step, to_json
from mpi_stage.planning.fitting import RankMemory
from mpi_stage.planning.memory import TYPICAL_PROGRAM_BYTES
from mpi_stage.planning.passes import fuse
from mpi_stage.planning.plan import InputFacts, OutputFacts, Plan, PlannedStep, spec_json, unit_of
from mpi_stage.planning.planned_steps import plan_steps

PLAN_VERSION = 1
FIRST_IMAGE = (0, None, 0)


def make_plan(
    steps: Sequence[Step],
    source: InputFacts,
    sink: OutputFacts,
    *,
    ranks: int,
    memory_bytes: int,
    block_rows: int | None = None,
    upright: Sequence[Step] = (),
    nodata: float | None = None,
    chosen: tuple[int, str | None, int] = FIRST_IMAGE,
    program_bytes: int = TYPICAL_PROGRAM_BYTES,
) -> Plan:
    """Compile ``steps`` for an image that the steps of ``upright`` bring upright first.

    ``chosen`` is the page, the plane and the level that were asked for of the input's file,
    ``program_bytes`` the anonymous memory that a rank has before it begins.
    Raises UnsupportedImageError where a step cannot take what it would get, LimitError where one
    rank would need more than ``memory_bytes``, with both numbers and what would fit.
    """
    spec, all_steps = source.spec, (*upright, *steps)
    planned = tuple(_masked(one, spec, nodata) for one in plan_steps(all_steps, spec))
    passes = tuple(fuse(planned, spec, ranks))
    memory = RankMemory(passes, source, sink, ranks, memory_bytes, program_bytes)
    model = memory.choose(block_rows)
    in_memory = memory.holds_slabs(model)
    return Plan(
        hash=_hash(all_steps, spec, nodata, chosen),
        steps=tuple(steps),
        before=spec,
        after=passes[-1].after,
        passes=passes,
        ranks=ranks,
        row_unit=unit_of(sink),
        block_rows=model.block_rows,
        slabs_in_memory=in_memory,
        peak_bytes=model.peak_bytes(slabs_in_memory=in_memory),
        cost_s=sum(step.cost_s for step in planned),
        divisible=source.divisible and sink.divisible,
        upright=tuple(upright),
        notes=_notes(steps, nodata),
    )


def _masked(one: PlannedStep, spec: ImageSpec, nodata: float | None) -> PlannedStep:
    """Tell a step which value to leave out, where it can and the values still mean the same."""
    if nodata is None or one.operation.masked is None or one.before.dtype != spec.dtype:
        return one
    return replace(one, nodata=nodata)


def _notes(steps: Sequence[Step], nodata: float | None) -> tuple[str, ...]:
    """Say which steps treat pixels without data like all others."""
    ignoring = dict.fromkeys(
        step.operation.name
        for step in steps
        if step.operation.masked is None and not step.operation.moves_values
    )
    if nodata is None or not ignoring:
        return ()
    return (f"the input's nodata value, {nodata:g}, is a value like any other to {', '.join(ignoring)}",)


def _hash(
    steps: Sequence[Step], spec: ImageSpec, nodata: float | None, chosen: tuple[int, str | None, int]
) -> str:
    body: dict[str, Any] = {"version": PLAN_VERSION, "steps": to_json(steps), "image": spec_json(spec)}
    if chosen != FIRST_IMAGE:
        body["chosen"] = list(chosen)
    if nodata is not None:
        body["nodata"] = repr(nodata)
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
