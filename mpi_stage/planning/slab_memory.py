"""How much of an image a rank holds in slabs while a plan is carried out: what the engine will keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.geometry.partition import message_rows
from mpi_stage.operations.declaring.declaration import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mpi_stage.geometry.partition import Partition
    from mpi_stage.image import ImageSpec
    from mpi_stage.planning.plan import InputFacts, OutputFacts, Pass, PlannedStep

    Deal = Callable[[ImageSpec], Partition]

EXCHANGED_FRACTION = 0.25
"""Of a slab whose pixels went to other ranks: what MPI holds of them, seen with large pixels."""


@dataclass(frozen=True)
class Kept:
    """The slabs of one pass: the rows that it makes (``rows``) and those that its ending makes (``made``).

    ``message`` is what is beside them when they are dealt out or gathered, and no pass is at work.
    """

    number: int
    rows: int
    made: int = 0
    message: int = 0


@dataclass
class _Reader:
    """What a pass reads from: where its rows lie, who can read them, and whether they may be read again."""

    slab: bool
    shared: bool
    rereadable: bool
    windowed: bool = False


def kept_slabs(passes: Sequence[Pass], source: InputFacts, sink: OutputFacts, deal: Deal) -> Iterator[Kept]:
    """Yield the bytes that each pass leaves in slabs of the rank with most rows.

    Number 0 is what rank 0 has dealt out of an image that only it can read. The last pass leaves rows
    where only rank 0 can write them: each rank keeps its own until it has made them all.
    """
    ranks = deal(passes[0].before).ranks
    by_itself = source.divisible or ranks == 1
    yield _carried(0, passes[0].before, deal, by_itself=by_itself)
    reader = _Reader(
        slab=not by_itself, shared=by_itself, rereadable=source.rereadable, windowed=source.windowed
    )
    for number, one in enumerate(passes[:-1], 1):
        rows = made = 0
        if _keeps(one, reader):
            rows = _slab_bytes(one.after, deal)
            reader = _Reader(slab=True, shared=False, rereadable=True)
        if one.ending is not None and one.ending.operation.pattern is Pattern.GLOBAL:
            made, reader = _made(one.ending, reader, deal)
        yield Kept(number, rows, made)
    yield _carried(len(passes), passes[-1].after, deal, by_itself=sink.divisible or ranks == 1)


def _carried(number: int, image: ImageSpec, deal: Deal, *, by_itself: bool) -> Kept:
    """Return what a rank holds of an image that rank 0 reads or writes for all; nothing of any other."""
    if by_itself:
        return Kept(number, 0)
    rows = min(deal(image).largest, message_rows(image.row_bytes))
    return Kept(number, _slab_bytes(image, deal), message=rows * image.row_bytes)


def _slab_bytes(image: ImageSpec, deal: Deal) -> int:
    """Bytes of the rows of the rank with most."""
    return deal(image).largest * image.row_bytes


def peak_bytes(kept: Sequence[Kept]) -> int:
    """Return the most that lies in slabs at once: earlier ones are given back when rows are kept anew."""
    alive = most = 0
    for one in kept:
        most = max(most, alive + one.rows)
        alive = (one.rows or alive) + one.made
        most = max(most, alive + one.message)
    return most


def _keeps(one: Pass, reader: _Reader) -> bool:
    """Whether the rows that a pass makes must lie in a slab for what ends it."""
    ending = one.ending
    if one.steps or ending is None or ending.operation.remap is None:
        return bool(one.steps) or not reader.rereadable
    if reader.slab:
        return False
    remap = ending.operation.remap(ending.step.params, ending.before, ending.after)
    return not reader.shared or (remap.rereads and not reader.windowed)


def _made(ending: PlannedStep, reader: _Reader, deal: Deal) -> tuple[int, _Reader]:
    """Return the bytes that a global step leaves in slabs, and what the next pass reads from."""
    operation, partition = ending.operation, deal(ending.before)
    in_slab = _Reader(slab=True, shared=False, rereadable=True)
    if operation.remap is None:
        declared = operation.slab_bytes
        rows = partition.largest
        made = declared(ending.step.params, ending.before, rows, partition.ranks) if declared else 0
        return made, in_slab
    remap = operation.remap(ending.step.params, ending.before, ending.after)
    alone = reader.shared or partition.ranks == 1 or (remap.rowwise and partition == deal(ending.after))
    if alone:
        cheap = operation.moves_values
        return 0, _Reader(slab=False, shared=reader.shared and cheap, rereadable=cheap)
    after, before = _slab_bytes(ending.after, deal), _slab_bytes(ending.before, deal)
    return after + int(EXCHANGED_FRACTION * (after + before)), in_slab
