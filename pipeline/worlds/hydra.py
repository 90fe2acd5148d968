"""An MPI world over several nodes, started by Hydra without ssh.

``mpiexec -launcher manual`` prints, for every node, the line that starts its proxy there; whoever
stands for the node runs it (``pipeline.worlds.node_agent``). The proxies connect back to ``mpiexec`` and
start the ranks. Ranks on one node talk through shared memory, others by TCP.
"""

import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol

from mpi_stage.errors import NodeLostError, WorldError
from pipeline.worlds.control import Event
from pipeline.worlds.ending import signal_name
from pipeline.worlds.launch import STAGE_PROGRAM, mpiexec, rank_arguments, rank_environment
from pipeline.worlds.node_agent import Joined
from pipeline.worlds.peers import PEER_S
from pipeline.worlds.processes import descendants, end, spawn
from pipeline.worlds.remote_control import Door, RemoteControlServer
from pipeline.worlds.tail import Tail
from pipeline.worlds.world import World

LAUNCH_S = 20.0
"""How long ``mpiexec`` may take to print the lines; it takes about a tenth of a second."""

STOPPED_S = 5.0
"""How long a rank may be stopped (SIGSTOP) before its world is given up."""

ENDED_S = 2.0
"""How long a proxy may take to end once ``mpiexec`` has."""

SILENT_S = 2 * PEER_S
"""How long a node's relay may say nothing though the system there answers."""

TRANSPORT = "tcp,self,sm"

# mpiexec ends the ranks of the other nodes once it has heard from the one where it began, and names that.
_BEGAN_AT = re.compile(r"^=\s+PID \d+ RUNNING AT (\S+)$", re.MULTILINE)

_LINE = "HYDRA_LAUNCH: "
_END = b"HYDRA_LAUNCH_END\n"


class Nodes(Protocol):
    """The nodes of a world: one agent on each, wherever that is.

    Attributes
    ----------
    addresses: of the nodes.
    ranks: how many ranks each is to have; neighbours lie on one node.
    """

    @property
    def addresses(self) -> Sequence[str]:
        """Raises WorldError where a node has gone."""

    @property
    def ranks(self) -> Sequence[int]:
        """At least one for each node."""

    def join(self, door: Door) -> list[Joined]:
        """Have every node make ready. Raises WorldError where one cannot."""

    def launch(self, proxies: Sequence[Sequence[str]]) -> None:
        """Have every node start its proxy. Raises WorldError where one cannot."""

    def fallen(self, wait_s: float) -> dict[int, int]:
        """Return the numbers of the nodes whose proxy was killed, and by what signal, where that is known.

        A proxy that still runs is waited for up to ``wait_s`` seconds.
        """

    def end(self) -> None:
        """End what the nodes have started, on all that can be reached, and wait until it is gone."""


