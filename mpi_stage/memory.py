"""How much anonymous memory one rank will need, from sizes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.operations.declaration import Pattern
from mpi_stage.slab_memory import kept_slabs, peak_bytes
from mpi_stage.step_memory import edge_bytes, measuring_bytes, pass_bytes
from mpi_stage.window import TILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mpi_stage.image import ImageSpec
    from mpi_stage.partition import Partition
    from mpi_stage.plan import InputFacts, OutputFacts, Pass, PlannedStep

    Deal = Callable[[ImageSpec], Partition]

LATER_BYTES = 10 << 20
"""What is imported, and set up by libraries, once the program has started: codecs, MPI's buffers."""

TYPICAL_PROGRAM_BYTES = 32 << 20
"""The interpreter, NumPy, OpenCV and MPI before the first pixel, where nobody has measured it."""

LABEL_BYTES_PER_PIXEL = 16
"""Connected components of one block: labels, masks and their temporaries."""

TILES_AT_ONCE = 5
"""Tiles that a change of geometry holds: what is made, its copy, its window, and what travels."""

STATES_AT_ONCE = 4
"""Copies of what a reduce step measures into while the ranks join theirs."""

SEAM_BYTES_PER_COLUMN = 32
"""What is kept of each block's first and last row until components are joined."""


@dataclass(frozen=True)
class MemoryModel:
    """The parts of a rank's memory: ``always`` and, per pass, ``working`` and ``slabs``, in bytes.

    ``slab_bytes`` is the most that lies in slabs at once, ``dealt`` are the bytes of a rank's rows of an
    image that only rank 0 can read, and of one that only it can write.
    """

    always: tuple[tuple[str, int], ...]
    working: tuple[tuple[str, int], ...]
    slabs: tuple[tuple[str, int], ...]
    ranks: int
    block_rows: int
    slab_bytes: int = 0
    dealt: int = 0

    @classmethod
    def of(
        cls,
        passes: Sequence[Pass],
        source: InputFacts,
        sink: OutputFacts,
        deal: Deal,
        block_rows: int,
        *,
        program_bytes: int,
    ) -> MemoryModel:
        """Build the model for the rank with most to do.

        ``deal`` says how an image's rows are dealt, ``program_bytes`` what a rank has before it begins.
        """
        always = [("the program itself", program_bytes + LATER_BYTES)]
        always.append(("reading and decoding", source.decode_bytes))
        always.append(("encoding and writing", sink.encode_bytes))
        working = tuple(_working(one, deal, block_rows) for one in passes)
        kept = tuple(kept_slabs(passes, source, deal))
        slabs = tuple((f"the slab before pass {one.number + 1}", one.rows + one.made) for one in kept)
        ranks = deal(passes[0].before).ranks
        carried = (
            (passes[0].before, source.divisible or ranks == 1),
            (passes[-1].after, sink.divisible or ranks == 1),
        )
        dealt = sum(deal(spec).largest * spec.row_bytes for spec, by_itself in carried if not by_itself)
        return cls(tuple(always), working, slabs, ranks, block_rows, peak_bytes(kept), dealt)

    def peak_bytes(self, *, slabs_in_memory: bool) -> int:
        """Return the predicted peak anonymous memory of the rank that needs most."""
        total = sum(size for _, size in self.always) + max(size for _, size in self.working)
        return total + (self.dealt + self.slab_bytes if slabs_in_memory else 0)

    def largest(self, *, slabs_in_memory: bool) -> tuple[str, int]:
        """Return the name and size of the largest part."""
        parts = (*self.always, *self.working, *(self.slabs if slabs_in_memory else ()))
        return max(parts, key=lambda part: part[1])


def _working(one: Pass, deal: Deal, block_rows: int) -> tuple[str, int]:
    """Return what takes most of a pass, and the bytes of all of it."""
    block_rows = min(block_rows, max(1, deal(one.before).largest))
    sweep = pass_bytes(one, block_rows) + edge_bytes(one, deal(one.before), block_rows)
    whole = _with_ending(one, deal, block_rows, sweep)
    return _label(one, sweep, whole), whole


def _with_ending(one: Pass, deal: Deal, block_rows: int, sweep: int) -> int:
    """Bytes of a pass: its sweep, and what ends it."""
    if one.ending is None:
        return sweep
    ending = _ending_bytes(one.ending, deal, block_rows)
    if one.ending.operation.pattern is Pattern.REDUCE:
        return sweep + ending + measuring_bytes(one.ending, block_rows)
    return max(sweep, ending + block_rows * one.ending.before.row_bytes)


def _ending_bytes(ending: PlannedStep, deal: Deal, block_rows: int) -> int:
    """Bytes that a reduce or global step needs of one rank while it works, beside slabs."""
    operation, partition = ending.operation, deal(ending.before)
    if operation.working_bytes is not None:
        return operation.working_bytes(ending.step.params, ending.before, partition.largest, partition.ranks)
    if operation.pattern is Pattern.REDUCE:
        return _state_bytes(ending)
    if operation.remap is not None:
        return _tile_bytes(ending, deal, block_rows)
    return _collective_bytes(ending.before, partition.largest, block_rows)


def _state_bytes(ending: PlannedStep) -> int:
    """Bytes of what a reduce step measures into: the rank's own, what is sent, joined, and made of it."""
    reduction, params = ending.operation.reduction, ending.step.params
    if reduction is None:
        return 0
    first, *_ = reduction.rounds(ending.kernel_spec, params)
    return STATES_AT_ONCE * int(first.start(ending.kernel_spec, params, None).nbytes)


def _tile_bytes(ending: PlannedStep, deal: Deal, block_rows: int) -> int:
    """Bytes for moving pixels: a tile, what it is made of, and pieces of it sent and received.

    A rank that needs no rows of others makes a tile as it is read, no higher than a block.
    """
    images = (ending.before, ending.after)
    parts = [deal(image) for image in images]
    remap = ending.operation.remap
    alone = remap is not None and remap(ending.step.params, *images).rowwise and parts[0] == parts[1]
    rows = [min(part.largest, block_rows) if alone else part.largest for part in parts]
    tile = min(TILE_BYTES, max(high * image.row_bytes for high, image in zip(rows, images, strict=True)))
    return TILES_AT_ONCE * max(tile, *(image.row_bytes for image in images))


def _collective_bytes(spec: ImageSpec, slab_rows: int, block_rows: int) -> int:
    """Bytes for joining components: one block's labels and the seams of all blocks."""
    blocks = -(-slab_rows // max(1, block_rows))
    return spec.columns * (block_rows * LABEL_BYTES_PER_PIXEL + blocks * SEAM_BYTES_PER_COLUMN)


def _label(one: Pass, sweep: int, whole: int) -> str:
    """Name what takes most of a pass: its blocks, or the step at its end."""
    if one.ending is not None and whole > 2 * sweep:
        return str(one.ending.operation.name)
    names: Iterator[str] = (step.operation.name for step in one.steps)
    return "the blocks of " + (" → ".join(names) or "copying")
