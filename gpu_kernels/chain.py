"""The steps of a pass on a device, as a stream of rows: what goes in comes out filtered, in order.

Each stencil keeps the last ``2 · halo`` rows that it got in memory of the device, with its borders filled
in, and kernels write straight into the next stencil's memory. While kernels work on one block, the next is
copied up and the one before copied down.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gpu_kernels.backend import DOWN, UP, WORK, Backend, Event
from gpu_kernels.border import Border
from gpu_kernels.program import Program, StencilNode
from gpu_kernels.slots import SLOTS, Slots
from gpu_kernels.stencils import Place
from gpu_kernels.step import Pixels

Emit = Callable[[Pixels], None]


class Span(NamedTuple):
    """Rows from ``first`` up to, not including, ``end``; outside the image in a periodic pass."""

    first: int
    end: int


class _Stencil:
    """A stencil step at work: its rows on the device, and where in the image they are."""

    def __init__(
        self, node: StencilNode, backend: Backend, arriving: Span, most_rows: int, *, periodic: bool
    ) -> None:
        step = node.step
        self._node = node
        self._backend = backend
        self._halo = step.halo
        self._at_top = not periodic and arriving.first == 0
        self._at_bottom = not periodic and arriving.end == step.rows
        self._filled = self._halo if self._at_top else 0
        self._next_row = arriving.first
        self._primed = not self._at_top
        self._room = node.room(most_rows)
        self._address = backend.allocate(self._room.size_bytes)
        temporary = node.stencil.temporary_bytes(most_rows + 2 * self._halo)
        self._temporary = backend.allocate(temporary) if temporary else 0
        self._border = Border(step, self._room, backend)
        self.leaving = _leaving(arriving, self._halo, at_top=self._at_top, at_bottom=self._at_bottom)

    def place(self) -> tuple[int, int]:
        """Return address and pitch for the rows that come next."""
        return self._room.row(self._address, self._filled), self._room.pitch

    def accept(self, rows: int) -> int:
        """Take rows that have been put there; return how many can be filtered."""
        self._border.columns(self._address, self._filled, rows)
        self._filled += rows
        self._next_row += rows
        if not self._primed and self._filled > 2 * self._halo:
            self._extend_up()
        return self._ready() if self._primed else 0

    def end(self) -> int:
        """Make the rows below the image, if it ends here; return how many can be filtered."""
        if not self._primed:
            self._extend_up()
        if self._at_bottom:
            self._border.below(self._address, self._filled, self._filled - self._next_row)
            self._filled += self._halo
        return self._ready()

    def filter(self, target: int, target_pitch: int, rows: int, table: int) -> None:
        """Filter the first rows into a place of the device, and keep those that later ones need."""
        source = self._room.row(self._address, self._halo)
        place = Place(source, self._room.pitch, target, target_pitch, rows, table)
        self._node.stencil.launch(self._backend, place, self._temporary)
        self._keep(rows)

    def _extend_up(self) -> None:
        self._border.above(self._address, self._filled - self._next_row)
        self._primed = True

    def _ready(self) -> int:
        return max(0, self._filled - 2 * self._halo)

    def _keep(self, done: int) -> None:
        """Move the last rows to the front, in pieces that do not overlap."""
        kept = self._filled - done
        for first in range(0, kept, done):
            count = min(done, kept - first)
            source = self._room.start(self._address, first + done)
            target = self._room.start(self._address, first)
            pitches = (self._room.pitch, self._room.pitch)
            self._backend.copy(target, source, pitches, self._room.used_bytes, count)
        self._filled = kept


def _leaving(arriving: Span, halo: int, *, at_top: bool, at_bottom: bool) -> Span:
    """Return the rows that leave a stencil step that gets ``arriving``."""
    first = arriving.first if at_top else arriving.first + halo
    end = arriving.end if at_bottom else arriving.end - halo
    return Span(first, max(first, end))


@dataclass
class _Block:
    """Rows on their way down: where they will lie on the host, and when."""

    rows: Pixels
    arrived: Event


class Chain:
    """A pass for one rank: rows of the host in at one end, filtered rows of its slab out at the other."""

    def __init__(
        self,
        program: Program,
        backend: Backend,
        arriving: tuple[int, int],
        slab: tuple[int, int],
        block_rows: int,
        *,
        periodic: bool,
    ) -> None:
        """Prepare for the virtual rows ``arriving``, at most ``block_rows`` at once; ``slab`` comes out."""
        self._program = program
        self._backend = backend
        self._block_rows = block_rows
        self._slab = slab
        self._stencils: list[_Stencil] = []
        span = Span(*arriving)
        for node, most in zip(program.stencils, program.most_rows(block_rows), strict=False):
            self._stencils.append(_Stencil(node, backend, span, most, periodic=periodic))
            span = self._stencils[-1].leaving
        self._row = span.first
        self._point_rows = [arriving[0], *(stencil.leaving.first for stencil in self._stencils)]
        self._ups = Slots(backend, program.before, block_rows)
        self._downs = Slots(backend, program.after, program.most_rows(block_rows)[-1])
        self._between = [backend.allocate(size) if size else 0 for size in program.between_bytes(block_rows)]
        self._tables = [backend.constant(table) if table is not None else 0 for table in program.tables]
        for table in program.constants:
            backend.constant(table)
        self._under_way: deque[_Block] = deque()

    def room(self, rows: int) -> Pixels:
        """Return host memory for the next rows that are pushed; filling it saves a copy."""
        return self._ups.host(rows)

    def push(self, rows: Pixels, emit: Emit) -> None:
        """Send rows through; ``emit`` gets the slab's rows, in order, as they come back."""
        for first in range(0, len(rows), self._block_rows):
            self._push(rows[first : first + self._block_rows], emit)

    def finish(self, emit: Emit) -> None:
        """Bring out all that the steps hold back."""
        for number, stencil in enumerate(self._stencils):
            self._filter(number, stencil.end(), emit)
        while self._under_way:
            self._hand_out(emit)

    def _push(self, rows: Pixels, emit: Emit) -> None:
        host = self.room(len(rows))
        if rows.ctypes.data != host.ctypes.data:
            np.copyto(host, rows)
        source = self._ups.device
        self._backend.copy_up(source, self._ups.pitch, host)
        self._backend.after(WORK, self._backend.mark(UP))
        self._points(0, source, self._ups.pitch, len(rows), emit)
        self._ups.turn(self._backend.mark(WORK))

    def _points(self, number: int, source: int, pitch: int, rows: int, emit: Emit) -> None:
        """Send rows on the device through the point steps before stencil ``number``, and on from there."""
        last = number == len(self._stencils)
        target, target_pitch = self._down_place(emit) if last else self._stencils[number].place()
        kernel = self._program.points[number]
        if kernel is not None:
            place = Place(source, pitch, target, target_pitch, rows, 0)
            kernel.launch(self._backend, place, self._point_rows[number])
            self._point_rows[number] += rows
        elif source != target:
            row_bytes = self._program.row_bytes(number)
            self._backend.copy(target, source, (target_pitch, pitch), row_bytes, rows)
        self._arrived(number, rows, emit)

    def _arrived(self, number: int, rows: int, emit: Emit) -> None:
        if number == len(self._stencils):
            self._send_down(rows)
        else:
            self._filter(number, self._stencils[number].accept(rows), emit)

    def _filter(self, number: int, rows: int, emit: Emit) -> None:
        """Let a stencil filter rows: into the next one's memory, where no kernel of points lies between."""
        if not rows:
            return
        stencil, follows = self._stencils[number], number + 1
        if self._program.points[follows] is not None:
            target, pitch = self._between[number], self._program.between_pitch(number)
            stencil.filter(target, pitch, rows, self._tables[number])
            self._points(follows, target, pitch, rows, emit)
            return
        last = follows == len(self._stencils)
        target, pitch = self._down_place(emit) if last else self._stencils[follows].place()
        stencil.filter(target, pitch, rows, self._tables[number])
        self._arrived(follows, rows, emit)

    def _down_place(self, emit: Emit) -> tuple[int, int]:
        """Return a place on the device to copy down from; hands out the oldest block if need be."""
        if len(self._under_way) == SLOTS:
            self._hand_out(emit)
        return self._downs.device, self._downs.pitch

    def _send_down(self, rows: int) -> None:
        self._backend.after(DOWN, self._backend.mark(WORK))
        host = self._downs.host(rows)
        self._backend.copy_down(host, self._downs.device, self._downs.pitch)
        arrived = self._backend.mark(DOWN)
        self._under_way.append(_Block(host, arrived))
        self._downs.turn(arrived)

    def _hand_out(self, emit: Emit) -> None:
        """Wait for the oldest block and hand on its rows of the slab."""
        block = self._under_way.popleft()
        self._backend.wait(block.arrived)
        first = max(self._row, self._slab[0]) - self._row
        end = min(self._row + len(block.rows), self._slab[1]) - self._row
        self._row += len(block.rows)
        if first < end:
            emit(block.rows[first:end])
