"""Blocks of which a rank's memory holds those of a plan, and what would help where none are."""

from collections.abc import Sequence
from dataclasses import dataclass

from mpi_stage.errors import LimitError
from mpi_stage.geometry.partition import Partition
from mpi_stage.image import ImageSpec
from mpi_stage.planning.memory import MemoryModel
from mpi_stage.planning.passes import LEAST_BLOCK_ROWS, usual_block_rows
from mpi_stage.planning.plan import InputFacts, OutputFacts, Pass, deal, unit_of

MOST_DOUBLINGS = 6
"""Of the number of ranks, in search of one with which a plan would fit."""


@dataclass(frozen=True)
class RankMemory:
    """The memory that the passes of a plan may take of each of ``ranks`` ranks, ``memory_bytes``.

    ``program_bytes`` of it are there before a rank begins.
    """

    passes: tuple[Pass, ...]
    source: InputFacts
    sink: OutputFacts
    ranks: int
    memory_bytes: int
    program_bytes: int

    def choose(self, asked: int | None) -> MemoryModel:
        """Return the model of the blocks to take: of ``asked`` rows, else the highest that fit.

        Raises LimitError where one rank would need more than it may take, with both numbers and what
        would fit.
        """
        model = self._best() if asked is None else self._model(asked, self.ranks)
        if not self._fits(model):
            raise LimitError(self._too_big(model))
        return model

    def holds_slabs(self, model: MemoryModel) -> bool:
        """Whether slabs may lie in memory, too."""
        return model.peak_bytes(slabs_in_memory=True) <= self.memory_bytes

    def _model(self, block_rows: int, ranks: int) -> MemoryModel:
        after, unit = self.passes[-1].after, unit_of(self.sink)

        def dealt(image: ImageSpec) -> Partition:
            return deal(image, after, ranks, unit)

        return MemoryModel.of(
            self.passes, self.source, self.sink, dealt, block_rows, program_bytes=self.program_bytes
        )

    def _fits(self, model: MemoryModel) -> bool:
        """Whether one rank needs no more than the limit, if not with its slabs in memory then without."""
        return model.peak_bytes(slabs_in_memory=False) <= self.memory_bytes

    def _best(self) -> MemoryModel:
        """Return the model of the highest blocks that fit, else of those that need least.

        Lower blocks mostly need less, but where seams are kept of each, more.
        """
        rows = usual_block_rows(self.passes)
        models = [self._model(rows, self.ranks)]
        while rows > LEAST_BLOCK_ROWS and not self._fits(models[-1]):
            rows = max(LEAST_BLOCK_ROWS, rows // 2)
            models.append(self._model(rows, self.ranks))
        if self._fits(models[-1]):
            return models[-1]
        return min(models, key=lambda model: model.peak_bytes(slabs_in_memory=False))

    def _too_big(self, model: MemoryModel) -> str:
        peak = model.peak_bytes(slabs_in_memory=False)
        name, size = model.largest(slabs_in_memory=False)
        remedies = self._remedies(model.block_rows)
        remedy = f"it would fit with {' or '.join(remedies)}" if remedies else f"allow at least {peak} bytes"
        return (
            f"one rank would need {peak} bytes with {model.ranks} ranks and blocks of {model.block_rows} "
            f"rows, the limit is {self.memory_bytes}; most of it, {size} bytes, is for {name}; {remedy}"
        )

    def _remedies(self, block_rows: int) -> Sequence[str]:
        """Return what would make a plan fit: lower blocks, more ranks."""
        rows = block_rows // 2
        while rows and not self._fits(self._model(rows, self.ranks)):
            rows //= 2
        found = [f"--block-rows {rows}"] if rows else []
        for more in (self.ranks * 2**power for power in range(1, MOST_DOUBLINGS + 1)):
            if self._fits(self._model(block_rows, more)):
                return [*found, f"--ranks {more}"]
        return found
