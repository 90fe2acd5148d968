"""A reduced copy of an image, with the image's own kind of values, and pipelines fit for it."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from mpi_stage.errors import LimitError
from mpi_stage.formats.headers import Header
from mpi_stage.formats.ports import Source
from mpi_stage.geometry.window import Window, read_by_rows
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.spelling.grammar import Step

MOST_READ_BYTES = 4 << 30
"""Decoded for a reduced copy at most; a file with smaller levels, or plain pixels, needs far less."""

BLOCK_BYTES = 16 << 20
OVERSAMPLING = 2
"""Rows and columns that are read for each of the copy's, which averages them."""

_ACROSS = frozenset({"x", "width", "left", "right"})
_DOWN = frozenset({"y", "height", "top", "bottom"})


def level_for(levels: list[tuple[int, int]], longest_px: int) -> int:
    """Return the smallest level (columns and rows of each) that is no smaller than the copy."""
    fit = [number for number, size in enumerate(levels) if max(size) >= longest_px]
    return min(fit, key=lambda number: max(levels[number]), default=0)


def read_reduced(source: Source, longest_px: int) -> Pixels:
    """Return a copy of a source's image whose longer side is at most ``longest_px``.

    Raises LimitError where too much would have to be decoded for it, DamagedInputError.
    """
    spec = source.header.spec
    stride = max(1, max(spec.rows, spec.columns) // (OVERSAMPLING * longest_px))
    _check(source.header, stride)
    plain = source.header.rereadable
    small = np.empty((-(-spec.rows // stride), -(-spec.columns // stride), spec.channels), spec.dtype)
    block_rows = 1 if plain and stride > 1 else max(1, BLOCK_BYTES // spec.row_bytes)
    step = stride if block_rows == 1 else block_rows
    for first in range(0, spec.rows, step):
        rows = spec.empty(min(block_rows, spec.rows - first))
        source.read_rows(first, rows)
        into = -(-first // stride)
        piece = rows[into * stride - first :: stride, ::stride]
        small[into : into + len(piece)] = piece
    return shrunk(small, longest_px, averaged=source.header.metadata.nodata is None)


def shrunk(pixels: Pixels, longest_px: int, *, averaged: bool = True) -> Pixels:
    """Return an image reduced to a longer side of ``longest_px`` at most; labels are not averaged."""
    rows, columns, channels = pixels.shape
    factor = longest_px / max(rows, columns)
    if factor >= 1:
        return pixels
    size = (max(1, round(rows * factor)), max(1, round(columns * factor)))
    if not averaged or pixels.dtype == np.uint32:
        down, across = (
            (np.arange(count) * length) // count for count, length in zip(size, (rows, columns), strict=True)
        )
        return np.ascontiguousarray(pixels[down][:, across])
    small = np.empty((*size, channels), pixels.dtype)
    for channel in range(channels):
        small[..., channel] = cv2.resize(
            np.ascontiguousarray(pixels[..., channel]), size[::-1], interpolation=cv2.INTER_AREA
        )
    return small


def fit_step(step: Step, full: ImageSpec, small: ImageSpec, longest_px: int) -> Step:
    """Return a step that moves pixels so that it does to the copy what it does to the image.

    ``full`` and ``small`` are what the step gets. Sizes of filters stay as they are.
    """
    if step.operation.remap is None:
        return step
    params = dict(step.params)
    if step.operation.name == "resize":
        after = step.operation.output(full, step.params)
        factor = min(1.0, longest_px / max(after.rows, after.columns))
        size = {
            "width": max(1, round(after.columns * factor)),
            "height": max(1, round(after.rows * factor)),
        }
        return Step(step.operation, {**params, **size, "scale": None})
    for name, value in params.items():
        if isinstance(value, int) and not isinstance(value, bool) and name in _ACROSS | _DOWN:
            length = small.columns / full.columns if name in _ACROSS else small.rows / full.rows
            params[name] = round(value * length)
    if step.operation.name == "crop":
        params |= _inside(params, "x", "width", small.columns) | _inside(params, "y", "height", small.rows)
    return Step(step.operation, params)


def _inside(params: dict[str, Any], first: str, size: str, length: int) -> dict[str, Any]:
    """Return where a crop begins and how long it is, within the copy after rounding."""
    begin = min(params[first], length - 1)
    stated = params[size]
    return {first: begin, size: None if stated is None else min(max(1, stated), length - begin)}


def _check(header: Header, stride: int) -> None:
    spec = header.spec
    read_bytes = spec.total_bytes // (stride if header.rereadable else 1)
    if read_bytes > MOST_READ_BYTES:
        raise LimitError(
            f"a reduced copy of this image takes {read_bytes / 1e9:.0f} GB to decode; previews decode up to "
            f"{MOST_READ_BYTES / 1e9:.0f} GB. With smaller levels in the file (a pyramid) there is one."
        )


def window_reader(source: Source) -> Callable[[Window], Pixels]:
    """Return what reads a window of a source's image."""

    def read(window: Window) -> Pixels:
        spec = source.header.spec
        out = np.empty((window.rows.height, window.columns.height, spec.channels), spec.dtype)
        reader: Any = source
        if getattr(reader, "reads_windows", False):
            reader.read_window(window, out)
        else:
            read_by_rows(source.read_rows, spec, window, out)
        return out

    return read
