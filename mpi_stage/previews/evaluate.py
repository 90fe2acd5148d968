"""Parts of a pipeline carried out on pixels in memory, by the engine."""

import tempfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mpi_stage.engine import Engine
from mpi_stage.errors import LimitError
from mpi_stage.formats.memory import ArraySink, ArraySource
from mpi_stage.geometry.window import Window, piece
from mpi_stage.image import Pixels
from mpi_stage.planning.planner import make_plan
from mpi_stage.planning.program_memory import PROGRAM
from mpi_stage.previews.parts import Part
from mpi_stage.rows.context import RankContext

MOST_WINDOW_BYTES = 96 << 20
"""Of pixels that a crop may be made of."""

Found = Sequence[Any | None]
"""What the reduce steps of a part have measured, in their order; None for what is to be measured anew."""


class Means(NamedTuple):
    """What parts are carried out with: this rank, the memory that it may use, the input's nodata value.

    That means the same only in values of its type, ``dtype``.
    """

    context: RankContext
    memory_bytes: int
    nodata: float | None
    dtype: str


def filtered(part: Part, pixels: Pixels, means: Means, given: Found = ()) -> tuple[Pixels, list[Any]]:
    """Return an image after the steps of a part, and what its reduce steps have measured.

    ``pixels`` are taken for a whole image.
    """
    source = ArraySource(pixels)
    plan = make_plan(
        part.steps,
        source.header,
        ArraySink(source.header.spec).plan,
        ranks=means.context.comm.size,
        memory_bytes=means.memory_bytes,
        nodata=means.nodata if pixels.dtype.name == means.dtype else None,
        program_bytes=PROGRAM.measure(),
    )
    sink = ArraySink(plan.after)
    engine = Engine(means.context, plan, scratch=tempfile.gettempdir(), progress=_untold, given=given)
    engine.run(source, sink, digest=False)
    return sink.rows, engine.measured


def crop_filtered(
    parts: Sequence[Part],
    windows: Sequence[Window],
    read: Callable[[Window], Pixels],
    means: Means,
    given: Sequence[Found],
) -> Pixels:
    """Return the last of ``windows``, of the result, made of the first, of the input.

    ``given`` has for each part what its reduce steps have measured elsewhere.
    """
    _check(parts, windows)
    pixels = read(windows[0])
    for part, at, wanted, found in zip(parts, windows, windows[1:], given, strict=False):
        if part.remap is None:
            made, _ = filtered(part, pixels, means, found)
            pixels = piece(made, at, wanted)
        else:
            pixels = _moved(part, pixels, at, wanted)
    return pixels


def _moved(part: Part, pixels: Pixels, at: Window, wanted: Window) -> Pixels:
    """Return a window of the image after a step that moves pixels."""
    spec = part.after

    def fetch(window: Window, into: Pixels | None = None) -> Pixels:
        found = piece(pixels, at, window)
        if into is None:
            return found
        into[...] = found
        return into

    out = np.empty((wanted.rows.height, wanted.columns.height, spec.channels), spec.dtype)
    if part.remap is not None:
        part.remap.make(wanted, fetch, out)
    return out


def _check(parts: Sequence[Part], windows: Sequence[Window]) -> None:
    """Raise LimitError where a crop would be made of more pixels than a preview may hold."""
    for part, window in zip(parts, windows, strict=False):
        spec = part.before
        wanted_bytes = window.pixels * spec.channels * spec.itemsize
        if wanted_bytes > MOST_WINDOW_BYTES:
            names = ", ".join(step.operation.name for step in part.steps)
            raise LimitError(
                f"a crop of this result is made of {wanted_bytes / 1e6:.0f} MB of pixels before {names}; a "
                f"preview takes up to {MOST_WINDOW_BYTES / 1e6:.0f} MB. Look at the reduced copy instead."
            )


def _untold(_done: int, _total: int) -> None:
    """Tell nobody: a preview is over before anybody could look."""
