"""A reduce step while it is measured: rounds, each a state that rows are added to."""

from typing import Any

import numpy as np

from mpi_stage.errors import PipelineError
from mpi_stage.image import Pixels
from mpi_stage.operations.declaring.declaration import Round
from mpi_stage.planning.plan import PlannedStep


class Measurement:
    """One rank's share in the measuring rounds of one reduce step.

    Add all rows of the rank, join ``state`` with the other ranks', hand the joined state to
    ``finish``, and again while ``pending``; then ``found`` is the result.
    """

    def __init__(self, step: PlannedStep) -> None:
        """Begin the first round."""
        reduction = step.operation.reduction
        if reduction is None:
            raise PipelineError(f"{step.operation.name} has no reduction; its declaration is wrong")
        self._step = step
        self._rounds = reduction.rounds(step.kernel_spec, step.step.params)
        self._number = 0
        self.found: Any = None
        self.state = self._start()

    @property
    def pending(self) -> bool:
        """Whether rows must still be added for another round."""
        return self._number < len(self._rounds)

    @property
    def round(self) -> Round:
        """The round that is under way."""
        return self._rounds[self._number]

    def add(self, first: int, rows: Pixels) -> None:
        """Add rows × columns × channels pixels, the rows from ``first`` on."""
        seen = np.ascontiguousarray(rows[..., :-1]) if self._step.keeps_alpha else rows
        self.round.update(self.state, seen, first, self._step.step.params, self.found)

    def finish(self, joined: Pixels) -> None:
        """Take the state of all ranks together, and begin the next round if there is one."""
        spec, params = self._step.kernel_spec, self._step.step.params
        self.found = self.round.finish(joined, spec, params, self.found)
        self._number += 1
        if self.pending:
            self.state = self._start()

    def _start(self) -> Pixels:
        return self.round.start(self._step.kernel_spec, self._step.step.params, self.found)
