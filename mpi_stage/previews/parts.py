"""What a crop of a result is made of: the windows of every image between the input and the result."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Remap, Window
from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Border, Pattern
from mpi_stage.operations.spelling.grammar import Step
from mpi_stage.planning.plan import PlannedStep
from mpi_stage.planning.planned_steps import plan_steps

CONTEXT_PX = 64
"""Shown with a crop to steps that look at the whole picture, all round, beside the halo."""

ROW_PX = 64
"""Windows begin at a multiple of so many columns, and reach so many beyond what is needed of them.

Library calls work along rows, some values at a time, and round what is left at a row's end otherwise: so
that is no part of a crop unless it is the image's own row's end.
"""


@dataclass(frozen=True)
class Part:
    """A step that moves pixels, or neighbouring steps that do not.

    Attributes
    ----------
    steps: as the pipeline has them.
    before, after: the images.
    halo: rows and columns that the steps look at beyond a pixel, all together.
    remap: of a step that moves pixels.
    whole: the operations that look at the whole picture.
    wraps: those that look, at an edge, at the opposite one.

    """

    steps: tuple[Step, ...]
    before: ImageSpec
    after: ImageSpec
    halo: int = 0
    remap: Remap | None = None
    whole: tuple[str, ...] = ()
    wraps: tuple[str, ...] = ()


class Trace(NamedTuple):
    """The windows of the images before each part, and at last that of the result.

    ``whole`` and ``wraps`` name the operations for which these windows are not all that they look at.
    """

    windows: tuple[Window, ...]
    whole: tuple[str, ...]
    wraps: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether the result's window can be made of these pixels alone, to the last bit."""
        return not self.whole and not self.wraps


@dataclass
class _Run:
    """Neighbouring steps that leave pixels where they are, while they are collected."""

    before: ImageSpec
    steps: list[Step] = field(default_factory=list)
    planned: list[PlannedStep] = field(default_factory=list)

    def part(self, after: ImageSpec) -> Part:
        """Return them as a part."""
        looks_far = {Pattern.REDUCE, Pattern.GLOBAL}
        whole = (one.operation.name for one in self.planned if one.operation.pattern in looks_far)
        wraps = (one.operation.name for one in self.planned if one.halo and one.border is Border.WRAP)
        return Part(
            tuple(self.steps),
            self.before,
            after,
            sum(one.halo for one in self.planned),
            whole=tuple(dict.fromkeys(whole)),
            wraps=tuple(dict.fromkeys(wraps)),
        )


def cut(steps: Sequence[Step], spec: ImageSpec) -> list[Part]:
    """Return the parts of a pipeline on an image of ``spec``; raises what the steps raise."""
    parts: list[Part] = []
    run = _Run(spec)
    for step in steps:
        planned = list(plan_steps([step], spec))
        after, remap = planned[-1].after, step.operation.remap
        if remap is None:
            run.steps.append(step)
            run.planned += planned
        else:
            if run.steps:
                parts.append(run.part(spec))
            parts.append(Part((step,), spec, after, remap=remap(step.params, spec, after)))
            run = _Run(after)
        spec = after
    return [*parts, run.part(spec)] if run.steps else parts


def trace(parts: Sequence[Part], window: Window) -> Trace:
    """Return what a window of the result is made of, step by step back to the input.

    The last of these windows has it; some columns are beside it.
    """
    window = _with_row_ends(window, parts[-1].after) if parts else window
    windows = [window]
    whole: list[str] = []
    wraps: list[str] = []
    for part in reversed(parts):
        if part.remap is not None:
            window = _with_row_ends(_around(part.remap.windows(window)), part.before)
        else:
            margin = part.halo + (CONTEXT_PX if part.whole else 0)
            grown = _grown(window, margin)
            window = _with_row_ends(_within(grown, part.before), part.before)
            if not _covers(window, part.before):
                whole += part.whole
                wraps += part.wraps if _turns_round(grown, window, part.before) else ()
        windows.append(window)
    return Trace(tuple(reversed(windows)), tuple(dict.fromkeys(whole)), tuple(dict.fromkeys(wraps)))


def origin(parts: Sequence[Part], window: Window) -> Window:
    """Return the pixels of the input that lie where those of a window of the result are; no halo."""
    for part in reversed(parts):
        if part.remap is not None:
            window = _around(part.remap.windows(window))
    return window


def crop_of(spec: ImageSpec, across: float, down: float, columns: int, rows: int) -> Window:
    """Return the crop of a picture of at most this size whose middle is nearest to a place in it.

    ``across`` and ``down`` say where, from 0 (left, top) to 1.
    """
    return Window(_piece(spec.rows, down, rows), _piece(spec.columns, across, columns))


def _piece(length: int, place: float, size: int) -> Rows:
    size = min(size, length)
    first = min(max(round(place * length - size / 2), 0), length - size)
    return Rows(first, first + size)


def _grown(window: Window, margin: int) -> Window:
    rows, columns = window
    return Window(
        Rows(rows.first - margin, rows.end + margin), Rows(columns.first - margin, columns.end + margin)
    )


def _within(window: Window, spec: ImageSpec) -> Window:
    rows, columns = window
    return Window(
        Rows(max(rows.first, 0), min(rows.end, spec.rows)),
        Rows(max(columns.first, 0), min(columns.end, spec.columns)),
    )


def _with_row_ends(window: Window, spec: ImageSpec) -> Window:
    """Return a window with columns beside it, see :data:`ROW_PX`."""
    rows, (first, end) = window
    return Window(rows, Rows(first - first % ROW_PX, min(end + ROW_PX, spec.columns)))


def _covers(window: Window, spec: ImageSpec) -> bool:
    return window.rows.height == spec.rows and window.columns.height == spec.columns


def _turns_round(grown: Window, window: Window, spec: ImageSpec) -> bool:
    """Whether what was asked for reaches beyond an edge to pixels at the other that are not there."""
    return any(
        (wanted.first < there.first or wanted.end > there.end) and there.height < length
        for wanted, there, length in zip(grown, window, (spec.rows, spec.columns), strict=True)
    )


def _around(windows: Sequence[Window]) -> Window:
    """Return the smallest window that has all of these; one pixel where they are empty."""
    some = [window for window in windows if window.pixels > 0]
    if not some:
        return Window(Rows(0, 1), Rows(0, 1))
    return Window(
        Rows(min(one.rows.first for one in some), max(one.rows.end for one in some)),
        Rows(min(one.columns.first for one in some), max(one.columns.end for one in some)),
    )
