"""What lies between the passes of a plan: which rows are kept in slabs, and what each pass reads from.

Pure, from sizes and facts alone: the engine does as it says, and the predictions of memory, of traffic and of
how often an input is read follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.operations.declaring.declaration import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mpi_stage.geometry.partition import Partition
    from mpi_stage.image import ImageSpec
    from mpi_stage.planning.plan import Pass, PlannedStep

    Deal = Callable[[ImageSpec], Partition]
    """How the rows of an image are dealt."""


@dataclass(frozen=True)
class Origin:
    """What a pass reads from.

    Attributes
    ----------
    slab: whether it is a slab, which has this rank's rows alone.
    shared: whether every rank can read any row by itself.
    rereadable: whether rows had better be read anew than kept.
    windowed: whether some pixels of a row can be read without the others.

    """

    slab: bool
    shared: bool
    rereadable: bool
    windowed: bool = False

    @classmethod
    def of_input(cls, *, divisible: bool, rereadable: bool, windowed: bool, ranks: int) -> Origin:
        """Return what the first pass reads from: the input, or a slab that rank 0 has dealt out.

        ``divisible`` and the others are what the input's header says, see ``plan.InputFacts``.
        """
        if divisible or ranks == 1:
            return cls(slab=False, shared=True, rereadable=rereadable, windowed=windowed)
        return IN_SLAB


IN_SLAB = Origin(slab=True, shared=False, rereadable=True)
MADE_WHEN_READ = Origin(slab=False, shared=False, rereadable=True)
"""What most global steps leave: their rows are made block by block, as the next pass reads them."""


@dataclass(frozen=True)
class Between:
    """What lies between a pass and the next one.

    Attributes
    ----------
    kept: whether the rows that the pass makes lie in a slab for the step that ends it.
    reads: what that step reads from: the slab if they do, else what the pass itself reads from.
    travels: whether that step moves pixels from rank to rank, into a slab of the image after.

    """

    kept: bool
    reads: Origin
    travels: bool


def between(passes: Sequence[Pass], first: Origin, deal: Deal) -> Iterator[Between]:
    """Yield what lies behind each pass but the last; the first one reads from ``first``."""
    origin = first
    for one in passes[:-1]:
        kept = _keeps(one, origin)
        reads = IN_SLAB if kept else origin
        travels = one.ending is not None and _travels(one.ending, reads, deal)
        yield Between(kept, reads, travels)
        origin = _left(one.ending, reads, travels=travels)


def _keeps(one: Pass, origin: Origin) -> bool:
    """Whether the rows that a pass makes must lie in a slab for what ends it."""
    ending = one.ending
    if one.steps or ending is None or ending.operation.remap is None:
        return bool(one.steps) or not origin.rereadable
    if origin.slab:
        return False
    remap = ending.operation.remap(ending.step.params, ending.before, ending.after)
    return not origin.shared or (remap.rereads and not origin.windowed)


def _travels(ending: PlannedStep, origin: Origin, deal: Deal) -> bool:
    """Whether a change of geometry needs pixels that a rank cannot read by itself."""
    if ending.operation.remap is None:
        return False
    before, after = deal(ending.before), deal(ending.after)
    if origin.shared or before.ranks == 1:
        return False
    rowwise = ending.operation.remap(ending.step.params, ending.before, ending.after).rowwise
    return not (rowwise and before == after)


def _left(ending: PlannedStep | None, origin: Origin, *, travels: bool) -> Origin:
    """Return what the pass after one that ends so reads from."""
    if ending is None or ending.operation.pattern is not Pattern.GLOBAL:
        return origin
    operation = ending.operation
    if operation.remap is None:
        return IN_SLAB if operation.ends_in_slab(ending.step.params) else MADE_WHEN_READ
    if travels:
        return IN_SLAB
    cheap = operation.moves_values
    return Origin(slab=False, shared=origin.shared and cheap, rereadable=cheap)
