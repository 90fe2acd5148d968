"""Random pipelines and images, drawn from the operations' own declarations."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from mpi_stage.errors import StageError
from mpi_stage.image import DTYPES, ImageSpec
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter
from mpi_stage.operations.spelling.grammar import parse_json
from mpi_stage.planning.planned_steps import check_step

SIZES = (1, 2, 3, 5, 7, 13, 31, 47, 61, 97)
"""Primes, one-row and one-column images, and fewer rows than ranks."""

OWN_VALUES = {"value", "low", "high", "fill", "threshold", "offset"}
"""Parameters that are values of the image's own where they have no upper bound."""

VOTES = 40
"""Small pictures have no lines of more edge pixels."""

MODEST = {
    **dict.fromkeys(("width", "height"), 120),
    **dict.fromkeys(("top", "bottom", "left", "right"), 40),
    "size": 15,
    "sigma": 6.0,
    "iterations": 3,
    "diameter": 9,
    "search": 7,
    "patch": 5,
    "strength": 40.0,
    "sigma_color": 60.0,
    "cutoff": 40,
    "block": 9,
    "rho": 4.0,
    "theta_degrees": 9.0,
    "max_lines": 20,
    "tiles": 6,
}
"""What keeps a case quick; the extremes have tests of their own."""

THRESHOLDS = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0, "uint32": 65535.0}


@dataclass(frozen=True)
class Case:
    """One image through one pipeline, and how the ranks are to go about it."""

    seed: int
    spec: ImageSpec
    steps: list[dict[str, Any]]
    blocks: list[int | None]
    tile: tuple[int, int] | None
    compression: str | None
    memory_bytes: int


def _value(parameter: Parameter, dtype: str) -> st.SearchStrategy:
    """Draw a value for one parameter, within its bounds."""
    if parameter.kind is Kind.CHOICE:
        return st.sampled_from(parameter.choices)
    if parameter.kind is Kind.BOOL:
        return st.booleans()
    if parameter.kind is Kind.NUMBERS:
        return _numbers(parameter)
    low = parameter.minimum if parameter.minimum is not None else 0
    high = parameter.maximum if parameter.maximum is not None else low + 1
    high = min(high, MODEST.get(parameter.name, high))
    if parameter.name in OWN_VALUES and parameter.maximum is None:
        return st.floats(0, THRESHOLDS[dtype])
    if parameter.kind is Kind.INT:
        high = min(high, VOTES) if parameter.name == "threshold" else high
        numbers = st.integers(int(low), int(high))
        return numbers.filter(lambda n: n % 2 == 1) if parameter.odd else numbers
    return st.floats(float(low), float(high))


def _numbers(parameter: Parameter) -> st.SearchStrategy:
    """Draw a list: channels of a colour picture, a matrix, or a kernel, small or large."""
    counts = parameter.counts or ((1, 2, 3) if parameter.whole else (1, 9, 25, 169))
    each = st.integers(0, 2) if parameter.whole else st.floats(-1, 1)
    return st.sampled_from(counts).flatmap(lambda count: st.lists(each, min_size=count, max_size=count))


@st.composite
def _crop(draw, spec: ImageSpec) -> dict[str, Any]:
    """Draw a rectangle inside the image."""
    left, top = draw(st.integers(0, spec.columns - 1)), draw(st.integers(0, spec.rows - 1))
    width, height = draw(st.integers(1, spec.columns - left)), draw(st.integers(1, spec.rows - top))
    return {"x": left, "y": top, "width": width, "height": height}


def _resize(_spec: ImageSpec) -> st.SearchStrategy:
    """Draw one of the ways to state a size."""
    side, kind = st.integers(1, 120), st.sampled_from(["nearest", "linear", "cubic", "area", "lanczos"])
    return st.one_of(
        st.fixed_dictionaries({"width": side, "height": side, "interpolation": kind}),
        st.fixed_dictionaries({"scale": st.floats(0.02, 2), "interpolation": kind}),
    )


FITTED = {"crop": _crop, "resize": _resize}
"""Operations whose parameters depend on the image, or on one another."""


@st.composite
def _step(draw, operation: Operation, spec: ImageSpec) -> dict[str, Any]:
    step: dict[str, Any] = {"op": operation.name}
    dtype = spec.dtype
    if operation.name in FITTED:
        return step | draw(FITTED[operation.name](spec))
    for parameter in operation.parameters:
        if parameter.required or draw(st.booleans()):
            step[parameter.name] = draw(_value(parameter, dtype))
    if operation.border is not None:
        step["border"] = str(draw(st.sampled_from(list(Border))))
        if step["border"] == "constant":
            step["fill"] = draw(st.floats(0, THRESHOLDS[dtype]).map(int))
    return step


def after(step: dict[str, Any], spec: ImageSpec) -> ImageSpec | None:
    """Return the image after a step, None where the step cannot take the image."""
    try:
        return check_step(parse_json([step])[0], spec)
    except StageError:
        return None


@st.composite
def cases(
    draw,
    names: list[str] | None = None,
    lengths: tuple[int, int] = (1, 3),
    sizes: tuple[int, ...] = SIZES,
) -> Case:
    """Draw an image, a pipeline that it can take, block heights for each world, and a file layout."""
    spec = ImageSpec(
        draw(st.sampled_from(sizes)),
        draw(st.sampled_from(sizes)),
        draw(st.sampled_from([1, 3, 4, 13])),
        draw(st.sampled_from(DTYPES)),
    )
    now, steps = spec, []
    for _ in range(draw(st.integers(*lengths))):
        offered = [one for one in OPERATIONS if names is None or one.name in names]
        step = draw(_step(draw(st.sampled_from(offered)), now))
        then = after(step, now)
        if then is not None:
            steps.append(step)
            now = then
    return Case(
        seed=draw(st.integers(0, 2**16)),
        spec=spec,
        steps=steps or [{"op": "invert"}],
        blocks=draw(st.lists(st.sampled_from([None, 1, 2, 7, 16, 33]), min_size=5, max_size=5)),
        tile=draw(st.sampled_from([None, (16, 16), (32, 48)])),
        compression=draw(st.sampled_from([None, "zlib", "lzw"])),
        memory_bytes=draw(st.sampled_from([1 << 30, 150 << 20])),
    )
