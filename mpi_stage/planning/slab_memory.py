"""How much of an image a rank holds in slabs while a plan is carried out: what the engine will keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.geometry.partition import message_rows
from mpi_stage.operations.declaring.declaration import Pattern
from mpi_stage.planning.between import Origin, between

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mpi_stage.image import ImageSpec
    from mpi_stage.planning.between import Deal
    from mpi_stage.planning.plan import InputFacts, OutputFacts, Pass, PlannedStep

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


def kept_slabs(passes: Sequence[Pass], source: InputFacts, sink: OutputFacts, deal: Deal) -> Iterator[Kept]:
    """Yield the bytes that each pass leaves in slabs of the rank with most rows.

    Number 0 is what rank 0 has dealt out of an image that only it can read. The last pass leaves rows
    where only rank 0 can write them: each rank keeps its own until it has made them all.
    """
    ranks = deal(passes[0].before).ranks
    first = Origin.of_input(
        divisible=source.divisible, rereadable=source.rereadable, windowed=source.windowed, ranks=ranks
    )
    yield _carried(0, passes[0].before, deal, by_itself=not first.slab)
    for number, (one, lies) in enumerate(zip(passes, between(passes, first, deal), strict=False), 1):
        rows = _slab_bytes(one.after, deal) if lies.kept else 0
        yield Kept(number, rows, _made_bytes(one.ending, deal, travels=lies.travels))
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


def _made_bytes(ending: PlannedStep | None, deal: Deal, *, travels: bool) -> int:
    """Bytes that the step at the end of a pass leaves in slabs; what travels into them included."""
    if ending is None or ending.operation.pattern is not Pattern.GLOBAL:
        return 0
    if travels:
        after, before = _slab_bytes(ending.after, deal), _slab_bytes(ending.before, deal)
        return after + int(EXCHANGED_FRACTION * (after + before))
    declared, partition = ending.operation.slab_bytes, deal(ending.before)
    if declared is None:
        return 0
    return declared(ending.step.params, ending.before, partition.largest, partition.ranks)
