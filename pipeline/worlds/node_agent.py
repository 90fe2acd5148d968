"""What belongs to one world on one of its nodes: the relay, Hydra's proxy and the ranks below it."""

import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from mpi_stage.errors import WorldError
from pipeline.worlds.control import SOCKET_NAME, private_folder
from pipeline.worlds.launch import forget_shared_memory, rank_environment
from pipeline.worlds.processes import descendants, signal_all, spawn, wait_gone
from pipeline.worlds.relay import Relay
from pipeline.worlds.remote_control import Door

KILL_S = 5.0


@dataclass(frozen=True)
class Joined:
    """What a node has made ready for a world.

    Attributes
    ----------
    control: path of the socket to which the ranks of this node connect.
    interface: the network interface that has the node's address.
    """

    control: str
    interface: str


class NodeAgent:
    """Starts and ends a node's part of one world after another.

    A part ends, with all its processes, when it is told to or when the supervisor goes; and with the
    process that this object lives in, however that ends.
    """

    def __init__(self, address: str) -> None:
        """Work on the node of this address; nothing is started yet."""
        self._address = address
        self._lock = threading.Lock()
        self._worlds = 0
        self._folder: Path | None = None
        self._scratch: Path | None = None
        self._relay: Relay | None = None
        self._proxy: subprocess.Popen[bytes] | None = None

    def join(self, door: Door, number: int, scratch: Path | None = None) -> Joined:
        """Make the relay to the supervisor at ``door``, as node ``number``. Raises WorldError, OSError.

        ``scratch`` is made where it is not there, and then removed at the end.
        """
        self.end()
        interface = interface_of(self._address)
        if scratch is not None and not scratch.exists():
            scratch.mkdir(parents=True)
            self._scratch = scratch
        self._folder = private_folder()
        self._worlds += 1
        lost = partial(self._lost, self._worlds)
        self._relay = Relay(self._folder / SOCKET_NAME, door, number, lost)
        return Joined(str(self._folder / SOCKET_NAME), interface)

    def launch(self, proxy: Sequence[str], ranks: int) -> None:
        """Start Hydra's proxy, which starts ``ranks`` ranks here."""
        with self._lock:
            if self._relay is None:
                raise WorldError(f"node {self._address} has lost its supervisor")
            self._proxy = spawn(proxy, env=rank_environment(ranks))

    def processes(self) -> list[int]:
        """Return the ids of the world's processes on this node."""
        proxy = [] if self._proxy is None else [self._proxy.pid, *descendants(self._proxy.pid)]
        ranks = [] if self._relay is None else self._relay.pids()
        return list(dict.fromkeys([*proxy, *ranks]))

    def killer(self, wait_s: float = 0.0) -> int:
        """Return the signal that killed Hydra's proxy, or 0; one that still runs gets ``wait_s`` to end."""
        with suppress(subprocess.TimeoutExpired):
            return max(0, -self._proxy.wait(wait_s)) if self._proxy else 0
        return 0

    def end(self) -> None:
        """End this node's part and wait until its processes are gone; safe to call again."""
        with self._lock:  # until all is gone, for whoever else wants to see it gone
            relay = self._relay
            self._end()
        if relay is not None:
            relay.join()

    def _end(self) -> None:
        found = self.processes()
        relay, self._relay = self._relay, None
        proxy, self._proxy = self._proxy, None
        folders, self._folder, self._scratch = (self._folder, self._scratch), None, None
        forget_shared_memory(found)
        signal_all(found, signal.SIGKILL)
        ending = set(found)
        if relay is not None:
            relay.close()
            ending |= relay.came  # some may be ending by themselves
        wait_gone(ending, KILL_S)
        if proxy is not None:
            with suppress(subprocess.TimeoutExpired):  # then not even SIGKILL has ended it
                proxy.wait(KILL_S)
        for folder in filter(None, folders):
            shutil.rmtree(folder, ignore_errors=True)

    def _lost(self, world: int) -> None:
        """End this node's part of a world whose supervisor has gone, unless there is another by now."""
        if world == self._worlds:
            self.end()


def interface_of(address: str) -> str:
    """Return the name of the network interface that has an address. Raises WorldError without one."""
    interfaces = psutil.net_if_addrs()
    for name, entries in interfaces.items():
        if any(entry.address == address for entry in entries):
            return name
    raise WorldError(
        f"no network interface here has the address {address}; there are {', '.join(interfaces)}"
    )


def address_of(interface: str) -> str:
    """Return the address of a network interface. Raises WorldError without one."""
    interfaces = psutil.net_if_addrs()
    for entry in interfaces.get(interface, ()):
        if entry.family is socket.AF_INET:
            return entry.address
    raise WorldError(
        f"the network interface {interface!r} that the settings name has no address on "
        f"{socket.gethostname()}; there are {', '.join(interfaces)}"
    )
