"""How an operation is declared: one object from which everything else is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from mpi_stage.geometry.window import Remap
from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.operations.declaring.placement import Placement

Value = int | float | str | bool | tuple[float, ...] | None
Params = Mapping[str, Value]
"""The checked parameters of a step, every one present, defaults filled in."""

Measured = Any
"""What a round found out about the whole image; the same on every rank."""


class Pattern(StrEnum):
    """Where the work of an operation happens."""

    POINT = "point"
    STENCIL = "stencil"
    REDUCE = "reduce"
    GLOBAL = "global"


class Border(StrEnum):
    """What a neighbourhood operation sees outside the image."""

    MIRROR = "mirror"
    REFLECT = "reflect"
    NEAREST = "nearest"
    WRAP = "wrap"
    CONSTANT = "constant"


class Channels(StrEnum):
    """Which channel counts an operation takes."""

    ANY = "any number of channels"
    GRAY = "1 channel"
    GRAY_OR_COLOUR = "1, 3 or 4 channels"
    COLOUR = "3 or 4 channels"


class Kind(StrEnum):
    """The kinds of parameter values."""

    INT = "int"
    FLOAT = "float"
    CHOICE = "choice"
    BOOL = "bool"
    NUMBERS = "numbers"


@dataclass(frozen=True)
class Parameter:
    """One parameter of an operation.

    ``default`` None means that the parameter may be left out and is then derived, unless
    ``required``. ``odd`` holds for integers. Bounds include both ends. Of a list of numbers, the bounds
    hold for each; ``whole`` says that they are integers, ``counts`` how many there may be (any if empty).
    """

    name: str
    kind: Kind
    help: str
    default: Value = None
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    odd: bool = False
    required: bool = False
    whole: bool = False
    counts: tuple[int, ...] = ()


PointKernel = Callable[[Pixels, Params], Pixels]
"""(rows × columns × channels) → the same rows; may return its argument, must not write into it."""

StencilKernel = Callable[[Pixels, Params], Pixels]
"""Takes a contiguous block with ``halo`` rows above and below and ``halo`` columns left and right
already filled in by the engine ((n + 2·halo) × (columns + 2·halo) × channels) and returns the
n × columns × channels pixels in its middle. It needs no border handling of its own."""


IntoKernel = Callable[[Pixels, Params, Pixels], bool]
"""The work of a point or stencil kernel, with its result put into memory that is given: rows × columns ×
channels, of which the rows may lie apart. False where it cannot, and has done nothing."""


MaskedKernel = Callable[[Pixels, Params, float], Pixels]
"""A stencil kernel that is also told which value stands for pixels without data."""


@dataclass(frozen=True)
class Round:
    """One measuring sweep of a reduce operation.

    ``start(spec, params, previous)`` makes the state, a numpy array. ``update(state, rows,
    first_row, params, previous)`` adds rows × columns × channels pixels to it, in place.
    ``combine`` is how the states of two ranks are joined: ``sum`` (integers only), ``min`` or
    ``max``, all independent of order. ``finish(state, spec, params, previous)`` turns the joined
    state into what the next round and the application get as ``previous`` and ``measured``.
    ``state_bytes(spec, params)`` is what a state takes at most, for the plan, where ``start`` cannot tell
    without ``previous``.
    """

    start: Callable[[ImageSpec, Params, Measured], Pixels]
    update: Callable[[Pixels, Pixels, int, Params, Measured], None]
    combine: str
    finish: Callable[[Pixels, ImageSpec, Params, Measured], Measured]
    state_bytes: Callable[[ImageSpec, Params], int] | None = None


@dataclass(frozen=True)
class Reduction:
    """A reduce operation's work: measuring sweeps, then a point operation with what they found.

    ``rounds(spec, params)`` are the sweeps, at least one. ``apply(rows, first_row, params, measured)``
    returns the new values of rows × columns × channels pixels, of which the first row is the image's
    row ``first_row``; it must not write into them.
    ``placed`` says that a new value depends on where its pixel is, not on the pixel alone.
    ``tell(measured, params)`` is what the job's report says of it, as JSON; None for nothing.
    ``found_bytes(spec, params)`` is what the measured takes, for the plan; as much as the last round's state
    if it is not stated. It is kept until the plan has been carried out.
    """

    rounds: Callable[[ImageSpec, Params], tuple[Round, ...]]
    apply: Callable[[Pixels, int, Params, Measured], Pixels]
    placed: bool = False
    tell: Callable[[Measured, Params], Any] | None = None
    found_bytes: Callable[[ImageSpec, Params], int] | None = None


def _same(spec: ImageSpec, params: Params) -> ImageSpec:  # noqa: ARG001  (the signature is a contract)
    return spec


def _no_halo(params: Params, spec: ImageSpec) -> int:  # noqa: ARG001
    return 0


def _no_check(params: Params, spec: ImageSpec) -> None:
    """Accept everything."""


def _never(params: Params) -> bool:  # noqa: ARG001
    return False


RankBytes = Callable[[Params, ImageSpec, int, int], int]
"""(parameters, image before, rows of the largest slab, ranks) → bytes of one rank."""


Scratch = Callable[[Params, ImageSpec], float]
"""(parameters, image before) → bytes of a kernel's temporaries for each value of the block it gets."""


