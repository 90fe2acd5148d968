"""A pipeline compiled for one image: passes, halos, memory and cost; pure, reads no pixel."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from mpi_stage.errors import LimitError, UnsupportedImageError
from mpi_stage.gpu import Gpu
from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS, ImageSpec
from mpi_stage.memory import TYPICAL_PROGRAM_BYTES, MemoryModel, predict_peak
from mpi_stage.operations.declaration import Border, Channels, Operation, Pattern
from mpi_stage.operations.grammar import Step, to_json, to_text
from mpi_stage.operations.index import find
from mpi_stage.operations.values import fill_value
from mpi_stage.partition import Partition

PLAN_VERSION = 1
FIRST_IMAGE = (0, None, 0)

BLOCK_TARGET_BYTES = 6 << 20
"""Of a block of the widest rows of a pass: where the work per tile and call no longer counts.

On rows of 8,192 to 32,768 RGB pixels in tiles a Gaussian took 15 to 25 % less time than with blocks of
2 MiB, which fit in a level-2 cache; twice as much brought 5 to 10 % more, for twice the memory.
"""

BLOCK_TARGET_S = 0.5
"""Blocks of slow steps are lower, so that progress is told of while they are at work."""

LEAST_BLOCK_ROWS = 16
"""Lower blocks would mostly be halo rows and calls."""

BLOCK_HALO_RATIO = 4
"""A block has at least this many times the halo's rows, so that kernels do little work twice."""

FUSE_LIMIT_FRACTION = 0.25
"""Steps are fused only while the rows that a rank computes twice stay below this part of its slab."""

MOST_DOUBLINGS = 6
"""Of the number of ranks, in search of one with which a plan would fit."""


class ModelOf(Protocol):
    """The memory of a rank, by the rows of a block and the number of ranks (the plan's if None)."""

    def __call__(self, rows: int, of: int | None = None) -> MemoryModel:
        """Build the model."""


_CHANNELS_TAKEN = {
    Channels.GRAY: (1,),
    Channels.GRAY_OR_COLOUR: (1, COLOUR_CHANNELS, ALPHA_CHANNELS),
    Channels.COLOUR: (COLOUR_CHANNELS, ALPHA_CHANNELS),
}


class InputFacts(Protocol):
    """What planning needs of an input: a header of ``mpi_stage.formats`` has it."""

    @property
    def spec(self) -> ImageSpec:
        """The image's size and type."""

    @property
    def divisible(self) -> bool:
        """Whether every rank can read its own rows."""

    @property
    def rereadable(self) -> bool:
        """Whether rows had better be read anew than kept."""

    @property
    def windowed(self) -> bool:
        """Whether some pixels of a row can be read without the others."""

    @property
    def decode_bytes(self) -> int:
        """The most memory that reading needs beside the rows asked for."""


class OutputFacts(Protocol):
    """What planning needs of an output: a sink's plan has it."""

    @property
    def divisible(self) -> bool:
        """Whether every rank writes its own rows."""

    @property
    def row_unit(self) -> int:
        """Slab boundaries must be multiples of this."""

    @property
    def encode_bytes(self) -> int:
        """The most memory that writing needs on one rank."""


@dataclass(frozen=True)
class PlannedStep:
    """A step with the image before and after it.

    ``halo`` is in rows and columns. ``keeps_alpha``: the kernel sees the channels before the alpha
    channel, which goes around it. ``applies`` is, for the point half of a reduce step, the number of
    the measurement it needs. ``nodata`` is the value of pixels that the kernel is to leave out.
    """

    step: Step
    before: ImageSpec
    after: ImageSpec
    halo: int = 0
    keeps_alpha: bool = False
    applies: int | None = None
    nodata: float | None = None

    @property
    def operation(self) -> Operation:
        """The step's operation."""
        return self.step.operation

    @property
    def kernel_spec(self) -> ImageSpec:
        """What the kernel sees: the image before, less an alpha channel that goes around it."""
        return self.before.with_channels(COLOUR_CHANNELS) if self.keeps_alpha else self.before

    @property
    def border(self) -> Border:
        """The step's border; only for steps that look at neighbours."""
        return Border(str(self.step.params.get("border") or Border.MIRROR))

    @property
    def fill(self) -> float:
        """The value outside the image with a constant border, rounded and clipped to the type."""
        return fill_value(self.step.params, self.before)

    @property
    def cost_s(self) -> float:
        """Predicted core seconds for the whole image."""
        return self.operation.cost(self.step.params, self.before) * self.before.pixels * 1e-9


