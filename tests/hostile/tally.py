"""What a great many files have done to a stage process, counted."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from arena import LIMIT_BYTES, Arena, Verdict
from good import good_files
from mutate import damaged

LIMIT_S = 10.0


@dataclass
class Tally:
    """Counts over many files.

    Attributes
    ----------
    kinds: results and errors, by their kind.
    wrong: what was neither a result nor a typed error, or took too much memory, in words.
    slow: files that took longer than :data:`LIMIT_S`, in words.
    deaths: processes that ended, be it at a limit.
    crashes: processes that a decoder brought down otherwise.

    """

    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    deaths: int = 0
    crashes: int = 0
    slowest_s: float = 0.0
    peak_bytes: int = 0

    @property
    def files(self) -> int:
        """How many there were."""
        return self.kinds.total()

    def take(self, name: str, verdict: Verdict) -> None:
        """Count one."""
        self.kinds[verdict.kind] += 1
        self.deaths += verdict.died
        self.crashes += verdict.crashed
        self.slowest_s = max(self.slowest_s, verdict.seconds)
        self.peak_bytes = max(self.peak_bytes, verdict.peak_bytes)
        if not verdict.typed or verdict.peak_bytes >= LIMIT_BYTES:
            self.wrong.append(f"{name}: {verdict}")
        if verdict.seconds > LIMIT_S:
            self.slow.append(f"{name}: {verdict}")


def mutations(  # noqa: PLR0917  (which of them, and where)
    arena: Arena, folder: Path, seed: int, first: int, count: int, tally: Tally
) -> None:
    """Run damaged copies of good files of every format, one after another; each has a number of its own."""
    (folder / "good").mkdir()
    (folder / "bad").mkdir()
    sound = good_files(folder / "good")
    for number in range(first, first + count):
        path = damaged(sound[number % len(sound)], folder / "bad", f"{seed}:{number}")
        tally.take(f"{seed}:{number} of {path.name}", arena.run(path))
        remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder of files."""
    if path.is_dir():
        for one in sorted(path.rglob("*"), reverse=True):
            one.rmdir() if one.is_dir() and not one.is_symlink() else one.unlink()
        path.rmdir()
    else:
        path.unlink()
