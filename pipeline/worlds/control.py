"""The control channel between a supervisor and the ranks of its world: JSON lines on a socket."""

import json
import select
import selectors
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

Event = dict[str, Any]

MAX_LINE_BYTES = 32 << 20
"""The longest event that is read; a rank that says more in one line is cut off."""

SOCKET_NAME = "control"
"""The socket's name in its private folder."""

_MAX_PATH_BYTES = 107  # of sun_path, less its final zero
_READ_BYTES = 1 << 18
_SEND_TIMEOUT_S = 5.0  # a request fits in the socket's buffer unless the rank has stopped reading


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


class Peer:
    """One rank's connection; ``rank`` is None until it has said hello."""

    def __init__(self, connection: socket.socket) -> None:
        """Know nothing of who it is yet."""
        self.socket = connection
        self.rank: int | None = None
        self.unread = bytearray()


class ControlServer:
    """Listens for the ranks of one world, hears their events and sends them requests.

    All work is done in the caller's thread, inside :meth:`wait`. The socket lies in a private
    folder, which is removed as soon as all ranks have come.

    Attributes
    ----------
    path: of the socket, for ``--control``.
    hello: what each rank that has come said of itself, by rank.
    """

    def __init__(self, ranks: int) -> None:
        """Listen for ``ranks`` ranks. Raises OSError where no socket can be made."""
        self.ranks = ranks
        self.hello: dict[int, Event] = {}
        self._peers: dict[int, Peer] = {}
        self._selector = selectors.DefaultSelector()
        # Tells who has hung up in that order. The other tells of a rank that has said something again
        # before those that have hung up since.
        self._ends = select.epoll()
        self._ended: dict[int, int] = {}  # descriptors, and in which place they hung up
        self._folder: Path | None = None
        self.path = ""
        self._listener = self._bound()
        self._listener.listen(ranks)
        self._listener.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def attach(self, source: _HasFileno, on_readable: Callable[[], None]) -> None:
        """Have :meth:`wait` call ``on_readable`` whenever ``source`` has something to read."""

        def call() -> Iterator[Event]:
            on_readable()
            return iter(())

        self._selector.register(source, selectors.EVENT_READ, call)

    def detach(self, source: _HasFileno) -> None:
        """Forget a source that was attached."""
        self._selector.unregister(source)

    def wait(self, timeout_s: float) -> list[Event]:
        """Return the events that have come; wait up to ``timeout_s`` seconds for something to happen.

        The end of a rank's connection is the event ``{"event": "gone", "rank": r, "reason": …}``; these
        come in the order in which the connections ended.
        """
        events: list[Event] = []
        ready = self._selector.select(timeout_s)
        for descriptor, _ in self._ends.poll(0):
            self._ended.setdefault(descriptor, max(self._ended.values(), default=0) + 1)
        for key, _ in sorted(ready, key=lambda one: self._ended.get(one[0].fd, 0)):
            events += key.data()
            while key.fd in self._ended:  # the end comes behind what was said last
                events += key.data()
        return events

    def send_all(self, message: Event) -> None:
        """Send one message to every rank that is connected; a rank that does not take it is cut off.

        Its going is told by the next :meth:`wait`.
        """
        from mpi_stage.contract import encode  # noqa: PLC0415  (the ranks start while this is loaded)

        line = encode(message)
        for peer in [peer for peer in self._peers.values() if peer.rank is not None]:
            self._send(peer, line)

    @staticmethod
    def _send(peer: Peer, line: bytes) -> None:
        peer.socket.settimeout(_SEND_TIMEOUT_S)
        try:
            peer.socket.sendall(line)
        except OSError:
            with suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)
        peer.socket.settimeout(0)

    @property
    def connected(self) -> int:
        """How many ranks have said hello and are still connected."""
        return sum(peer.rank is not None for peer in self._peers.values())

    def close(self) -> None:
        """End all connections, which ends the ranks, and remove the socket; safe to call again."""
        for peer in list(self._peers.values()):
            self._drop(peer)
        self._stop_listening()
        self._selector.close()
        self._ends.close()

    def _bound(self) -> socket.socket:
        """Return a socket at the place where the ranks are to connect."""
        self._folder = private_folder()
        self.path = str(self._folder / SOCKET_NAME)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        return listener

    def _accept(self) -> Iterator[Event]:
        with suppress(BlockingIOError):
            connection, _ = self._listener.accept()
            connection.settimeout(0)
            peer = Peer(connection)
            self._peers[connection.fileno()] = peer
            self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(peer))
            self._ends.register(connection, select.EPOLLRDHUP | select.EPOLLET)
        return iter(())

    def _read(self, peer: Peer) -> Iterator[Event]:
        """Yield the whole lines that a rank has sent, and that it is gone if so."""
        try:
            data = peer.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            yield from self._gone(peer, "its connection ended")
            return
        *lines, rest = (peer.unread + data).split(b"\n") if b"\n" in data else (peer.unread + data,)
        peer.unread = rest
        try:
            for line in lines:
                yield self._understand(peer, json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            yield from self._gone(peer, f"it does not keep to the protocol: {error!r}")
            return
        limit = self._longest_line_bytes(peer)
        if len(rest) > limit:
            yield from self._gone(peer, f"it sent a line of more than {limit} bytes")

    def _longest_line_bytes(self, peer: Peer) -> int:  # noqa: ARG002  (depends on the peer where they are remote)
        return MAX_LINE_BYTES

    def _understand(self, peer: Peer, event: Event) -> Event:
        """Take note of a hello. Raises KeyError, TypeError or ValueError for what is no event."""
        from mpi_stage.contract import check_event  # noqa: PLC0415  (the ranks start while this is loaded)

        check_event(event)
        if peer.rank is None:
            rank = int(event["rank"])
            if event["event"] != "hello" or rank in self.hello or not 0 <= rank < self.ranks:
                raise ValueError(f"{event} comes first")
            peer.rank = rank
            self.hello[rank] = event
            if len(self.hello) == self.ranks:
                self._stop_listening()
        return {**event, "rank": peer.rank}

    def _gone(self, peer: Peer, reason: str) -> Iterator[Event]:
        self._drop(peer)
        if peer.rank is not None:
            yield {"event": "gone", "rank": peer.rank, "reason": reason}

    def _drop(self, peer: Peer) -> None:
        del self._peers[peer.socket.fileno()]
        self._ended.pop(peer.socket.fileno(), None)
        self._selector.unregister(peer.socket)
        peer.socket.close()

    def _stop_listening(self) -> None:
        if self._listener.fileno() >= 0:
            self._selector.unregister(self._listener)
            self._listener.close()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)


def private_folder() -> Path:
    """Make a folder for this user alone, whose path leaves room for a socket's name."""
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  (mkdtemp makes the folder private)
        folder = Path(tempfile.mkdtemp(prefix="halorow-", dir=base))
        if len(bytes(folder / SOCKET_NAME)) <= _MAX_PATH_BYTES:
            return folder
        folder.rmdir()
    raise OSError(f"no temporary folder has a path short enough for a socket ({_MAX_PATH_BYTES} bytes)")
