"""Tiles of the images of jobs, made by disposable processes that stay warm for a while.

A process that a hostile file ends takes nothing along: the next tile gets another.
"""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from mpi_stage.contract import Request, Tile
from pipeline.errors import PreviewsBusyError
from pipeline.worlds.warm import WarmWorld
from pipeline.worlds.world import World

DEADLINE_S = 120.0
"""A large image without smaller levels is read as a whole once; what takes longer is given up."""

MOST_ASKED = 24
"""Tiles that are waited for at a time. Each holds a thread of the page's server, which has 40 for everything:
slow images must not keep others from uploading."""

CACHE_BYTES = 128 << 20
"""Of PNGs that are kept in memory; the least lately asked for go first."""

_Job = tuple[Request, Tile, "Future[dict[str, Any]]"]


class TileReaders:
    """A few processes, each with the image that it was last asked for; safe between threads."""

    def __init__(self, most: int = 2, idle_s: float = 60.0, make: Callable[[], World] | None = None) -> None:
        """Let there be at most ``most`` processes, each ended when it was idle for ``idle_s`` seconds."""
        self._most, self._idle_s, self._make = most, idle_s, make
        self._lock = threading.Lock()
        self._readers: list[_Reader] = []
        self._places = threading.BoundedSemaphore(MOST_ASKED)
        self._known = _Cache(CACHE_BYTES)

    def ask(self, request: Request, tile: Tile) -> dict[str, Any]:
        """Return a tile, or what is known of the image, as ``mpi_stage.contract.Tile`` says.

        Raises the stage's errors, WorldError where the process has died, PreviewsBusyError.
        """
        image = (request.input, request.page, request.plane, request.level, tile.generation)
        key = (*image, tile.factor, tile.column, tile.row, tile.side)
        known = self._known.get(key)
        if known is None:
            known = self._made(image, request, tile)
            self._known.put(key, known, len(known.get("png", "")) or len(repr(known)))
        return known

    def _made(self, image: tuple[Any, ...], request: Request, tile: Tile) -> dict[str, Any]:
        if self._most < 1:
            raise PreviewsBusyError("there are no tiles here: preview_processes is 0 in the settings")
        if not self._places.acquire(blocking=False):
            raise PreviewsBusyError("too many tiles are asked for at once; try again in a moment")
        try:
            future: Future[dict[str, Any]] = Future()
            self._reader(image).put((request, tile, future))
            return future.result()
        finally:
            self._places.release()

    def pids(self) -> list[int]:
        """Return the process ids of what reads now."""
        with self._lock:
            return [pid for one in self._readers for pid in one.pids()]

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            readers, self._readers = self._readers, []
        for one in readers:
            one.end()

    def _reader(self, image: tuple[Any, ...]) -> "_Reader":
        """Return who has the image, else a new one, else the one that has been idle for longest."""
        with self._lock:
            self._readers = [one for one in self._readers if not one.over]
            mine = next((one for one in self._readers if one.image == image), None)
            if mine is None and len(self._readers) < self._most:
                mine = _Reader(self._idle_s, self._make)
                self._readers.append(mine)
            if mine is None:
                mine = min(self._readers, key=lambda one: (one.waiting, one.used_s))
            mine.image = image
            return mine


class _Reader:
    """A process, and the thread that it belongs to and ends with."""

    def __init__(self, idle_s: float, make: Callable[[], World] | None) -> None:
        self.image: tuple[Any, ...] = ()
        self.over = False
        self.used_s = time.monotonic()
        self._idle_s = idle_s
        self._world = WarmWorld(1, make)
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="tiles", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Tiles that wait."""
        return self._jobs.qsize()

    def pids(self) -> list[int]:
        """Return the process' id, if there is one."""
        return self._world.pids()

    def put(self, job: _Job) -> None:
        """Have a tile made; where it is too late for that, its future is told so."""
        with self._lock:
            if not self.over:
                self._jobs.put(job)
                return
        job[2].set_exception(PreviewsBusyError("the process has just been let go; try again"))

    def end(self) -> None:
        """End the process when what waits has been made."""
        self._jobs.put(None)
        self._thread.join()

    def _serve(self) -> None:
        try:
            while (job := self._next()) is not None:
                request, tile, future = job
                try:
                    future.set_result(self._world.tile(request, tile, deadline_s=DEADLINE_S))
                except Exception as error:  # noqa: BLE001  (whatever it is, somebody waits for it)
                    future.set_exception(error)
                self.used_s = time.monotonic()
        finally:
            self._world.close()

    def _next(self) -> _Job | None:
        """Wait for a tile to make; None, and the end, where none comes for long."""
        try:
            job = self._jobs.get(timeout=self._idle_s)
        except queue.Empty:
            job = None
        if job is None:
            with self._lock:
                self.over = self._jobs.empty()
                if not self.over:
                    return self._jobs.get()
        return job


class _Cache:
    """What was made lately, up to so many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[Any, ...], tuple[dict[str, Any], int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[Any, ...]) -> dict[str, Any] | None:
        """Return what is held under a key, if anything."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: tuple[Any, ...], made: dict[str, Any], size_bytes: int) -> None:
        """Hold something, and let go of what was not asked for lately."""
        with self._lock:
            if key in self._held:
                return
            self._held[key] = made, size_bytes
            self._bytes += size_bytes
            while self._bytes > self._most_bytes:
                _, (_, gone_bytes) = self._held.popitem(last=False)
                self._bytes -= gone_bytes
