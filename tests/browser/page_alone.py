"""The page's server with a store and Redis, and nothing that works on jobs; and a line that can be cut."""

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from pipeline.config import Settings
from pipeline.redis.connection import connect
from pipeline.worlds.processes import spawn

START_S = 60
_PIECE_BYTES = 1 << 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class PageAlone:
    """A running page: its port, its settings, and its process."""

    port: int
    settings: Settings
    process: psutil.Process

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self):
        return self.settings.data_dir / "store"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def page_alone(folder: Path, redis_url: str, *, again_at: int | None = None, **more):
    """Run the page's server beside an emptied Redis; yield it when it answers.

    ``again_at`` is the port of one that has ended: the new one listens there, and finds Redis as it was.
    """
    if again_at is None:
        client = connect(redis_url)
        client.flushall()
        client.close()
    port = again_at or free_port()
    settings = Settings.load(
        find_service=False,
        data_dir=folder,
        redis_url=redis_url,
        link_secret="of the tests",  # noqa: S106  (a test's)
        page_port=port,
        **more,
    )
    names = {"data_dir", "store_uri", "page_port", *more}
    given = {f"HALOROW_{name.upper()}": str(getattr(settings, name)) for name in names}
    given |= {"HALOROW_REDIS_URL": redis_url, "HALOROW_LINK_SECRET": "of the tests"}
    with (folder / "page.log").open("wb") as log:
        process = spawn(
            [sys.executable, "-m", "ui.serve"], env={**os.environ, **given}, stdout=log, stderr=log
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield PageAlone(port, settings, psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _wait_for(address, process):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(address).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"the page did not answer at {address} within {START_S} s")


class Line:
    """A TCP line to a port, which counts what goes up and can be cut: then all its connections are reset.

    Attributes
    ----------
    up_bytes: bytes that have gone to the server so far.

    """

    def __init__(self, port: int) -> None:
        """Lead to ``port`` of this machine."""
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._passed = threading.Condition(self._lock)
        self._is_cut = False
        self._cut_at: int | None = None
        self._hold_at: int | None = None
        self.up_bytes = 0
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut_at(self, up_bytes: int) -> None:
        """Cut the line once so many bytes have gone up, counted from now."""
        with self._lock:
            self._cut_at = self.up_bytes + up_bytes

    def hold_at(self, up_bytes: int) -> None:
        """Let no more than about so many bytes go up, counted from now, until the line is cut."""
        with self._lock:
            self._hold_at = self.up_bytes + up_bytes

    def cut(self) -> None:
        """Cut the line now."""
        with self._lock:
            self._hold_at = None
            self._cut()

    def mend(self) -> None:
        """Let connections through again."""
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        """End."""
        self._listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                inner, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                is_cut = self._is_cut
            if is_cut:
                _reset(inner)
                continue
            try:
                outer = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                _reset(inner)
                continue
            with self._lock:
                if self._is_cut:  # meanwhile
                    _reset(inner)
                    _reset(outer)
                    continue
                self._open |= {inner, outer}
            threading.Thread(target=self._pass, args=(inner, outer, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(outer, inner, False), daemon=True).start()

    def _pass(self, source, target, is_up):
        with suppress(OSError):
            while piece := source.recv(_PIECE_BYTES):
                if is_up and self._count(len(piece)):
                    return
                target.sendall(piece)
                if is_up:
                    self._hold()
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _count(self, size_bytes) -> bool:
        with self._lock:
            self.up_bytes += size_bytes
            if self._cut_at is None or self.up_bytes < self._cut_at:
                return False
            self._cut_at = None
            self._cut()
            return True

    def _hold(self) -> None:
        with self._passed:
            self._passed.wait_for(lambda: self._hold_at is None or self.up_bytes < self._hold_at)

    def _cut(self):
        self._is_cut = True
        self.cuts += 1
        for one in self._open:
            _reset(one)
        self._open.clear()
        self._passed.notify_all()


def _reset(connection):
    """End a connection so that the other side sees a reset."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
