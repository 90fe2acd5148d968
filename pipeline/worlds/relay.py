"""Joins the ranks on this node to their supervisor on another one."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from mpi_stage.contract import encode
from mpi_stage.errors import WorldError
from pipeline.worlds.launch import forget_shared_memory
from pipeline.worlds.peers import PEER_S, watch_peer
from pipeline.worlds.processes import is_stopped
from pipeline.worlds.remote_control import Door

BEAT_S = 1.0
"""How often a relay tells that it is there."""

_READ_BYTES = 1 << 16
_CREDENTIALS = struct.Struct("3i")  # process, user and group, as the kernel gives them


class Relay:
    """Carries bytes between the ranks' Unix socket and the supervisor, one connection for each rank.

    It works in a thread of its own. When the supervisor goes or cannot be reached for ``PEER_S``
    seconds, the ranks' connections end, which ends them, and ``on_end`` is called in that thread.

    Attributes
    ----------
    came: the process ids of all ranks that have ever connected.

    """

    def __init__(self, path: Path, door: Door, node: int, on_end: Callable[[], None]) -> None:
        """Connect to the supervisor and listen at ``path``. Raises WorldError where that fails."""
        self._path, self._door, self._node, self._on_end = path, door, node, on_end
        self._pids: set[int] = set()
        self.came: set[int] = set()
        self._failure: OSError | None = None
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name="relay", daemon=True)
        self._thread.start()
        self._up.wait()
        if self._failure is not None:
            raise WorldError(
                f"the supervisor at {door.address} port {door.port} cannot be reached from node {node}: "
                f"{self._failure}; nodes of a cluster must reach each other on all ports"
            )

    def pids(self) -> list[int]:
        """Return the process ids of the ranks that are connected."""
        return list(self._pids)

    def close(self) -> None:
        """Begin to end all connections; safe to call again, and from ``on_end``."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._closing.set)

    def join(self) -> None:
        """Wait for the end, ``on_end`` included, unless that is what calls."""
        if threading.current_thread() is not self._thread:
            self._thread.join(PEER_S)

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            with suppress(OSError, RuntimeError):
                self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            came_up = self._up.is_set()
            self._up.set()
        if came_up:
            self._on_end()

    async def _serve(self) -> None:
        """Relay until the supervisor goes or :meth:`close` is called."""
        async with asyncio.timeout(PEER_S):
            reader, writer = await self._knock({"node": self._node})
        server = await asyncio.start_unix_server(self._carry, self._path)
        self._up.set()
        try:
            await _first_of(self._listen(reader), self._beat(writer), self._closing.wait())
        finally:
            server.close()
            others = asyncio.all_tasks(self._loop) - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            writer.transport.abort()
            await asyncio.sleep(0)  # in which the loop closes what has been ended

    async def _knock(self, more: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to the supervisor and say the word that it wants to hear."""
        reader, writer = await asyncio.open_connection(self._door.address, self._door.port)
        watch_peer(writer.get_extra_info("socket"))
        writer.write(encode({"token": self._door.token, **more}))
        return reader, writer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while line := await reader.readline():
                if json.loads(line)["request"] == "forget":
                    forget_shared_memory(self._pids)

    async def _beat(self, writer: asyncio.StreamWriter) -> None:
        """Tell that this relay works, and how many of its ranks have been stopped."""
        with suppress(OSError):
            while True:
                stopped = sum(map(is_stopped, self._pids))
                writer.write(encode({"event": "beat", "stopped": stopped}))
                await writer.drain()
                await asyncio.sleep(BEAT_S)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one rank's bytes until either end goes."""
        pid = _process_at(writer)
        self._pids.add(pid)
        self.came.add(pid)
        try:
            with suppress(OSError):  # then the relay's own connection ends too, or the rank's death tells
                there, back = await self._knock({})
                try:
                    await _first_of(_pump(reader, back), _pump(there, writer))
                finally:
                    back.close()
        except asyncio.CancelledError:
            return  # the relay ends
        finally:
            self._pids.discard(pid)
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_READ_BYTES):
            writer.write(data)
            await writer.drain()


async def _first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Do several things until one of them is done."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _process_at(writer: asyncio.StreamWriter) -> int:
    """Return the id of the process at the other end of a Unix socket."""
    found: bytes = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    return int(_CREDENTIALS.unpack(found)[0])
