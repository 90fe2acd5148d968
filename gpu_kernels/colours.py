"""Steps that mix the colours of a pixel: ``saturation``, ``hue``, ``matrix``, ``sepia``, ``equalize``.

OpenCV's vectors take whole groups of pixels and round otherwise than what it does with those left over at
the end of a row; how large its groups are is seen on this CPU.
"""

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.groups import byte_group, float_group
from gpu_kernels.points import Formula, Point, Table, each_channel, mixed_floats, single
from gpu_kernels.step import Step

_COLOURS = 3
_FILES = ("colour.cuh",)
_BYTE_HUES = 180
_TURN_DEGREES = 360

_BYTE_SCALE = 1 << 10
_LARGEST_BYTE_WEIGHT = 32.0
"""From this on OpenCV computes bytes in floats."""

_LARGEST_BYTE_ADDED = 8192.0
_SMALLEST_BESIDE = float(np.finfo(np.float32).eps)
"""Weights up to this one are nothing to OpenCV, where they are those of other colours."""

_LARGEST_INT = 1 << 31


def saturation(step: Step) -> Point | None:
    """Scale the saturation."""
    factor = float(step.params["factor"])
    if step.dtype != "uint8":
        return _through_hsv(step, factor=factor)
    table = np.clip(np.rint(np.arange(256) * factor), 0, 255).astype(np.uint8)
    body = f"hsv_of_bytes(v); v[1] = (u32)__ldg(TABLE + v[1]); {_back()}"
    return Formula(body, step.channels, _FILES, table)


def hue(step: Step) -> Point | None:
    """Turn the hue."""
    degrees = float(step.params["degrees"])
    if step.dtype != "uint8":
        return _through_hsv(step, degrees=degrees)
    turn = round(degrees * _BYTE_HUES / _TURN_DEGREES) % _BYTE_HUES
    body = f"hsv_of_bytes(v); v[0] = (v[0] + {turn}u) % {_BYTE_HUES}u; {_back()}"
    return Formula(body, step.channels, _FILES)


def matrix(step: Step) -> Point | None:
    """Make each colour of all three, with weights of one's own."""
    return _mixed(step, np.array(step.params["values"], np.float64).reshape(_COLOURS, -1))


def sepia(step: Step) -> Point | None:
    """Make each colour of all three, with the weights that the CPU's kernel shows of single colours."""
    colours = np.eye(_COLOURS, dtype=np.float32).reshape(_COLOURS, 1, _COLOURS)
    return _mixed(step, step.cpu(colours)[:, 0].T.astype(np.float64))


def equalize(step: Step) -> Point | None:
    """Look each channel up, or the luma: in the table that the CPU's kernel shows of grays."""
    if step.is_float:
        return None
    if step.params["channels"] == "each" or step.channels == 1:
        return each_channel(step)
    grays = np.repeat(np.arange(step.white + 1, dtype=step.dtype).reshape(1, -1, 1), _COLOURS, axis=2)
    table = np.ascontiguousarray(step.cpu(grays)[0, :, 0])
    body = "Luma luma = luma_of(v); luma.luma = (int)__ldg(TABLE + luma.luma); colour_of_luma(v, luma);"
    return Formula(body, step.channels, _FILES, table)


def _back() -> str:
    return f"bytes_of_hsv(v, is_alone(at, {byte_group()}));"


def _through_hsv(step: Step, *, factor: float = 1.0, degrees: float | None = None) -> Formula:
    group = float_group()
    turns, turn = ("true", degrees) if degrees is not None else ("false", 0.0)
    body = f"through_hsv(v, is_alone(at, {group}), {single(factor)}, {single(turn)}, {turns});"
    return Formula(body, step.channels, _FILES)


def _mixed(step: Step, weights: NDArray[np.float64]) -> Point | None:
    """Return the sums of all three colours, each with its weights and perhaps what is added."""
    if step.is_float:
        return mixed_floats(weights, step.channels)
    rounded = weights.astype(np.float32)
    if not np.isfinite(rounded).all():
        return None
    beside = rounded[:, :_COLOURS][~np.eye(_COLOURS, dtype=bool)]
    if (np.abs(beside) <= _SMALLEST_BESIDE).all():
        return _each_by_itself(step)
    added = rounded[:, _COLOURS] if rounded.shape[1] > _COLOURS else np.zeros(_COLOURS, np.float32)
    make = _mixed_bytes if step.dtype == "uint8" else _mixed_words
    lines = make(rounded[:, :_COLOURS], added)
    if lines is None:
        return None
    sums = " ".join(f"v[{place}] = {line};" for place, line in enumerate(lines))
    return Formula(f"const Value was[] = {{v[0], v[1], v[2]}}; {sums}", step.channels, _FILES)


def _each_by_itself(step: Step) -> Point:
    """Look each colour up, where none goes into another."""
    every = np.repeat(np.arange(step.white + 1, dtype=step.dtype).reshape(1, -1, 1), _COLOURS, axis=2)
    return Table(np.ascontiguousarray(step.cpu(every)[0].T), _COLOURS)


def _mixed_bytes(weights: NDArray[np.float32], added: NDArray[np.float32]) -> list[str] | None:
    """Return the sums with weights of 10 bits; None where OpenCV has another way for them."""
    small = np.abs(weights[:, :2]) < _LARGEST_BYTE_WEIGHT
    others = np.abs(np.column_stack([weights[:, 2], added])) < _LARGEST_BYTE_ADDED
    if not (small.all() and others.all()):
        return None
    whole = np.rint(np.column_stack([weights, added]) * np.float32(_BYTE_SCALE)).astype(np.int64)
    whole[:, :2] = np.clip(whole[:, :2], -(1 << 15), (1 << 15) - 1)
    return [f"mixed_bytes(was, {', '.join(map(str, row))})" for row in whole]


def _mixed_words(weights: NDArray[np.float32], added: NDArray[np.float32]) -> list[str] | None:
    """Return the sums in floats; None where they could be beyond 32 bits."""
    largest = np.abs(weights).sum(axis=1, dtype=np.float64) * (1 << 16) + np.abs(added) + (1 << 16)
    if largest.max() >= _LARGEST_INT:
        return None
    middle = added - np.float32(1 << 15)
    return [
        f"mixed_words(was, {', '.join(single(float(one)) for one in (*row, start))})"
        for row, start in zip(weights, middle, strict=True)
    ]