class SpreadWorld(World):
    """A world whose ranks are dealt to nodes; otherwise as ``World``.

    The supervisor and the nodes ask each other every second whether they are there. A node that does
    not answer for ``PEER_S`` seconds is lost, and the world with it: its ranks end by themselves.
    """

    _control: RemoteControlServer

    def __init__(
        self,
        nodes: Nodes,
        address: str,
        *,
        env: Mapping[str, str] | None = None,
        transport: str = TRANSPORT,
        program: Sequence[str] = STAGE_PROGRAM,
    ) -> None:
        """Start the ranks; ``address`` is where the nodes reach this process's machine.

        Raises WorldError where a node does not take part.
        """
        self._nodes = nodes
        self._address = address
        self._transport = transport
        self._lost: list[int] = []  # in the order in which they were missed
        self._heard_s: dict[int, float] = {}
        self._stopped_s: dict[int, float] = {}
        super().__init__(sum(nodes.ranks), env=env, program=program)

    def processes(self) -> list[int]:
        """Return the ids of the world's processes on this machine that are not a node's."""
        if self._process.returncode is not None:
            return []
        return [self._process.pid, *descendants(self._process.pid)]

    def close(self) -> None:
        """End the world, on all nodes that can be reached; the others end their part by themselves."""
        if not self._closed:
            super().close()
            self._nodes.end()

    def _listen(self) -> RemoteControlServer:
        return RemoteControlServer(self.ranks, self._address)

    def _start(self, env: Mapping[str, str] | None, program: Sequence[str]) -> subprocess.Popen[bytes]:
        process = None
        try:
            joined = self._nodes.join(self._control.door)
            command = self._command(joined, program)
            writer = self._tail.writer
            process = spawn(command, env=self._environment(env), stdout=writer, stderr=writer)
            self._nodes.launch(proxies_of(self._tail, len(joined)))
        except BaseException:
            self._nodes.end()
            if process is not None:
                end(process, grace_s=0.0)
            raise
        return process

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        """Return the environment that Hydra gives all ranks."""
        return rank_environment(max(self._nodes.ranks), env) | {"UCX_TLS": self._transport}

    def _command(self, joined: Sequence[Joined], program: Sequence[str]) -> list[str]:
        each = list(zip(self._nodes.addresses, self._nodes.ranks, joined, strict=True))
        hosts = ",".join(f"{address}:{ranks}" for address, ranks, _ in each)
        command = [str(mpiexec()), "-rmk", "user", "-launcher", "manual", "-localhost", self._address]
        command += ["-hosts", hosts]
        for number, (_, ranks, node) in enumerate(each):
            command += [":"] if number else []
            command += ["-n", str(ranks), "-env", "UCX_NET_DEVICES", node.interface]
            command += rank_arguments(node.control, program)
        return command

    def _all_started(self) -> None:
        self._control.ask_relays({"request": "forget"})

    def _hear(self, timeout_s: float = 0.0) -> list[Event]:
        events = super()._hear(timeout_s)
        now_s = time.monotonic()
        for event in events:
            if event["event"] == "parted":
                self._lost.append(event["node"])
            elif event["event"] == "beat":
                self._heard_s[event["node"]] = now_s
                if event["stopped"]:
                    self._stopped_s.setdefault(event["node"], now_s)
                else:
                    self._stopped_s.pop(event["node"], None)
        return events

    def _broken(self) -> bool:
        return bool(self._lost) or super()._broken()

    def _check_peers(self) -> None:
        now_s = time.monotonic()
        for node, since_s in self._heard_s.items():
            if now_s - since_s > SILENT_S:
                raise NodeLostError(f"{self._name(node)} has said nothing for {SILENT_S:g} s")
        for node, since_s in self._stopped_s.items():
            if now_s - since_s > STOPPED_S:
                raise WorldError(
                    f"a rank on {self._name(node)} has been stopped for {STOPPED_S:g} s; "
                    "the job can be tried again"
                )

    def _has_said_all(self) -> bool:
        # What ranks have said may still be on its way when mpiexec has ended.
        return super()._has_said_all() and not self._control.connected

    def _who(self) -> str:
        """Name the first rank to go on the node where it began; other nodes' ends may be heard of before."""
        began = _BEGAN_AT.search(self._tail.text)
        nodes = [node for node, address in enumerate(self._nodes.addresses) if began and address == began[1]]
        here = self._ranks_at(nodes[0]) if nodes else range(self.ranks)
        first = next((rank for rank in self._gone if rank in here), None)
        return super()._who() if first is None else f"rank {first} of {self.ranks}"

    def _raise_death(self, job: str) -> NoReturn:
        try:
            super()._raise_death(job)
        except WorldError as error:
            if type(error) is not WorldError:
                raise
            if self._lost:
                lost = self._name(self._lost[0])
                text = f"{lost} was lost: its agent ended or cannot be reached any more"
                raise NodeLostError(text) from error
            if not _BEGAN_AT.search(self._tail.text):
                self._raise_fallen(error)
            raise

    def _raise_fallen(self, error: WorldError) -> None:
        """Raise WorldError where a proxy was killed: mpiexec then ends in a way that does not tell which."""
        # Proxies end with mpiexec. While that runs, ranks have gone after their own proxy had ended.
        wait_s = 0.0 if self._process.poll() is None else ENDED_S
        for node, number in self._nodes.fallen(wait_s).items():
            ranks = ", ".join(map(str, self._ranks_at(node)))
            raise WorldError(
                f"Hydra's proxy on {self._name(node)} was killed by {signal_name(number)}, "
                f"and rank {ranks} of {self.ranks} with it"
            ) from error

    def _ranks_at(self, node: int) -> range:
        first = sum(self._nodes.ranks[:node])
        return range(first, first + self._nodes.ranks[node])

    def _name(self, node: int) -> str:
        return f"node {self._nodes.addresses[node]}, number {node + 1} of {len(self._nodes.addresses)},"


def proxies_of(output: Tail, nodes: int) -> list[list[str]]:
    """Return the command of every node's proxy, as ``mpiexec`` prints them. Raises WorldError."""
    said = output.read_until(_END, LAUNCH_S)
    if said is None:
        raise WorldError(f"mpiexec has not told how to start its proxies; its last words: {output.text}")
    commands = [shlex.split(line.removeprefix(_LINE)) for line in said.splitlines() if line.startswith(_LINE)]
    if len(commands) != nodes:
        raise WorldError(f"mpiexec wants {len(commands)} proxies for {nodes} nodes")
    return commands
