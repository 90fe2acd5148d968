"""A running embedded service for tests: ``halorow up`` as a process, and what tests ask of it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import psutil

from pipeline.client import Client
from pipeline.config import Settings
from pipeline.worlds.processes import spawn

START_S = 180
STOP_S = 60
QUICK = {"HALOROW_LEASE_S": "3", "HALOROW_HEARTBEAT_S": "1", "HALOROW_RECONCILE_S": "1"}
"""Faults are noticed sooner than in real life, so that tests need not wait."""


RAY_AGENT_PORT = 52365
"""Where the agents of all services of a machine would listen if Ray had its way."""


class EmbeddedService:
    """``halorow up`` in a folder of its own."""

    def __init__(
        self,
        data: Path,
        *,
        workers: int = 2,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = ("pipeline.cli.main",),
    ) -> None:
        """Start it, with settings in ``env`` beside ours, and return when it is ready.

        ``program`` is the module that is run, and what it is told before ``up``.
        """
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self._env = {**os.environ, **QUICK, **ports(), **(env or {}), "HALOROW_DATA_DIR": str(data)}
        with self.log.open("ab") as errors:
            # Ends with the tests, however they end.
            self.process = spawn(
                [sys.executable, "-m", *program, "up", "--workers", str(workers)],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._env,
            )
        self.client: Client | None = None
        self.page = self._await_page()
        self.settings = Settings.load(data_dir=data)
        self.client = Client.connect(self.settings)

    def _await_page(self) -> str:
        said: SimpleQueue[bytes] = SimpleQueue()

        def read() -> None:
            for line in self.process.stdout:
                said.put(line)
            said.put(b"")

        threading.Thread(target=read, daemon=True).start()
        try:
            while line := said.get(timeout=START_S):
                name, _, address = line.decode().strip().partition(": ")
                if name == "page":
                    return address
        except Empty:
            pass
        self.kill()
        raise RuntimeError(f"the service did not start: {self.log.read_text()}")

    def halorow(self, *words: str, check: int = 0) -> str:
        """Run a command against the service; return its output, or fail with what it said."""
        done = subprocess.run(
            halorow_argv(*words), env=self._env, capture_output=True, text=True, check=False, timeout=STOP_S
        )
        assert done.returncode == check, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def ray_job(self, script: str, *words: str, token: bool = True, fails: bool = False) -> str:
        """Run a script as ``ray job submit`` does; return what it and Ray said."""
        address = f"http://127.0.0.1:{self.settings.ray_dashboard_port}"
        path = Path(__file__).parents[1] / script
        program = str(Path(sys.executable).with_name("ray"))
        argv = [program, "job", "submit", "--address", address, "--", "python", str(path), *words]
        env = {**os.environ, "RAY_AUTH_MODE": "token" if token else "disabled"}
        if token:
            env["RAY_AUTH_TOKEN_PATH"] = str(self.data / "ray-token")
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=STOP_S)
        assert bool(done.returncode) is fails, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def processes(self, what: str = "") -> list[psutil.Process]:
        """Return the service's processes whose command lines contain ``what``."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if what in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill_one(self, what: str) -> int:
        """Kill -9 one of them; return its id."""
        victim = self.processes(what)[0]
        victim.kill()
        return victim.pid

    def kill(self) -> None:
        """Kill -9 the supervisor alone."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if self.client is not None:
            self.client.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the service as a user does; return its exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(STOP_S)
        finally:
            self.kill()


def ports() -> dict[str, str]:
    """Return settings with ports that nobody listens on, so that several services can start at once."""
    with socket.socket() as page, socket.socket() as dashboard:
        for one in (page, dashboard):
            one.bind(("127.0.0.1", 0))
        named = {"HALOROW_PAGE_PORT": page, "HALOROW_RAY_DASHBOARD_PORT": dashboard}
        return {name: str(one.getsockname()[1]) for name, one in named.items()}


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Listen on a port of the loopback interface, unless somebody else does so already."""
    with socket.socket() as listener:
        with suppress(OSError):
            listener.bind(("127.0.0.1", port))
            listener.listen()
        yield


def lives(process: psutil.Process) -> bool:
    """Whether a process does anything still; one that nobody has collected yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def halorow_argv(*words: str) -> list[str]:
    """Return the command line of ``halorow``."""
    return [sys.executable, "-m", "pipeline.cli.main", *words]


def pixels_of_run(image: Path, steps: str, folder: Path, ranks: int = 1) -> str:
    """Return the digest of the pixels that ``halorow run`` makes."""
    output = folder / f"reference{image.suffix}"
    argv = halorow_argv("run", str(image), str(output), *steps.split())
    done = subprocess.run(
        [*argv, "--ranks", str(ranks), "--overwrite", "--quiet", "--json"],
        capture_output=True,
        check=True,
        timeout=STOP_S,
    )
    return json.loads(done.stdout)["pixels_sha256"]
