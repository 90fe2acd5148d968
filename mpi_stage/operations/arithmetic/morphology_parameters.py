"""What the morphological operations share: their parameters, and when iterations need steps of their own."""

from mpi_stage.image import ImageSpec
from mpi_stage.operations.arithmetic.blocks import per_channel
from mpi_stage.operations.arithmetic.flat_extrema import SHAPES
from mpi_stage.operations.declaring.declaration import Border, Kind, Parameter, Params
from mpi_stage.operations.declaring.values import integer

Steps = tuple[tuple[str, Params], ...]

PARAMETERS = (
    Parameter(
        "size",
        Kind.INT,
        "Side of the shape; an even one reaches one pixel farther to the left and above.",
        default=3,
        minimum=1,
        maximum=255,
        unit="px",
    ),
    Parameter("shape", Kind.CHOICE, "Shape of the neighbourhood.", default="rect", choices=tuple(SHAPES)),
    Parameter("iterations", Kind.INT, "How many times over.", default=1, minimum=1, maximum=100),
)

_LARGE_SIZE = 15
_PERIODIC = (Border.NEAREST.value, Border.WRAP.value)
_MIRRORS = (Border.MIRROR.value, Border.REFLECT.value)


def together(params: Params) -> bool:
    """Say whether all iterations may be one stencil.

    OpenCV puts the border around the picture before each iteration, rectangles apart, which it makes
    larger instead. Only where the border around the result of an iteration is what the iteration makes
    of the border are both the same: for nearest (see ``morphology``) and wrap always, for mirrors if the
    shape is symmetric, that is, of odd size.
    """
    border = params["border"]
    mirrored = border in _MIRRORS and integer(params, "size") % 2 == 1
    alike = params["shape"] == "rect" or border in _PERIODIC or mirrored
    return alike or integer(params, "iterations") == 1


def at_once(params: Params) -> int:
    """Return how many iterations one stencil does: all, or one."""
    return integer(params, "iterations") if together(params) else 1


def steps(name: str, params: Params, *, but_last: bool = False) -> Steps:
    """Return the steps called ``name`` that do all iterations, or all that one last step leaves."""
    count = 1 if together(params) else integer(params, "iterations")
    return ((name, {**params, "iterations": at_once(params)}),) * (count - but_last)


def halo(params: Params, _spec: ImageSpec) -> int:
    """Return the rows and columns that one stencil needs on each side."""
    return at_once(params) * (integer(params, "size") // 2)


def cost(params: Params, spec: ImageSpec) -> float:
    """Return the cost of one erosion or dilation of a pixel in ns."""
    size, iterations = integer(params, "size"), integer(params, "iterations")
    if params["shape"] == "rect":
        return per_channel(spec, min(0.15 + 0.015 * size * iterations, 3.0))
    if params["shape"] == "cross":
        return per_channel(spec, iterations * min(0.3 + 0.1 * size, 2.0))
    rows = 0.012 * size * size if size <= _LARGE_SIZE else 0.12 * size
    return per_channel(spec, iterations * (0.2 + rows))
