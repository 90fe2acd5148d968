"""How much anonymous memory one rank will need, from sizes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.operations.declaration import Pattern
from mpi_stage.window import TILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mpi_stage.image import ImageSpec
    from mpi_stage.partition import Partition
    from mpi_stage.plan import InputFacts, OutputFacts, Pass, PlannedStep

    Deal = Callable[[ImageSpec], Partition]

BASE_BYTES = 96 << 20
"""The interpreter, NumPy, OpenCV, imagecodecs, SciPy and MPI's buffers, before the first pixel."""

KERNEL_BYTES_PER_VALUE = 16
"""Temporaries of a kernel: up to four float32 copies of its padded block."""

MASKED_BYTES_PER_VALUE = 48
"""The same where pixels without data are left out: six float64 copies."""

LABEL_BYTES_PER_PIXEL = 16
"""Connected components of one block: labels, masks and their temporaries."""

TILES_AT_ONCE = 5
"""Tiles that a change of geometry holds: what is made, its copy, its window, and what travels."""

SEAM_BYTES_PER_COLUMN = 32
"""What is kept of each block's first and last row until components are joined."""


@dataclass(frozen=True)
class MemoryModel:
    """The parts of a rank's memory: ``always`` and, per pass, ``working`` and ``slabs``, in bytes.

    ``inner`` are the bytes of the slabs that the global step at the end of each pass makes, ``dealt``
    those of a rank's rows of an image that only rank 0 can read, and of one that only it can write.
    """

    always: tuple[tuple[str, int], ...]
    working: tuple[tuple[str, int], ...]
    slabs: tuple[tuple[str, int], ...]
    ranks: int
    block_rows: int
    inner: tuple[int, ...] = ()
    dealt: int = 0

    @classmethod
    def of(
        cls,
        passes: Sequence[Pass],
        source: InputFacts,
        sink: OutputFacts,
        deal: Deal,
        block_rows: int,
    ) -> MemoryModel:
        """Build the model for the rank with most to do; ``deal`` says how an image's rows are dealt."""
        always = [("the program itself", BASE_BYTES)]
        always.append(("reading and decoding", source.decode_bytes))
        always.append(("encoding and writing", sink.encode_bytes))
        working = tuple(
            (
                _label(one),
                sum(_step_bytes(step, block_rows) for step in one.steps) + _frame_bytes(one, block_rows),
            )
            for one in passes
        )
        slabs = tuple(
            (f"the slab before pass {number + 2}", deal(one.after).largest * one.after.row_bytes)
            for number, one in enumerate(passes[:-1])
        )
        inner = tuple(_global_bytes(one.ending, deal, kept=True, block_rows=block_rows) for one in passes)
        ends = tuple(
            (
                one.ending.operation.name,
                _global_bytes(one.ending, deal, kept=False, block_rows=block_rows),
            )
            for one in passes
            if one.ending
        )
        ranks = deal(passes[0].before).ranks
        carried = (
            (passes[0].before, source.divisible or ranks == 1),
            (passes[-1].after, sink.divisible or ranks == 1),
        )
        dealt = sum(deal(spec).largest * spec.row_bytes for spec, by_itself in carried if not by_itself)
        return cls((*always, *ends), working, slabs, ranks, block_rows, inner[:-1], dealt)

    def peak_bytes(self, *, slabs_in_memory: bool) -> int:
        """Return the predicted peak of the rank that needs most."""
        total = sum(size for _, size in self.always) + max(size for _, size in self.working)
        if slabs_in_memory:
            total += self.dealt
        if slabs_in_memory and self.slabs:
            sizes = [size for _, size in self.slabs]
            total += max(sum(sizes[index : index + 2]) + self.inner[index] for index in range(len(sizes)))
        return total

    def largest(self, *, slabs_in_memory: bool) -> tuple[str, int]:
        """Return the name and size of the largest part."""
        parts = (*self.always, *self.working, *(self.slabs if slabs_in_memory else ()))
        return max(parts, key=lambda part: part[1])

    def fitting(self, memory_bytes: int) -> str | None:
        """Return the block height with which it would fit, as words; None if none would help."""
        fixed = sum(size for _, size in self.always)
        per_row = max(size for _, size in self.working) / max(1, self.block_rows)
        rows = int((memory_bytes - fixed) / per_row / 2) if per_row else 0
        return f"--block-rows {rows}" if 1 <= rows < self.block_rows else None


def predict_peak(model: MemoryModel, *, slabs_in_memory: bool) -> int:
    """Return the predicted peak anonymous memory of one rank, in bytes."""
    return model.peak_bytes(slabs_in_memory=slabs_in_memory)


def _step_bytes(step: PlannedStep, block_rows: int) -> int:
    """Bytes of one step at work on a block: its padded rows and the kernel's temporaries."""
    rows = block_rows + 2 * step.halo
    values = rows * (step.before.columns + 2 * step.halo) * max(step.before.channels, step.after.channels)
    each = KERNEL_BYTES_PER_VALUE if step.nodata is None else MASKED_BYTES_PER_VALUE
    return values * (step.before.itemsize + each)


def _frame_bytes(one: Pass, block_rows: int) -> int:
    """Bytes around the steps: the block being read, and halo rows sent and received."""
    return (2 * block_rows + 4 * one.halo_rows) * one.before.row_bytes


def _global_bytes(ending: PlannedStep | None, deal: Deal, *, kept: bool, block_rows: int) -> int:
    """Bytes that a reduce or global step needs of one rank: in slabs if ``kept``, else while it works."""
    if ending is None:
        return 0
    operation, before = ending.operation, ending.before
    if operation.pattern is Pattern.REDUCE and (kept or operation.working_bytes is None):
        return 0
    partition = deal(before)
    rows = partition.largest
    declared = operation.slab_bytes if kept else operation.working_bytes
    if declared is not None:
        return declared(ending.step.params, before, rows, partition.ranks)
    if operation.remap is not None:
        return deal(ending.after).largest * ending.after.row_bytes if kept else _tile_bytes(ending)
    return 0 if kept else _collective_bytes(before, rows, block_rows)


def _tile_bytes(ending: PlannedStep) -> int:
    """Bytes for moving pixels: a tile, what it is made of, and pieces of it sent and received."""
    images = (ending.before, ending.after)
    tile = min(TILE_BYTES, max(image.total_bytes for image in images))
    return TILES_AT_ONCE * max(tile, *(image.row_bytes for image in images))


def _collective_bytes(spec: ImageSpec, slab_rows: int, block_rows: int) -> int:
    """Bytes for joining components: one block's labels and the seams of all blocks."""
    blocks = -(-slab_rows // max(1, block_rows))
    return spec.columns * (block_rows * LABEL_BYTES_PER_PIXEL + blocks * SEAM_BYTES_PER_COLUMN)


def _label(one: Pass) -> str:
    names: Iterator[str] = (step.operation.name for step in one.steps)
    return "the blocks of " + (" → ".join(names) or "copying")
