"""How long the objects of a job live after its end: pure decisions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline import layout
from pipeline.errors import ObjectNotFoundError
from pipeline.models import Ending, ObjectRef, ended_at

MARGIN_S = 3600.0
"""What has less than this left to live is lent to no further job: nobody must take up, between a look at
the unfinished jobs and a removal, what is about to be removed."""


class Kind(StrEnum):
    """What an object of a job is."""

    INPUT = "inputs"
    BAND = "bands"
    RESULT = "results"
    RECORD = "records"


@dataclass(frozen=True)
class Retention:
    """Seconds that each kind of object lives after its job's end; 0 for ever.

    Only what the service itself has made is meant: uploads, and what lies in its own folders. Inputs
    and outputs at places that users have named are theirs.
    """

    inputs_s: float = 0.0
    bands_s: float = 0.0
    results_s: float = 0.0
    records_s: float = 0.0

    def life_s(self, kind: Kind) -> float:
        """Return how long a kind lives; records at least as long as what they tell of."""
        longest = max(self.inputs_s, self.bands_s, self.results_s)
        return {
            Kind.INPUT: self.inputs_s,
            Kind.BAND: self.bands_s,
            Kind.RESULT: self.results_s,
            Kind.RECORD: max(self.records_s, longest) if self.records_s and self._all_end else 0.0,
        }[kind]

    @property
    def _all_end(self) -> bool:
        """Whether nothing is kept for ever that only the records could tell the meaning of."""
        return bool(self.inputs_s and self.bands_s and self.results_s)

    @property
    def shortest_s(self) -> float:
        """How long everything lives at least; 0 if nothing ever ends."""
        return min((life_s for kind in Kind if (life_s := self.life_s(kind))), default=0.0)

    def is_over(self, kind: Kind, ended: datetime, at: datetime, *, margin_s: float = 0.0) -> bool:
        """Whether an object of a job that ended then has lived its life at the time ``at``."""
        life_s = self.life_s(kind)
        return bool(life_s) and at - ended >= timedelta(seconds=life_s - margin_s)

    def check_lent(self, found: ObjectRef, at: datetime, ending_of: Callable[[str], Ending | None]) -> None:
        """Raise ObjectNotFoundError for an input of a new job that is about to be removed."""
        named = kind_of(found.key) if found.bucket is None else None
        ending = ending_of(named[0]) if named is not None else None
        if named is None or ending is None:
            return
        if self.is_over(named[1], ended_at(ending), at, margin_s=MARGIN_S):
            raise ObjectNotFoundError(
                f"{found.key} is being removed: {named[1].value} are kept for"
                f" {self.life_s(named[1]) / 86_400:g} days after a job's end; upload it again"
            )


def kind_of(key: str) -> tuple[str, Kind] | None:
    """Return the job that an object is of, and what it is; None for what is none of the service's."""
    job_id = layout.job_of(key)
    if job_id is None:
        return None
    if key.startswith(layout.UPLOADS):
        return job_id, Kind.INPUT
    if key.startswith(layout.job_prefix(job_id)):
        return job_id, Kind.RESULT if layout.owner_of_data(key) else Kind.RECORD
    return job_id, Kind.BAND
