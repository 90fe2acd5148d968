"""A pass compiled for a device: its stencils, and the point steps before, between and after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gpu_kernels.border import BORDER_TABLES, border_code
from gpu_kernels.layout import Room, Rows
from gpu_kernels.measured import is_measured
from gpu_kernels.pixels import PointKernel, merged, point_kernel, single_table
from gpu_kernels.points import Formula, Point
from gpu_kernels.slots import SLOTS
from gpu_kernels.sources import Code
from gpu_kernels.stencils import Stencil
from gpu_kernels.step import Pixels, Step
from gpu_kernels.table import point_of, stencil_of

_NEEDS_BITS = "canny_gradients"
"""A float whose last bit is another one can make this an edge or none."""

_ALLOCATED_BYTES = 512
"""Memory of a device is given in multiples of this."""


@dataclass(frozen=True, eq=False)
class StencilNode:
    """A stencil step and its kernels."""

    step: Step
    stencil: Stencil

    def room(self, most_rows: int) -> Room:
        """Return how its rows lie on the device if at most ``most_rows`` come at once."""
        step = self.step
        rows = Rows(step.columns, step.channels, step.dtype)
        return Room(rows, step.halo, most_rows + 4 * step.halo)


@dataclass(frozen=True, eq=False)
class Program:
    """What a chain launches.

    ``points`` has one place more than ``stencils``: the kernel of the point steps before each, and behind
    the last; None where there are none, or where a stencil looks their table up itself (``tables``).
    ``unmeasured`` are the names of steps whose kernels have not been run on a GPU yet.
    """

    before: Rows
    after: Rows
    stencils: tuple[StencilNode, ...]
    points: tuple[PointKernel | None, ...]
    tables: tuple[Pixels | None, ...]
    unmeasured: tuple[str, ...]

    @property
    def codes(self) -> tuple[Code, ...]:
        """All that has to be compiled."""
        borders = (border_code(node.step) for node in self.stencils)
        points = (kernel.code for kernel in self.points if kernel is not None)
        return (*borders, *points, *(code for node in self.stencils for code in node.stencil.codes))

    @property
    def constants(self) -> tuple[Pixels, ...]:
        """All tables that launches need on the device."""
        points = (kernel.tables for kernel in self.points if kernel is not None)
        return (*points, *(table for node in self.stencils for table in node.stencil.constants))

    def most_rows(self, block_rows: int) -> list[int]:
        """Return how many rows may come at once to each stencil, and out of the last one."""
        most = [block_rows]
        for node in self.stencils:
            most.append(most[-1] + 2 * node.step.halo)
        return most

    def row_bytes(self, number: int) -> int:
        """Return the bytes of a row that comes to stencil ``number``, or out of the last one."""
        if number < len(self.stencils):
            return self.stencils[number].step.row_bytes
        return self.after.row_bytes

    def between(self, number: int) -> Rows:
        """Return the rows that come out of stencil ``number``."""
        step = self.stencils[number].step
        return Rows(step.columns, step.channels_after, step.dtype_after)

    def between_pitch(self, number: int) -> int:
        """Return the pitch of rows that lie between stencil ``number`` and a kernel of points."""
        return self.between(number).pitch

    def between_bytes(self, block_rows: int) -> list[int]:
        """Return the bytes of what lies between each stencil and the kernel of points behind it."""
        most = self.most_rows(block_rows)
        return [
            0 if self.points[number + 1] is None else most[number + 1] * self.between_pitch(number)
            for number in range(len(self.stencils))
        ]

    def device_bytes(self, block_rows: int) -> int:
        """Return the memory of the device that a chain takes with blocks of so many rows."""
        most = self.most_rows(block_rows)
        slots = SLOTS * (most[0] * self.before.pitch + most[-1] * self.after.pitch)
        rooms = sum(node.room(rows).size_bytes for node, rows in zip(self.stencils, most, strict=False))
        temporary = sum(
            node.stencil.temporary_bytes(rows + 2 * node.step.halo)
            for node, rows in zip(self.stencils, most, strict=False)
        )
        return slots + rooms + temporary + sum(self.between_bytes(block_rows))

    @property
    def table_bytes(self) -> int:
        """Return the memory of the device for tables, whatever the height of blocks."""
        sizes = [kernel.table_bytes for kernel in self.points if kernel is not None]
        sizes += [table.nbytes for table in self.tables if table is not None]
        for node in self.stencils:
            sizes += BORDER_TABLES * [2 * node.step.halo * np.dtype(np.int32).itemsize]
            sizes += [table.nbytes for table in node.stencil.constants]
        return sum(-(-size // _ALLOCATED_BYTES) * _ALLOCATED_BYTES for size in sizes)

    def pinned_bytes(self, block_rows: int) -> int:
        """Return the pinned memory of the host that a chain takes."""
        most = self.most_rows(block_rows)
        return SLOTS * (most[0] * self.before.row_bytes + most[-1] * self.after.row_bytes)


def make_program(steps: Sequence[Step]) -> Program | str:
    """Compile the steps of a pass; where one has no kernel return in words which and why."""
    stencils: list[StencilNode] = []
    groups: list[list[tuple[Step, Point]]] = [[]]
    for step in steps:
        if step.border is not None:
            stencil = stencil_of(step)
            if stencil is None:
                return _lacking(step)
            stencils.append(StencilNode(step, stencil))
            groups.append([])
        else:
            point = point_of(step)
            if point is None:
                return _lacking(step)
            groups[-1].append((step, point))
    if not steps:
        return "the pass only copies"
    for before, step in pairwise(steps):
        if step.name == _NEEDS_BITS and step.is_float:
            return f"canny of floats needs them to the last bit, and {before.name} on a GPU is not that exact"
    kernels = [_points(group) for group in groups]
    tables: list[Pixels | None] = [
        _table_behind(node, group) for node, group in zip(stencils, groups[1:], strict=True)
    ]
    for number, table in enumerate(tables):
        if table is not None:
            kernels[number + 1] = None
    first, last = steps[0], steps[-1]
    return Program(
        Rows(first.columns, first.channels, first.dtype),
        Rows(last.columns, last.channels_after, last.dtype_after),
        tuple(stencils),
        tuple(kernels),
        tuple(tables),
        tuple(step.name for step in steps if not is_measured(step)),
    )


def _points(group: Sequence[tuple[Step, Point]]) -> PointKernel | None:
    points = merged([point for _, point in group if point != Formula("", point_channels(point))])
    return point_kernel(group[0][0], group[-1][0], points) if points else None


def point_channels(point: Point) -> int:
    """Return the channels that a formula leaves, 0 for a table."""
    return point.channels if isinstance(point, Formula) else 0


def _table_behind(node: StencilNode, group: Sequence[tuple[Step, Point]]) -> Pixels | None:
    """Return the table of the point steps behind a stencil, if it can look them up itself."""
    if not group or not node.stencil.looks_up:
        return None
    return single_table(merged([point for _, point in group]))


def _lacking(step: Step) -> str:
    return (
        f"{step.name} has no GPU kernel for {step.dtype} of {step.channels} channels "
        f"with {', '.join(f'{name}={value}' for name, value in step.params.items()) or 'no parameters'}"
    )
