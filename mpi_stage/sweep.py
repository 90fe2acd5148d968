"""One rank's rows through one pass: read a block, filter it, hand it on."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mpi_stage.chains import Room, one_buffer, open_chain
from mpi_stage.halo import HaloSwap
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.partition import Rows
from mpi_stage.plan import Pass
from mpi_stage.slab import Foresighted, RowReader, WindowReader
from mpi_stage.timing import PhaseClock
from mpi_stage.window import Window

Take = Callable[[int, Pixels], None]
Tick = Callable[[int], None]


def sweep(
    one: Pass,
    slab: Rows,
    reader: RowReader,
    swap: HaloSwap,
    take: Take,
    *,
    block_rows: int,
    measured: Sequence[Any],
    clock: PhaseClock,
    tick: Tick,
) -> None:
    """Send the rows of ``slab`` through the steps of a pass; ``take(first, rows)`` gets the results.

    Results come once each, in order, and may only be used until ``take`` returns. ``tick(rows)`` is
    called after each block. The halo rows travel while the first block is read; the rows below are
    needed last, and are on their way during all of the interior.
    """
    if not slab.height:
        swap.wait_all()
        return
    row = slab.first

    def emit(rows: Pixels) -> None:
        nonlocal row
        take(row, rows)
        row += len(rows)

    rows_at_once = one.gpu.block_rows if one.gpu else block_rows
    apart = isinstance(reader, WindowReader) and reader.reads_windows
    with open_chain(one, swap.arriving, slab, rows_at_once, measured, apart=apart) as chain:
        for first, rows in blocks(one.before, slab, reader, rows_at_once, chain.room):
            if first == slab.first:
                above = swap.wait_above()
                with clock.phase("compute"):
                    chain.push(above, emit)
            with clock.phase("compute"):
                chain.push(rows, emit)
            swap.progress()
            tick(len(rows))
        below = swap.wait_below()
        with clock.phase("compute"):
            chain.push(below, emit)
            chain.finish(emit)
    swap.wait_all()


def blocks(
    spec: ImageSpec, slab: Rows, reader: RowReader, block_rows: int, room: Room | None = None
) -> Iterator[tuple[int, Pixels]]:
    """Yield first row and rows of a slab, a block at a time, in memory that is used again.

    ``room`` gives that memory for as many rows; it is called once for each block. Only where ``reader``
    reads windows may the rows lie apart.
    """
    if isinstance(reader, Foresighted):
        reader.expect_rows(slab.first, slab.height)
    room = room or one_buffer(spec, min(block_rows, slab.height))
    for first in range(slab.first, slab.end, block_rows):
        rows = room(min(block_rows, slab.end - first))
        if isinstance(reader, WindowReader) and not rows.flags.c_contiguous:
            reader.read_window(Window(Rows(first, first + len(rows)), Rows(0, spec.columns)), rows)
        else:
            reader.read_rows(first, rows)
        yield first, rows
