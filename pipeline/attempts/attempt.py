"""A job that has been taken up, and all that belongs to the attempt."""

from dataclasses import dataclass

from pipeline.attempts.pulse import Pulse
from pipeline.attempts.turns import Turn
from pipeline.decisions.retry import device_of_next
from pipeline.models import AttemptRecord, Claim, JobStatus, Manifest
from pipeline.records.jobs import History


@dataclass(frozen=True)
class Work:
    """One attempt at one job: the claim, what is asked for, what was tried before, who works on it.

    ``status`` is what is told of it at its start; ``turn`` its turn at the stage.
    """

    claim: Claim
    manifest: Manifest
    history: History
    record: AttemptRecord
    status: JobStatus
    pulse: Pulse
    turn: Turn

    @property
    def device(self) -> str:
        """Where this attempt is to run: as the job says, or on CPUs after a loss."""
        return device_of_next(self.manifest.device, self.history.lost(self.record.attempt))
