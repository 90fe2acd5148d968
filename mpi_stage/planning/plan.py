"""What is done to one image: steps, passes and the plan, as they are planned and as ranks carry them out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mpi_stage.geometry.partition import Partition
from mpi_stage.image import COLOUR_CHANNELS, ImageSpec
from mpi_stage.operations.declaring.declaration import Border, Operation
from mpi_stage.operations.declaring.values import fill_value
from mpi_stage.operations.spelling.grammar import Step, to_json, to_text
from mpi_stage.planning.gpu import Gpu


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
        return images_of(self.passes)

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
            "input": spec_json(self.before),
            "output": spec_json(self.after),
            "passes": [_pass_json(one) for one in self.passes],
            "ranks": self.ranks,
            "block_rows": self.block_rows,
            "slabs": "memory" if self.slabs_in_memory else "scratch",
            "peak_bytes_per_rank": self.peak_bytes,
            "cost_core_s": round(self.cost_s, 6),
            "divisible": self.divisible,
            "notes": list(self.notes),
        }


def unit_of(sink: OutputFacts) -> int:
    """Return the rows of which a slab is a multiple, so that each rank writes its own."""
    return sink.row_unit if sink.divisible else 1


def deal(spec: ImageSpec, result: ImageSpec, ranks: int, row_unit: int) -> Partition:
    """Return how the rows of an image are dealt, in units of the sink's where it is as high as the result."""
    return Partition(spec.rows, ranks, row_unit if spec.rows == result.rows else 1)


def images_of(passes: Sequence[Pass]) -> list[ImageSpec]:
    """Return the images that a plan has from its input to its result."""
    images = [image for one in passes for image in (one.before, one.after)]
    return images + [image for one in passes for step in one.steps for image in (step.before, step.after)]


def spec_json(spec: ImageSpec) -> dict[str, Any]:
    """Return an image's size and type as JSON."""
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
