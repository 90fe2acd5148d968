"""One rank's rows through one pass: read a block, filter it, hand it on."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mpi_stage.bands.grid import BandEnds
from mpi_stage.geometry.partition import Rows, goes_inside_first
from mpi_stage.geometry.window import Window
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.planning.plan import Pass
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rows.halo import HaloSwap
from mpi_stage.rows.slab import Foresighted, RowReader, WindowReader
from mpi_stage.sweep.chains import PassChain, Room, one_buffer, open_chain
from mpi_stage.sweep.edge import UpperEdge
from mpi_stage.sweep.stream import Emit

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
    runs: Sequence[Rows] | None = None,
    band_rows: int | None = None,
) -> None:
    """Send the rows of ``slab`` through the steps of a pass; ``take(first, rows)`` gets the results.

    Results come once each, in order, and may only be used until ``take`` returns. ``tick(rows)`` is
    called after each block. The halo rows above travel while the first block is read and its interior
    filtered, the rows below during all of the slab. Of ``runs``, only those rows of the slab are made, and
    no others read but their halo rows. Where ``band_rows`` make a band, no result
    is made before the bands above it are complete and taken, so that none of them can be lost with it.
    """
    for run in (slab,) if runs is None else runs:
        if run.height:
            _make(run, one, slab, reader, swap, take, block_rows, band_rows, measured, clock, tick)
    swap.wait_all()


def _make(  # noqa: PLR0917  (one place calls it, with all that it has)
    run: Rows,
    one: Pass,
    slab: Rows,
    reader: RowReader,
    swap: HaloSwap,
    take: Take,
    block_rows: int,
    band_rows: int | None,
    measured: Sequence[Any],
    clock: PhaseClock,
    tick: Tick,
) -> None:
    """Send some rows of a slab, and their halo rows, through the steps of a pass."""
    row = run.first

    def emit(rows: Pixels) -> None:
        nonlocal row
        take(row, rows)
        row += len(rows)

    halo = one.halo_rows
    arriving = Rows(max(swap.arriving.first, run.first - halo), min(swap.arriving.end, run.end + halo))
    own = Rows(max(slab.first, arriving.first), min(slab.end, arriving.end))
    rows_at_once = min(one.gpu.block_rows if one.gpu else block_rows, run.height)
    ends = None if band_rows is None else BandEnds(run.first + halo, band_rows)
    apart = isinstance(reader, WindowReader) and reader.reads_windows
    waits = swap.need.above.height and run.first == slab.first and one.gpu is None
    first_rows = min(block_rows, (band_rows or block_rows) + halo)
    inside_first = waits and goes_inside_first(run.height, halo, first_rows)
    edge = UpperEdge(one, arriving, run, measured) if inside_first else None
    entering, inside = (edge.entering, edge.inside) if edge else (arriving, run)
    with open_chain(one, entering, inside, rows_at_once, measured, apart=apart) as chain:
        for first, rows in blocks(one.before, own, reader, rows_at_once, chain.room, ends=ends):
            with clock.phase("compute"):
                if first > own.first:
                    chain.push(rows, emit)
                elif edge:
                    _begin_inside(chain, rows, edge, swap, emit)
                else:
                    above = swap.wait_above()
                    chain.push(above[len(above) - (own.first - arriving.first) :], emit)
                    chain.push(rows, emit)
            swap.progress()
            tick(max(0, min(first + len(rows), run.end) - max(first, run.first)))
        below = swap.wait_below()
        with clock.phase("compute"):
            chain.push(below[: arriving.end - own.end], emit)
            chain.finish(emit)


def _begin_inside(chain: PassChain, rows: Pixels, edge: UpperEdge, swap: HaloSwap, emit: Emit) -> None:
    """Send a slab's first block through, then its edge with the rows above it."""
    for part in edge.parts(rows):
        chain.push(part, edge.hold)
        swap.progress()
    edge.finish(swap.wait_above(), emit)


def blocks(
    spec: ImageSpec,
    slab: Rows,
    reader: RowReader,
    block_rows: int,
    room: Room | None = None,
    *,
    ends: BandEnds | None = None,
) -> Iterator[tuple[int, Pixels]]:
    """Yield first row and rows of a slab, a block at a time, in memory that is used again.

    ``room`` gives that memory for as many rows; it is called once for each block. Only where ``reader``
    reads windows may the rows lie apart. No block goes beyond one of ``ends``.
    """
    if isinstance(reader, Foresighted):
        reader.expect_rows(slab.first, slab.height)
    room = room or one_buffer(spec, min(block_rows, slab.height))
    first = slab.first
    while first < slab.end:
        end = min(first + block_rows, slab.end, slab.end if ends is None else ends.after(first))
        rows = room(end - first)
        if isinstance(reader, WindowReader) and not rows.flags.c_contiguous:
            reader.read_window(Window(Rows(first, first + len(rows)), Rows(0, spec.columns)), rows)
        else:
            reader.read_rows(first, rows)
        yield first, rows
        first = end
