"""The service, started for a measurement as ``halorow up`` and ended by Ctrl-C."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import HALOROW
from pipeline.client import Client
from pipeline.config import Settings

READY_S = 120
END_S = 60


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A service that is ready: the process that supervises it, and a client of it."""

    pid: int
    client: Client


@contextmanager
def service(data: Path, workers: int) -> Iterator[Running]:
    """Start the service on a folder, yield it when it is ready, end it."""
    command = [str(HALOROW), "up", "--data", str(data), "--port", str(free_port()), "--workers", str(workers)]
    environment = {**os.environ, "HALOROW_RAY_DASHBOARD_PORT": str(free_port())}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        watchdog = threading.Timer(READY_S, process.kill)
        watchdog.start()
        try:
            said = until_ready(process)
            watchdog.cancel()
            threading.Thread(target=drain, args=(process, said), daemon=True).start()
            yield Running(process.pid, Client.connect(Settings.load(data_dir=data)))
        finally:
            watchdog.cancel()
            process.send_signal(signal.SIGINT)
            process.wait(END_S)


def until_ready(process: "subprocess.Popen[str]") -> list[str]:
    """Read what the service says until it names its page; raise what it said if it ends before."""
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        if line.startswith("page: "):
            return said
    raise RuntimeError("the service did not start:\n" + "".join(said[-40:]))


def drain(process: "subprocess.Popen[str]", said: list[str]) -> None:
    """Keep reading, so that the service never waits for us."""
    said.extend(process.stdout or ())
