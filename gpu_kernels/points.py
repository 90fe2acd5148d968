"""Steps that look at one pixel at a time, as tables and as pieces of one generated kernel.

Integers are looked up wherever a value alone decides: the table is what the CPU's kernel makes of all
values. What mixes channels is a few lines of C++ on the pixel's values ``v``.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.step import Step

_COLOURS = 3


@dataclass(frozen=True, eq=False)
class Table:
    """New values for all values of an integer type: one row for all channels, or one for each.

    ``colours`` channels are looked up; an alpha channel behind them stays.
    """

    values: NDArray[Any]
    colours: int

    def then(self, later: "Table") -> "Table":
        """Return both in one."""
        new = [one[mine] for one, mine in _pairs(later.values, self.values)]
        return Table(np.stack(new), self.colours)


@dataclass(frozen=True)
class Formula:
    """C++ that turns the values ``v`` of a pixel into its new ones, in place; ``channels`` come out.

    The body may use where the pixel is, ``at``, what is in ``files``, and ``TABLE``, the place of ``table``,
    of the type of the values. ``later_bytes`` is what the table takes that is not known yet.
    """

    body: str
    channels: int
    files: tuple[str, ...] = ()
    table: NDArray[Any] | None = field(default=None, compare=False)
    later_bytes: int = 0


Point = Table | Formula


def each_value(step: Step) -> Point | None:
    """Look up what the CPU's kernel makes of every value of an integer type."""
    if step.is_float:
        return None
    every = np.arange(step.white + 1, dtype=step.dtype).reshape(1, -1, 1)
    return Table(step.cpu(every)[0].T, _colours(step))


def each_channel(step: Step) -> Point | None:
    """Do so for each channel by itself."""
    if step.is_float:
        return None
    every = np.repeat(np.arange(step.white + 1, dtype=step.dtype).reshape(1, -1, 1), _colours(step), axis=2)
    return Table(np.ascontiguousarray(step.cpu(every)[0].T), _colours(step))


def invert(step: Step) -> Point | None:
    """White minus each value."""
    return _floats(step, "1.0f - x")


def brightness(step: Step) -> Point | None:
    """Add an offset, in double precision."""
    return _floats(step, f"(f32)((double)x + {_real(step, 'offset')})")


def contrast(step: Step) -> Point | None:
    """Move values away from a pivot, in double precision."""
    pivot = _real(step, "pivot")
    return _floats(step, f"(f32)(((double)x - {pivot}) * {_real(step, 'factor')} + {pivot})")


def gamma(step: Step) -> Point | None:
    """Raise to a power; negative values keep their sign."""
    exponent = _exact(1 / float(step.params["gamma"]))
    return _floats(step, f"(f32)copysign(pow(fabs((double)x), {exponent}), (double)x)")


def levels(step: Step) -> Point | None:
    """Spread between two bounds, bend, and spread again."""
    low, high = float(step.params["in_low"]), float(step.params["in_high"])
    black, bright = float(step.params["out_low"]), float(step.params["out_high"])
    share = f"clipped(((double)x - {_exact(low)}) / {_exact(high - low)})"
    if step.params["gamma"] != 1:
        share = f"pow({share}, {_exact(1 / float(step.params['gamma']))})"
    return _floats(step, f"(f32)({share} * {_exact(bright - black)} + {_exact(black)})")


def posterize(step: Step) -> Point | None:
    """Leave a few levels of 0 to 1."""
    count = f"{float(1 << int(step.params['bits'])).hex()}f"
    return _floats(step, f"(f32)posterized(x, {count})")


def solarize(step: Step) -> Point | None:
    """Invert from a threshold on."""
    threshold = step.params["threshold"]
    start = single(0.5 if threshold is None else float(threshold))
    return _floats(step, f"x < {start} ? x : 1.0f - x")


def threshold(step: Step) -> Point | None:
    """Compare with a value; a NaN is never above it."""
    value = single(float(step.params["value"]))
    yes, no = {
        "binary": ("1.0f", "0.0f"),
        "binary_inv": ("0.0f", "1.0f"),
        "trunc": (value, "x"),
        "to_zero": ("x", "0.0f"),
        "to_zero_inv": ("0.0f", "x"),
    }[str(step.params["mode"])]
    return _floats(step, f"x > {value} ? {yes} : {no}")


def grayscale(step: Step) -> Point | None:
    """Weigh the colours: with 15 bits for integers, as OpenCV does."""
    if step.channels == 1:
        return Formula("", 1)
    if step.is_float:
        return Formula("v[0] = v[0] * 0.299f + v[1] * 0.587f + v[2] * 0.114f;", 1)
    return Formula("v[0] = (v[0] * 9798u + v[1] * 19235u + v[2] * 3735u + 16384u) >> 15;", 1)


def rgb(step: Step) -> Point | None:
    """Repeat gray three times."""
    return Formula("v[1] = v[2] = v[0];", _COLOURS) if step.channels == 1 else Formula("", step.channels)


def channels(step: Step) -> Point | None:
    """Pick channels."""
    selected = [int(number) for number in step.params["select"]]
    before = ", ".join(f"v[{number}]" for number in range(step.channels))
    picked = " ".join(f"v[{place}] = was[{number}];" for place, number in enumerate(selected))
    return Formula(f"const Value was[] = {{{before}}}; {picked}", len(selected))


def mixed_floats(weights: NDArray[np.float64], channels: int) -> Formula:
    """Make each colour of all three."""
    lines = ["const Value r = v[0], g = v[1], b = v[2];"]
    for place, row in enumerate(weights):
        red, green, blue, *rest = (single(float(one)) for one in row)
        added = f" + {rest[0]}" if rest else ""
        lines.append(f"v[{place}] = r * {red} + g * {green} + b * {blue}{added};")
    return Formula(" ".join(lines), channels)


def _floats(step: Step, expression: str) -> Point | None:
    """Return the expression of ``x`` for each colour of a pixel of floats; integers are looked up."""
    if not step.is_float:
        return each_value(step)
    if "inf" in expression or "nan" in expression:
        return None
    body = f"UNROLL for (int c = 0; c < {_colours(step)}; c++) {{ const f32 x = v[c]; v[c] = {expression}; }}"
    return Formula(body, step.channels)


def _colours(step: Step) -> int:
    return _COLOURS if step.keeps_alpha else step.channels


def _real(step: Step, name: str) -> str:
    return _exact(float(step.params[name]))


def _exact(value: float) -> str:
    return f"({value.hex()})"


def single(value: float) -> str:
    """Return a float32 as C++."""
    return f"({float(np.float32(value)).hex()}f)"


def _pairs(later: NDArray[Any], earlier: NDArray[Any]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    count = max(len(later), len(earlier))
    return [(later[i % len(later)], earlier[i % len(earlier)]) for i in range(count)]
