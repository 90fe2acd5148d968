"""How many bands were made more than once, and for how many attempts that a fault has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.band_watch import Ranks


@dataclass
class Rework:
    """Counts over all jobs that were kept in bands.

    Attributes
    ----------
    ended: attempts that ended before their time with finished bands on record.
    kept, reused, refused: finished bands of those, which of them the last attempt took over, and which it
        found but did not find as recorded.
    again: finished bands that were made again.
    most_per_kill: the most bands that one rank made again for one kill: those finished ones, all taken for
        one rank's and one kill's, and the one that it was at.
    faulty: a line for each job that made finished bands again.
    """

    ended: int = 0
    kept: int = 0
    reused: int = 0
    refused: int = 0
    again: int = 0
    most_per_kill: int = 0
    faulty: list[str] = field(default_factory=list)

    def add(self, job_id: str, report: Mapping[str, Any], attempt: int, seen: Mapping[int, Ranks]) -> None:
        """Count a job whose ``attempt`` has succeeded with ``report``."""
        earlier = [ranks for number, ranks in sorted(seen.items()) if number < attempt]
        if not report["band_rows"] or not earlier:
            return
        whole = -(-report["rows"] // report["band_rows"])
        reused, refused = (
            sum(rank[f"bands_{what}"] for rank in report["ranks"]) for what in ("reused", "refused")
        )
        kept = {band for ranks in earlier for band in _bands(ranks)}
        again = max(0, len(kept) - reused) + made_anew(earlier)
        was_at_one = any(len(_bands(ranks)) < whole for ranks in earlier)
        self.ended += sum(bool(_bands(ranks)) for ranks in earlier)
        self.kept += len(kept)
        self.reused += reused
        self.refused += refused
        self.again += again
        self.most_per_kill = max(self.most_per_kill, again + was_at_one)
        if again:
            self.faulty.append(
                f"{job_id}: {again} finished bands were made again; {len(kept)} of {whole} were on record"
                f" after {len(earlier)} attempts, attempt {attempt} reused {reused} and refused {refused}"
            )


def made_anew(attempts: Sequence[Ranks]) -> int:
    """Return how many bands attempts have made though one before them had them on record.

    A rank takes over all that it can before it makes any: a known band behind a new one was made anew.
    """
    known: set[int] = set()
    count = 0
    for ranks in attempts:
        for bands in ranks.values():
            first_new = next((place for place, band in enumerate(bands) if band not in known), len(bands))
            count += sum(band in known for band in bands[first_new:])
        known |= _bands(ranks)
    return count


def _bands(ranks: Ranks) -> set[int]:
    return {band for bands in ranks.values() for band in bands}