@dataclass(frozen=True)
class Pass:
    """One streamed sweep: fused steps, then what ends it.

    ``ending`` is None for the last pass, else the reduce step that measures the rows or the global
    step that is handed them. ``measurement`` numbers the reduce steps of a plan.
    ``gpu`` is this rank's part of the GPU that the steps run on, None where they run on the CPU;
    ``why_cpu`` says why, where a GPU was looked for.
    """

    before: ImageSpec
    after: ImageSpec
    steps: tuple[PlannedStep, ...]
    ending: PlannedStep | None
    measurement: int | None = None
    gpu: Gpu | None = None
    why_cpu: str | None = None

    @property
    def halo_rows(self) -> int:
        """Rows needed above and below a slab: the sum of the steps' halos."""
        return sum(step.halo for step in self.steps)

    @property
    def periodic(self) -> bool:
        """Whether the image repeats itself above and below (border ``wrap``)."""
        return any(step.halo and step.border is Border.WRAP for step in self.steps)


@dataclass(frozen=True)
class Plan:
    """What will be done to one image, and what it takes.

    ``hash`` names the pipeline, the image's size and type, and which image of its file it is; it does
    not depend on ranks or memory.
    ``upright`` are the steps before all others that carry out the input's EXIF orientation.
    ``peak_bytes`` is the predicted anonymous memory of the rank that needs most.
    """

    hash: str
    steps: tuple[Step, ...]
    before: ImageSpec
    after: ImageSpec
    passes: tuple[Pass, ...]
    ranks: int
    row_unit: int
    block_rows: int
    slabs_in_memory: bool
    peak_bytes: int
    cost_s: float
    divisible: bool
    upright: tuple[Step, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def images(self) -> list[ImageSpec]:
        """The images before, between and after the steps."""
        return _images(self.passes)

    def partition(self, spec: ImageSpec) -> Partition:
        """Return how the rows of an image of this plan are dealt.

        Images of as many rows are dealt alike; only one as high as the result must fit the sink.
        """
        return deal(spec, self.after, self.ranks, self.row_unit)

    def to_json(self) -> dict[str, Any]:
        """Return the plan for people and for the service."""
        return {
            "hash": self.hash,
            "steps": to_json(self.steps),
            "pipeline": to_text(self.steps),
            "upright": to_text(self.upright),
            "input": _spec_json(self.before),
            "output": _spec_json(self.after),
            "passes": [_pass_json(one) for one in self.passes],
            "ranks": self.ranks,
            "block_rows": self.block_rows,
            "slabs": "memory" if self.slabs_in_memory else "scratch",
            "peak_bytes_per_rank": self.peak_bytes,
            "cost_core_s": round(self.cost_s, 6),
            "divisible": self.divisible,
            "notes": list(self.notes),
        }


def deal(spec: ImageSpec, result: ImageSpec, ranks: int, row_unit: int) -> Partition:
    """Return how the rows of an image are dealt, in units of the sink's where it is as high as the result."""
    return Partition(spec.rows, ranks, row_unit if spec.rows == result.rows else 1)


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
    spec = source.spec
    unit = sink.row_unit if sink.divisible else 1
    planned = tuple(_masked(one, spec, nodata) for one in plan_steps((*upright, *steps), spec))
    passes = tuple(_passes(planned, spec, ranks))
    after = passes[-1].after

    def model_of(rows: int, of: int | None = None) -> MemoryModel:
        def dealt(image: ImageSpec) -> Partition:
            return deal(image, after, of or ranks, unit)

        return MemoryModel.of(passes, source, sink, dealt, rows, program_bytes=program_bytes)

    model = _choose(model_of, block_rows, _block_rows(passes), memory_bytes)
    rows = model.block_rows
    in_memory = model.peak_bytes(slabs_in_memory=True) <= memory_bytes
    peak = predict_peak(model, slabs_in_memory=in_memory)
    if peak > memory_bytes:
        raise LimitError(_too_big(model, peak, memory_bytes, _remedies(model_of, rows, ranks, memory_bytes)))
    return Plan(
        hash=_hash((*upright, *steps), spec, nodata, chosen),
        steps=tuple(steps),
        before=spec,
        after=after,
        passes=passes,
        ranks=ranks,
        row_unit=unit,
        block_rows=rows,
        slabs_in_memory=in_memory,
        peak_bytes=peak,
        cost_s=sum(step.cost_s for step in planned),
        divisible=source.divisible and sink.divisible,
        upright=tuple(upright),
        notes=_notes(steps, nodata),
    )


def check_step(step: Step, spec: ImageSpec) -> ImageSpec:
    """Return the image after one step. Raises UnsupportedImageError if the step cannot take ``spec``."""
    *_, last = plan_steps([step], spec)
    return last.after


def plan_steps(steps: Sequence[Step], spec: ImageSpec) -> Iterator[PlannedStep]:
    """Yield the steps with those that the plan puts before them, and their images.

    Raises UnsupportedImageError where a step cannot take what it would get.
    """
    for step in steps:
        operation = step.operation
        result = operation.output(spec, step.params)
        _check(operation, spec)
        for inner in _before(step, spec):
            yield _plan_one(inner, spec)
            spec = inner.operation.output(spec, inner.params)
        operation.check(step.params, spec)
        yield _plan_one(step, spec, result)
        spec = result


def _before(step: Step, spec: ImageSpec) -> Iterator[Step]:
    operation = step.operation
    if operation.gray_inside and spec.channels != 1:
        yield Step(find("grayscale"), {})
        spec = spec.with_channels(1)
    for name, params in operation.prepare(step.params, spec):
        yield Step(find(name), dict(params))


def _plan_one(step: Step, before: ImageSpec, after: ImageSpec | None = None) -> PlannedStep:
    operation = step.operation
    after = after or operation.output(before, step.params)
    neighbours = operation.pattern is not Pattern.GLOBAL
    keeps_alpha = before.has_alpha and after.has_alpha and neighbours and not operation.sees_alpha
    halo = operation.halo(step.params, before) if operation.pattern is Pattern.STENCIL else 0
    return PlannedStep(step, before, after, halo, keeps_alpha)


def _check(operation: Operation, spec: ImageSpec) -> None:
    """Raise UnsupportedImageError unless the operation takes the image."""
    if spec.dtype not in operation.types:
        raise UnsupportedImageError(
            f"{operation.name} takes {', '.join(operation.types)}; it would get {spec.dtype}"
        )
    taken = _CHANNELS_TAKEN.get(
        Channels.GRAY_OR_COLOUR
        if operation.gray_inside and operation.channels is Channels.ANY
        else operation.channels
    )
    if taken and spec.channels not in taken:
        counts = " or ".join(str(count) for count in taken)
        raise UnsupportedImageError(f"{operation.name} takes {counts} channels; it would get {spec.channels}")


def _passes(planned: Sequence[PlannedStep], spec: ImageSpec, ranks: int) -> Iterator[Pass]:
    """Fuse neighbouring point and stencil steps; reduce and global steps end a pass."""
    open_steps: list[PlannedStep] = []
    start, measurements = spec, 0
    for one in planned:
        pattern = one.operation.pattern
        if pattern is Pattern.REDUCE:
            yield Pass(start, one.before, tuple(open_steps), one, measurements)
            open_steps = [_applying(one, measurements)]
            start, measurements = one.before, measurements + 1
        elif pattern is Pattern.GLOBAL:
            yield Pass(start, one.before, tuple(open_steps), one)
            open_steps, start = [], one.after
        else:
            if open_steps and not _fuses(open_steps, one, max(1, one.before.rows // ranks)):
                yield Pass(start, one.before, tuple(open_steps), None)
                open_steps, start = [], one.before
            open_steps.append(one)
    end = planned[-1].after if planned else spec
    yield Pass(start, end, tuple(open_steps), None)


def _applying(one: PlannedStep, measurement: int) -> PlannedStep:
    return PlannedStep(one.step, one.before, one.after, 0, one.keeps_alpha, measurement)


def _fuses(open_steps: Sequence[PlannedStep], one: PlannedStep, slab_rows: int) -> bool:
    """Whether a step joins the open pass: same topology, and little would be computed twice."""
    stencils = [step for step in open_steps if step.halo]
    if not one.halo or not stencils:
        return True
    if (one.border is Border.WRAP) != (stencils[0].border is Border.WRAP):
        return False
    return 2 * one.halo <= FUSE_LIMIT_FRACTION * slab_rows or one.halo <= BLOCK_HALO_RATIO


def _block_rows(passes: Sequence[Pass]) -> int:
    """Choose how many rows go through a pass at once."""
    images = _images(passes)
    widest = max(image.row_bytes for image in images)
    halo = max((step.halo for one in passes for step in one.steps), default=0)
    rows = max(image.rows for image in images)
    slowest_s = max(sum(step.cost_s for step in one.steps) / one.before.rows for one in passes)
    quick = int(BLOCK_TARGET_S / slowest_s) if slowest_s else rows
    wanted = min(BLOCK_TARGET_BYTES // max(1, widest), quick)
    return int(min(rows, max(LEAST_BLOCK_ROWS, BLOCK_HALO_RATIO * halo, wanted)))


def _images(passes: Sequence[Pass]) -> list[ImageSpec]:
    """Return the images that a plan has from its input to its result."""
    images = [image for one in passes for image in (one.before, one.after)]
    return images + [image for one in passes for step in one.steps for image in (step.before, step.after)]


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


def _fits(model: MemoryModel, memory_bytes: int) -> bool:
    """Whether one rank needs no more than the limit, if not with its slabs in memory then without."""
    return model.peak_bytes(slabs_in_memory=False) <= memory_bytes


def _hash(
    steps: Sequence[Step], spec: ImageSpec, nodata: float | None, chosen: tuple[int, str | None, int]
) -> str:
    body: dict[str, Any] = {"version": PLAN_VERSION, "steps": to_json(steps), "image": _spec_json(spec)}
    if chosen != FIRST_IMAGE:
        body["chosen"] = list(chosen)
    if nodata is not None:
        body["nodata"] = repr(nodata)
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _spec_json(spec: ImageSpec) -> dict[str, Any]:
    return {"rows": spec.rows, "columns": spec.columns, "channels": spec.channels, "dtype": spec.dtype}


def _pass_json(one: Pass) -> dict[str, Any]:
    names = [step.operation.name + (" (apply)" if step.applies is not None else "") for step in one.steps]
    return {
        "steps": names,
        "ends_with": one.ending.operation.name if one.ending else None,
        "halo_rows": one.halo_rows,
        "periodic": one.periodic,
        "device": "gpu" if one.gpu else "cpu",
        "why_cpu": one.why_cpu,
        "cost_core_s": round(sum(step.cost_s for step in one.steps), 6),
    }


def _too_big(model: MemoryModel, peak: int, memory_bytes: int, remedies: Sequence[str]) -> str:
    name, size = model.largest(slabs_in_memory=False)
    remedy = f"it would fit with {' or '.join(remedies)}" if remedies else f"allow at least {peak} bytes"
    return (
        f"one rank would need {peak} bytes with {model.ranks} ranks and blocks of {model.block_rows} rows, "
        f"the limit is {memory_bytes}; most of it, {size} bytes, is for {name}; {remedy}"
    )


def _choose(model_of: ModelOf, asked: int | None, usual: int, memory_bytes: int) -> MemoryModel:
    """Return the model of the blocks to take: those asked for, else the highest that fit, else the best.

    Lower blocks mostly need less, but where seams are kept of each, more.
    """
    if asked is not None:
        return model_of(asked)
    rows, models = usual, [model_of(usual)]
    while rows > LEAST_BLOCK_ROWS and not _fits(models[-1], memory_bytes):
        rows = max(LEAST_BLOCK_ROWS, rows // 2)
        models.append(model_of(rows))
    if _fits(models[-1], memory_bytes):
        return models[-1]
    return min(models, key=lambda model: model.peak_bytes(slabs_in_memory=False))


def _remedies(model_of: ModelOf, block_rows: int, ranks: int, memory_bytes: int) -> list[str]:
    """Return what would make a plan fit: lower blocks, more ranks."""
    rows = block_rows // 2
    while rows and not _fits(model_of(rows, ranks), memory_bytes):
        rows //= 2
    found = [f"--block-rows {rows}"] if rows else []
    for more in (ranks * 2**power for power in range(1, MOST_DOUBLINGS + 1)):
        if _fits(model_of(block_rows, more), memory_bytes):
            return [*found, f"--ranks {more}"]
    return found
