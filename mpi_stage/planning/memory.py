"""How much anonymous memory one rank will need, from sizes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.operations.declaring.declaration import Pattern
from mpi_stage.planning.ending_memory import ending_bytes, found_bytes, reading_bytes
from mpi_stage.planning.slab_memory import kept_slabs, peak_bytes
from mpi_stage.planning.step_memory import edge_bytes, measuring_bytes, pass_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mpi_stage.geometry.partition import Partition
    from mpi_stage.image import ImageSpec
    from mpi_stage.planning.ending_memory import Reading
    from mpi_stage.planning.plan import InputFacts, OutputFacts, Pass
    from mpi_stage.planning.slab_memory import Kept

    Deal = Callable[[ImageSpec], Partition]

LATER_BYTES = 10 << 20
"""What is imported, and set up by libraries, once the program has started: codecs, MPI's buffers."""

TYPICAL_PROGRAM_BYTES = 32 << 20
"""The interpreter, NumPy, OpenCV and MPI before the first pixel, where nobody has measured it."""


@dataclass(frozen=True)
class MemoryModel:
    """The parts of a rank's memory: ``always`` and, per pass, ``working`` and ``slabs``, in bytes.

    ``encoding_bytes`` are taken while the last pass is carried out. ``slab_bytes`` is the most that lies in
    slabs, and in messages beside them, at once; ``message_bytes`` is the largest message between rank 0 and
    the others where only that one can read or write.
    """

    always: tuple[tuple[str, int], ...]
    working: tuple[tuple[str, int], ...]
    slabs: tuple[tuple[str, int], ...]
    ranks: int
    block_rows: int
    encoding_bytes: int = 0
    slab_bytes: int = 0
    message_bytes: int = 0

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
        kept = tuple(kept_slabs(passes, source, sink, deal))
        working = tuple(_working_of(passes, kept[1:], deal, block_rows))
        slabs = tuple((f"the slab before pass {one.number + 1}", one.rows + one.made) for one in kept)
        message_bytes = max(one.message for one in kept)
        ranks = deal(passes[0].before).ranks
        return cls(
            tuple(always),
            working,
            slabs,
            ranks,
            block_rows,
            sink.encode_bytes,
            peak_bytes(kept),
            message_bytes,
        )

    def peak_bytes(self, *, slabs_in_memory: bool) -> int:
        """Return the predicted peak anonymous memory of the rank that needs most."""
        always = sum(size for _, size in self.always)
        *earlier, last = (size for _, size in self.working)
        working = max(*earlier, last + self.encoding_bytes) if earlier else last + self.encoding_bytes
        if slabs_in_memory:
            return always + working + self.slab_bytes
        return always + max(working, self.message_bytes + self.encoding_bytes)

    def largest(self, *, slabs_in_memory: bool) -> tuple[str, int]:
        """Return the name and size of the largest part."""
        encoding = ("encoding and writing", self.encoding_bytes)
        parts = (*self.always, *self.working, encoding, *(self.slabs if slabs_in_memory else ()))
        return max(parts, key=lambda part: part[1])


def _working_of(
    passes: Sequence[Pass], kept: Sequence[Kept], deal: Deal, block_rows: int
) -> Iterator[tuple[str, int]]:
    """Yield what takes most of each pass, and the bytes of all of it.

    What reduce steps have found stays to the end; rows that a global step makes only when they are read
    take memory in the passes after it, until they lie in a slab.
    """
    found = 0
    read: list[Reading] = []
    for one, slabs in zip(passes, kept, strict=True):
        rows = min(block_rows, max(1, deal(one.before).largest))
        reading = max((each.working for each in read), default=0)
        held = found + sum(each.kept for each in read)
        sweep = pass_bytes(one, rows, reading) + edge_bytes(one, deal(one.before), rows)
        whole = held + _with_ending(one, deal, rows, sweep, apart=bool(slabs.made))
        yield _label(one, sweep, whole), whole
        if slabs.rows:
            read.clear()
        if one.ending is not None:
            found += found_bytes(one.ending)
            if one.ending.operation.remap is not None and slabs.made:
                read.clear()
            elif one.ending.operation.pattern is Pattern.GLOBAL:
                read.append(reading_bytes(one.ending, deal, rows, apart=bool(slabs.made)))


def _with_ending(one: Pass, deal: Deal, block_rows: int, sweep: int, *, apart: bool) -> int:
    """Bytes of a pass: its sweep, and what ends it."""
    if one.ending is None:
        return sweep
    ending = ending_bytes(one.ending, deal, block_rows, apart=apart)
    if one.ending.operation.pattern is Pattern.REDUCE:
        return sweep + ending + measuring_bytes(one.ending, block_rows)
    return max(sweep, ending + block_rows * one.ending.before.row_bytes)


def _label(one: Pass, sweep: int, whole: int) -> str:
    """Name what takes most of a pass: its blocks, or the step at its end."""
    if one.ending is not None and whole > 2 * sweep:
        return str(one.ending.operation.name)
    names: Iterator[str] = (step.operation.name for step in one.steps)
    return "the blocks of " + (" → ".join(names) or "copying")
