"""A TCP relay between a service and its Redis, whose connections can be cut, held up and made one-way."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto

_READ_BYTES = 1 << 16
_AT_ONCE = struct.pack("ii", 1, 0)
"""A socket that lingers for no time is reset when it is closed."""


class Way(Enum):
    """What becomes of bytes that come to the relay."""

    OPEN = auto()
    CUT = auto()
    STALLED = auto()
    MUTE = auto()
    """Commands go through and are carried out; their answers never come, and the connection is reset."""


class Relay:
    """Carries bytes to the port that ``target`` returns, in a thread of its own.

    Attributes
    ----------
    port: where it listens on the loopback interface.
    """

    def __init__(self, target: Callable[[], int]) -> None:
        """Listen; ``target`` is asked again for each connection."""
        self._target = target
        self._way = Way.OPEN
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._carry, "127.0.0.1", 0, backlog=1024)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Reset all connections, and each that is tried from now on."""
        self._do(self._turn, Way.CUT)

    def stall(self) -> None:
        """Carry nothing: connections stay, and others are taken, but no byte comes out."""
        self._do(self._turn, Way.STALLED)

    def mute(self) -> None:
        """Let commands through, and reset their connections before the answers."""
        self._do(self._turn, Way.MUTE)

    def heal(self) -> None:
        """Carry again, what was held up first."""
        self._do(self._turn, Way.OPEN)

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._writers) // 2

    def close(self) -> None:
        """Reset what is connected and listen no more."""
        self.cut()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Callable[[Way], None], way: Way) -> None:
        done = threading.Event()

        def do() -> None:
            what(way)
            done.set()

        self._loop.call_soon_threadsafe(do)
        done.wait()

    def _turn(self, way: Way) -> None:
        self._way = way
        if way is Way.CUT:
            for writer in self._writers:
                _reset(writer)
        if way is Way.STALLED:
            self._flowing.clear()
        else:
            self._flowing.set()

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end goes."""
        mine = {writer}
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.CancelledError):
                if self._way is Way.CUT:
                    return
                there, on = await asyncio.open_connection("127.0.0.1", self._target())
                mine.add(on)
                self._writers.add(on)
                pumps = [
                    asyncio.ensure_future(self._pump(reader, on)),
                    asyncio.ensure_future(self._pump(there, writer, is_answer=True)),
                ]
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._writers -= mine
            for one in mine:
                _reset(one)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                await self._flowing.wait()
                if self._way is Way.CUT or (is_answer and self._way is Way.MUTE):
                    return
                writer.write(data)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a broken one ends, at once."""
    with suppress(OSError):
        found: socket.socket = writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
