"""A warm stage process with its limits, as a worker has one, and what files do to it."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpi_stage.contract import Request
from mpi_stage.errors import MissingInputError, StageError, WorldError
from pipeline.config import Settings
from pipeline.submitting.budgets import job_budget
from pipeline.worlds.warm import WarmWorld

MEMORY_BYTES = 256 << 20
"""What the service is set to; with the program and what it shares, a process stays below 512 MB."""

LIMIT_BYTES = 512_000_000
"""What no file may make a process take."""

STEPS = ["grayscale", "gaussian:sigma=1"]


@dataclass(frozen=True)
class Verdict:
    """What became of one file.

    Attributes
    ----------
    kind: of the error, ``good`` for a result.
    message: of the error.
    exit_code: of the error, 0 for a result.
    died: whether the stage's process ended.
    seconds: from request to answer.
    peak_bytes: the most resident memory that the process ever had, libraries included; 0 where it died.

    """

    kind: str
    message: str
    exit_code: int
    died: bool
    seconds: float
    peak_bytes: int

    @property
    def typed(self) -> bool:
        """Whether there is a result, or an error that the project raises on purpose and that says why."""
        return self.kind == "good" or (self.kind != StageError.__name__ and not self.crashed)

    @property
    def crashed(self) -> bool:
        """Whether a decoder brought its process down, other than by a limit that it reached."""
        return self.kind == WorldError.__name__


class Arena:
    """Runs or plans one file after another, in a process that is made anew when it has died."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder`` for outputs and scratch files."""
        self._folder = folder
        self._budget = job_budget(Settings(data_dir=folder / "data", memory_bytes=MEMORY_BYTES))
        self._world = WarmWorld(1)
        self._number = 0

    def plan(self, path: Path, **options: Any) -> Verdict:
        """Have only the file's header read."""
        return self._judge(lambda request: self._world.plan(request, ranks=1), path, options)

    def run(self, path: Path, **options: Any) -> Verdict:
        """Have the file filtered."""
        return self._judge(self._world.run, path, options)

    def close(self) -> None:
        """End the process."""
        self._world.close()

    def _judge(self, act: Any, path: Path, options: dict[str, Any]) -> Verdict:
        pid = self._pid()
        self._number += 1
        output = self._folder / f"out{self._number}"
        request = self._request(path, output, options)
        started = time.monotonic()
        try:
            act(request)
            found = ("good", "", 0)
        except StageError as error:
            found = (type(error).__name__, str(error), error.exit_code)
        seconds = time.monotonic() - started
        output.unlink(missing_ok=True)
        died = self._world.pids() != [pid]
        return Verdict(*found, died=died, seconds=seconds, peak_bytes=0 if died else _peak_bytes(pid))

    def _request(self, path: Path, output: Path, options: dict[str, Any]) -> Request:
        return Request(
            job=str(self._number),
            input=str(path),
            output=str(output),
            output_name="out.tif",
            scratch=str(self._folder / "scratch"),
            memory_bytes=MEMORY_BYTES,
            budget=self._budget,
            **{"steps": STEPS, **options},
        )

    def _pid(self) -> int:
        """Return the process id of the rank, which is made anew where there is none."""
        if not self._world.pids():
            nothing = self._folder / "nothing"
            with suppress(MissingInputError):  # said by a rank, which is there then
                self._world.plan(self._request(nothing, nothing, {}), ranks=1)
        [pid] = self._world.pids()
        return pid


def _peak_bytes(pid: int) -> int:
    """Return the most resident memory that a process had until now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
