"""What all scenarios of store faults note down, for the page on reliability."""

import os
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest


@dataclass
class Ledger:
    """Scenarios that held, by what was faulty, and how many objects were looked at as they appeared."""

    held: Counter = field(default_factory=Counter)
    looked_at: int = 0

    def note(self, where: str, looked_at: int = 1) -> None:
        """Note one scenario in which all held; what does not hold fails its test before."""
        self.held[where] += 1
        self.looked_at += looked_at


@pytest.fixture(scope="session")
def ledger():
    """Give the notes; with HALOROW_WRITE_RELIABILITY they become a result file of docs/reliability."""
    kept, started = Ledger(), time.monotonic()
    yield kept
    if os.environ.get("HALOROW_WRITE_RELIABILITY"):
        from docs.generate.reliability_results import Run  # noqa: PLC0415  (only then)

        figures = {"scenarios": kept.held.total(), "torn": 0, "different": 0, "looked_at": kept.looked_at}
        details = {"scenarios of": {f"the {where}": count for where, count in kept.held.items()}}
        Run("store-faults", 1, figures, time.monotonic() - started, details=details).write()
