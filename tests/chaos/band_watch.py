"""What attempts have on record of their bands, seen before the next attempt takes it over."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

JOURNAL = "journal-"
LOOK_S = 0.01

Ranks = Mapping[str, Sequence[int]]
"""The bands of an attempt by the names of its journals, of which each rank has one, in order."""


def recorded(journal: Path) -> list[int]:
    """Return the bands that a journal has whole lines of, in order; none where it is gone."""
    try:
        lines = journal.read_bytes().split(b"\n")
    except OSError:
        return []
    return [int(json.loads(line.partition(b" ")[2])["band"]) for line in lines[1:-1]]


def journals(folder: Path) -> list[Path]:
    """Return the journals of an attempt, in order of its ranks; none where its folder is gone."""
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if path.name.startswith(JOURNAL))
    return []


class BandWatch:
    """Reads the journals of unfinished jobs again and again, in a thread of its own.

    What is read of an attempt counts if no later one had begun a journal by then: whoever begins one reads
    those before it afterwards, and finds what was read here.

    Attributes
    ----------
    seen: job → attempt → what it had on record at last.
    """

    def __init__(self, folder: Path, unfinished: Callable[[], Iterable[str]]) -> None:
        """Watch the folders that ``unfinished`` jobs have below ``folder``."""
        self._folder, self._unfinished = folder, unfinished
        self.seen: dict[str, dict[int, Ranks]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="bands", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            for job_id in self._unfinished():
                self.look(job_id)

    def look(self, job_id: str) -> None:
        """Read the journals of a job once."""
        found = self._attempts(job_id)
        for attempt, folder in found.items():
            ranks = {path.name: recorded(path) for path in journals(folder)}
            if ranks and not any(
                self._has_begun(job_id, later) for later in self._attempts(job_id) if later > attempt
            ):
                known = self.seen.setdefault(job_id, {})
                known[attempt] = _longest(known.get(attempt, {}), ranks)

    def _attempts(self, job_id: str) -> dict[int, Path]:
        with suppress(OSError):
            return {int(path.name): path for path in (self._folder / job_id).iterdir()}
        return {}

    def _has_begun(self, job_id: str, attempt: int) -> bool:
        return bool(journals(self._folder / job_id / f"{attempt:04d}"))


def _longest(before: Ranks, now: Ranks) -> Ranks:
    """Join what was read of an attempt: a journal only grows, and what is gone meanwhile was there."""
    return {name: max(before.get(name, []), now.get(name, []), key=len) for name in {**before, **now}}
