"""A job that has been taken up, and all that belongs to the attempt."""

from dataclasses import dataclass

from pipeline.models import AttemptRecord, Claim, Manifest
from pipeline.pulse import Pulse
from pipeline.records import History


@dataclass(frozen=True)
class Work:
    """One attempt at one job: the claim, what is asked for, what was tried before, who works on it."""

    claim: Claim
    manifest: Manifest
    history: History
    record: AttemptRecord
    pulse: Pulse
