"""A program that is to run as long as the service does: started again whenever it ends."""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

from pipeline.worlds.processes import end, spawn

if TYPE_CHECKING:
    from subprocess import Popen

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
END_S = 5.0
STEADY_S = 30.0
"""A program that ran for so long is started again at once; one that keeps failing waits longer each time."""


class Child:
    """One Python program (``python -m MODULE …``), its log, and when to start it again.

    For one thread, which must live as long as the program is to.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        *,
        end_s: float = END_S,
    ) -> None:
        """Start nothing yet; asked to end, it may take ``end_s`` seconds before it is killed."""
        self.module = module
        self._arguments = list(arguments)
        self._env = dict(env)
        self._log = log
        self._end_s = end_s
        self._process: Popen[bytes] | None = None
        self._started = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._due = 0.0

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the program."""
        with self._log.open("ab") as log:
            argv = [sys.executable, "-m", self.module, *self._arguments]
            self._process = spawn(argv, env=self._env, stdout=log, stderr=log)
        self._started = time.monotonic()

    def look(self) -> bool:
        """Start the program again if it has ended and its pause is over; True if it had just ended."""
        if self.pid is not None:
            return False
        at = time.monotonic()
        if self._process is not None:
            self._process = None
            if at - self._started > STEADY_S:
                self._pause_s = FIRST_PAUSE_S
            self._due = at + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            return True
        if at >= self._due:
            self.start()
        return False

    def ask_to_end(self) -> None:
        """Send SIGTERM and return at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """End the program: asked first, it alone, so that it can end what it has started; then killed."""
        if self._process is not None:
            self.ask_to_end()
            with suppress(TimeoutExpired):
                self._process.wait(self._end_s)
            end(self._process)
            self._process = None
