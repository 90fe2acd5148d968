"""Several hosts on one machine: network namespaces with links of their own. Needs root and iproute2."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.worlds.launch import mpiexec, rank_command, rank_environment
from pipeline.worlds.processes import spawn
from pipeline.worlds.world import World

FIRST_ADDRESS = 11
BURST_BYTES = 32 << 10
QUEUE = ("latency", "4s")

# A bridge takes the lowest address of its members and changes it when one leaves, unless it has its own.
BRIDGE_MAC = "02:79:00:00:00:01"

HERE = 1
"""The last part of this machine's own address on the bridge."""

# Hydra calls it as it would call ssh: options, a host, and words for that host's shell.
_LAUNCHER = """#!/bin/sh
while [ "${{1#-}}" != "$1" ]; do shift; done
host=$1
shift
exec ip netns exec {bridge}-"${{host##*.}}" sh -c "$*"
"""


def why_impossible() -> str | None:
    """Return why there can be no hosts here, None where there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None or shutil.which("tc") is None:
        return "ip and tc are not there; Debian's package is iproute2"
    return None


class Hosts:
    """So many hosts, joined by a bridge, until the ``with`` block ends.

    Attributes
    ----------
    bridge: its name, and what the names of the hosts begin with.
    network: the first three parts of all addresses.
    """

    bridge = "hrbench"
    network = "10.79.0"

    def __init__(self, count: int) -> None:
        """Be ready to make ``count`` hosts."""
        self.numbers = range(FIRST_ADDRESS, FIRST_ADDRESS + count)
        self._folder = Path(tempfile.mkdtemp(prefix="halorow-hosts-"))
        self.launcher = self._folder / "launcher"

    def __enter__(self) -> Self:
        """Make them."""
        try:
            self._make()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove them."""
        self._remove()

    @property
    def addresses(self) -> list[str]:
        """Their addresses."""
        return [self.address(number) for number in self.numbers]

    def address(self, number: int) -> str:
        """Return a host's address, or this machine's on the bridge (``HERE``)."""
        return f"{self.network}.{number}"

    def name(self, number: int) -> str:
        """Return a host's name, which is that of its network namespace."""
        return f"{self.bridge}-{number}"

    def cut(self, number: int) -> None:
        """Cut a host's link."""
        run(["ip", "link", "set", f"v{self.name(number)}", "down"])

    def heal(self, number: int) -> None:
        """Join a host's link again."""
        run(["ip", "link", "set", f"v{self.name(number)}", "up"])

    def limit(self, bits_s: int | None) -> None:
        """Let every host send and receive at most so many bits a second; None for no limit."""
        for number in self.numbers:
            for where in (["tc"], ["tc", "-n", self.name(number)]):
                device = f"v{self.name(number)}" if len(where) == 1 else "eth0"
                run([*where, "qdisc", "del", "dev", device, "root"], check=False)
                if bits_s is not None:
                    shape = ["rate", f"{bits_s}bit", "burst", str(BURST_BYTES), *QUEUE]
                    run([*where, "qdisc", "add", "dev", device, "root", "tbf", *shape])

    def sent_bytes(self) -> list[int]:
        """Return how many bytes each host has sent so far, headers included."""
        counter = "/sys/class/net/eth0/statistics/tx_bytes"
        return [
            int(run(["ip", "netns", "exec", self.name(number), "cat", counter])) for number in self.numbers
        ]

    def _make(self) -> None:
        self.launcher.write_text(_LAUNCHER.format(bridge=self.bridge))
        self.launcher.chmod(0o700)
        self._take_down()  # what a killed run has left
        run(["ip", "link", "add", self.bridge, "address", BRIDGE_MAC, "type", "bridge"])
        run(["ip", "addr", "add", f"{self.address(HERE)}/24", "dev", self.bridge])
        run(["ip", "link", "set", self.bridge, "up"])
        for number in self.numbers:
            name, inside = self.name(number), ["ip", "-n", self.name(number)]
            run(["ip", "netns", "add", name])
            run(["ip", "link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "netns", name])
            run(["ip", "link", "set", f"v{name}", "master", self.bridge, "up"])
            run([*inside, "addr", "add", f"{self.address(number)}/24", "dev", "eth0"])
            for device in ("lo", "eth0"):
                run([*inside, "link", "set", device, "up"])

    def _remove(self) -> None:
        self._take_down()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _take_down(self) -> None:
        for number in self.numbers:
            run(["ip", "netns", "del", self.name(number)], check=False)
            # A namespace in which a process is left keeps its end of the link, and so this one.
            run(["ip", "link", "del", f"v{self.name(number)}"], check=False)
        run(["ip", "link", "del", self.bridge], check=False)


class HostsWorld(World):
    """A world whose ranks are dealt to hosts, neighbours together, and talk TCP between them."""

    def __init__(self, ranks: int, hosts: Hosts) -> None:
        """Start ``ranks`` ranks, the same number on each of ``hosts``."""
        self._hosts = hosts
        super().__init__(ranks)

    def _start(self, env: Mapping[str, str] | None, program: Sequence[str]) -> subprocess.Popen[bytes]:
        each = self.ranks // len(self._hosts.addresses)
        where = ",".join(f"{address}:{each}" for address in self._hosts.addresses)
        launcher = ["-launcher", "ssh", "-launcher-exec", str(self._hosts.launcher)]
        hydra = [str(mpiexec()), "-rmk", "user", *launcher, "-iface", "eth0", "-hosts", where]
        # Of one rank the command is the bare program.
        rank = rank_command(1, self._control.path, program)
        enter = ["ip", "netns", "exec", self._hosts.name(self._hosts.numbers[0])]
        # All hosts share this machine's memory, so that only TCP makes them go over their links.
        environment = rank_environment(self.ranks, env) | {"UCX_TLS": "self,tcp", "UCX_NET_DEVICES": "eth0"}
        command = [*enter, *hydra, "-n", str(self.ranks), *rank]
        return spawn(command, env=environment, stdout=self._tail.writer, stderr=self._tail.writer)


def run(command: list[str], *, check: bool = True) -> str:
    """Run a command of iproute2 and return what it says. Raises RuntimeError where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