class Moved(NamedTuple):
    """What a step moves between ranks: bytes that one rank sends and receives, and in how many messages."""

    sent_bytes: int
    received_bytes: int
    messages: int


RankTraffic = Callable[[Params, ImageSpec, int, int], Moved]
"""(parameters, image before, rows of a rank's slab, ranks) → the most that this rank moves."""


@dataclass(frozen=True)
class Operation:
    """One operation of the catalogue, declared once.

    Attributes
    ----------
    name, label, help, family: for people; ``name`` is what a pipeline says.
    pattern: where the work happens.
    parameters: in the order of the catalogue; ``border`` and ``fill`` are added by the grammar to
        every operation whose ``border`` is not None.
    reference: the call that the result is judged against.
    cost: nanoseconds per pixel on one core, roughly; for routing and the plan's estimate.
    point, stencil, reduction, collective: the work; exactly the one of the pattern is set.
        ``collective`` is the name of a function in ``mpi_stage.collective``.
    halo: rows (and columns) needed on each side.
    types, channels: what it takes.
    gray_inside: colour is turned to gray first, by a ``grayscale`` step that the plan puts before.
    output: size, channels and type of the result.
    sees_alpha: an alpha channel is handed to the kernel instead of going around it.
    border: the default border, None where the operation looks at no neighbours.
    prepare: further steps that the plan puts before this one (after the gray step), as pairs of
        an operation's name and its parameters.
    into: the same as ``point`` or ``stencil``, into the memory of the step that follows.
    masked: a stencil's kernel for images with a nodata value, where it leaves such pixels out.
    row_bound: the types of which library calls round the last values of a row otherwise than the others, so
        that what looks at single pixels must still be given whole rows.
    moves_values: every value of the result is one of the image or the fill value, so that nodata pixels
        stay what they are.
    remap: for a global step that moves pixels (``collective`` is then ``geometry``): from the parameters
        and the images before and after, which pixels each tile of the result is made of.
    placement: the same as an affine map, for metadata that say where the picture lies.
    table_bytes: what a kernel keeps whatever its block, such as tables, from parameters and image before.
    scratch: the most bytes that a kernel's temporaries take for each value of the block it gets;
        a copy of the block for a stencil and none for a point kernel if it is not stated.
    working_bytes, slab_bytes: what a global step needs of one rank, for the plan: while it works, and
        in slabs, which may be in scratch instead. Both get the parameters, the image before, the rows
        of the largest slab and the number of ranks. Without ``working_bytes`` the plan takes what
        joining components needs. A reduce step may state ``working_bytes`` too: what it measures into.
    reading_bytes: what a global step's rows take of one rank beside ``slab_bytes`` while the next pass
        reads them, block by block; as much as ``working_bytes`` if it is not stated.
    ends_in_slab: whether the rows that a global step makes lie in a slab once it is done, by its
        parameters; else they are made when they are read. Of a change of geometry the plan sees it itself.
    traffic: what a global step makes a rank send and receive at most, for the plan; a change of geometry
        need not state it. Sums that all ranks join are left out: their size does not depend on the image.
    """

    name: str
    label: str
    help: str
    family: str
    pattern: Pattern
    reference: str
    parameters: tuple[Parameter, ...] = ()
    aliases: tuple[str, ...] = ()
    types: tuple[str, ...] = DTYPES
    channels: Channels = Channels.ANY
    gray_inside: bool = False
    border: Border | None = None
    sees_alpha: bool = False
    cost: Callable[[Params, ImageSpec], float] = field(default=lambda _params, _spec: 1.0)
    output: Callable[[ImageSpec, Params], ImageSpec] = _same
    halo: Callable[[Params, ImageSpec], int] = _no_halo
    check: Callable[[Params, ImageSpec], None] = _no_check
    prepare: Callable[[Params, ImageSpec], tuple[tuple[str, Params], ...]] = field(
        default=lambda _params, _spec: ()
    )
    point: PointKernel | None = None
    stencil: StencilKernel | None = None
    into: IntoKernel | None = None
    masked: MaskedKernel | None = None
    row_bound: tuple[str, ...] = ("float32",)
    moves_values: bool = False
    reduction: Reduction | None = None
    collective: str | None = None
    remap: Callable[[Params, ImageSpec, ImageSpec], Remap] | None = None
    placement: Callable[[Params, ImageSpec, ImageSpec], Placement] | None = None
    scratch: Scratch | None = None
    table_bytes: Callable[[Params, ImageSpec], int] | None = None
    working_bytes: RankBytes | None = None
    slab_bytes: RankBytes | None = None
    reading_bytes: RankBytes | None = None
    ends_in_slab: Callable[[Params], bool] = _never
    traffic: RankTraffic | None = None

    def scratch_of(self, params: Params, spec: ImageSpec) -> float:
        """Return the bytes of temporaries for each value of a block of an image like ``spec``."""
        if self.scratch is not None:
            return self.scratch(params, spec)
        return float(spec.itemsize) if self.stencil is not None else 0.0
