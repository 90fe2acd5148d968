"""The control channel of a world on several nodes: relays bring its ranks' connections by TCP."""

import hmac
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.worlds.control import ControlServer, Event, Peer
from pipeline.worlds.peers import watch_peer

_STRANGERS_LINE_BYTES = 1 << 10


@dataclass(frozen=True)
class Door:
    """Where a supervisor listens, and the word that it wants to hear first; its ``repr`` hides that."""

    address: str
    port: int
    token: str = field(repr=False)


class RemoteControlServer(ControlServer):
    """Listens for the relays of one world's nodes.

    Every connection begins with a line ``{"token": …}``, after which it is that of a rank, or with
    ``{"token": …, "node": k}``, which is the relay's own: it says ``{"event": "beat", "stopped": n}``
    every second, and its end is the event ``{"event": "parted", "node": k}``. Whoever does not know the
    token is cut off.

    Attributes
    ----------
    door: what relays need to know.
    """

    def __init__(self, ranks: int, address: str) -> None:
        """Listen on ``address`` for relays that bring ``ranks`` ranks. Raises OSError."""
        self._address = address
        self._known: set[Peer] = set()
        self._nodes: dict[Peer, int] = {}
        super().__init__(ranks)
        self.door = Door(address, self._listener.getsockname()[1], secrets.token_hex(16))

    def ask_relays(self, message: Event) -> None:
        """Send one message to every relay."""
        from mpi_stage.contract import encode  # noqa: PLC0415  (the ranks start while this is loaded)

        for peer in list(self._nodes):
            self._send(peer, encode(message))

    def _bound(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET6 if ":" in self._address else socket.AF_INET)
        watch_peer(listener)
        listener.bind((self._address, 0))
        return listener

    def _understand(self, peer: Peer, event: Event) -> Event:
        if peer in self._nodes:
            return {**event, "node": self._nodes[peer]}
        if peer in self._known:
            return super()._understand(peer, event)
        self._admit(peer, event)
        return {"event": "admitted"}

    def _admit(self, peer: Peer, knock: dict[str, Any]) -> None:
        if not hmac.compare_digest(str(knock["token"]).encode(), self.door.token.encode()):
            raise ValueError("it does not know the token")
        self._known.add(peer)
        if "node" in knock:
            self._nodes[peer] = int(knock["node"])

    def _longest_line_bytes(self, peer: Peer) -> int:
        return super()._longest_line_bytes(peer) if peer in self._known else _STRANGERS_LINE_BYTES

    def _gone(self, peer: Peer, reason: str) -> Iterator[Event]:
        node = self._nodes.get(peer)
        yield from super()._gone(peer, reason)
        if node is not None:
            yield {"event": "parted", "node": node, "reason": reason}

    def _drop(self, peer: Peer) -> None:
        super()._drop(peer)
        self._known.discard(peer)
        self._nodes.pop(peer, None)
