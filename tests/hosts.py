"""Hosts for tests: several machines on one, each with its own address, processes, memory and files."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from benchmarks.hosts import HERE, Hosts, why_impossible
from pipeline.worlds.processes import descendants, is_running, signal_all, spawn

# What a namespace does not separate by itself. The last line is the host's first process, with which
# all others of the host end.
_BOOT = """
set -e
hostname {name}
mount -t tmpfs -o size=2g tmpfs /dev/shm
mount -t tmpfs -o size=1g tmpfs {tmp}
mkdir -p /tmp/ray {tmp}/ray
mount --bind {tmp}/ray /tmp/ray
mount --bind {names} /etc/hosts
echo up
exec sleep infinity
"""


class Machines(Hosts):
    """Hosts that can be booted, killed and entered; a program sees its own host only.

    Attributes
    ----------
    tmp: the folder for temporary files, which is another one on every host.
    """

    bridge = "hrtest"
    network = "10.78.0"

    def __init__(self, count: int, folder: Path) -> None:
        """Be ready to make ``count`` hosts; ``folder`` is for what they need on the way."""
        super().__init__(count)
        self.tmp = folder / "tmp"
        self._names = folder / "hosts"
        self._booted: dict[int, subprocess.Popen[bytes]] = {}

    def boot(self, number: int) -> None:
        """Start a host, and return when it is up."""
        self.heal(number)
        script = _BOOT.format(name=self.name(number), tmp=self.tmp, names=self._names)
        apart = ["unshare", "--uts", "--ipc", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
        inside = ["ip", "netns", "exec", self.name(number), *apart, "sh", "-c", script]
        self._booted[number] = spawn(inside, stdout=subprocess.PIPE)
        assert self._booted[number].stdout.readline() == b"up\n"

    def kill(self, number: int) -> None:
        """Kill a host with all that runs on it, without a word to the others."""
        self.cut(number)
        self._end(number)

    def end_programs(self, number: int) -> None:
        """Kill all that runs on a host; its files stay, as when a machine restarts."""
        first = self._first(number)
        signal_all([pid for pid in self.processes(number) if pid != first], signal.SIGKILL)

    def start(self, number: int, argv: list[str], **options) -> subprocess.Popen[bytes]:
        """Start a program on a host."""
        enter = ["nsenter", "-t", str(self._first(number)), "-m", "-u", "-i", "-n", "-p", "--"]
        return spawn([*enter, *argv], **options)

    def processes(self, number: int, what: str = "") -> list[int]:
        """Return the ids, as this machine has them, of a host's processes with ``what`` in their commands."""
        here = Path(f"/proc/{self._first(number)}/ns/pid").readlink()
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal() and is_running(int(folder.name)):
                try:
                    same = (folder / "ns/pid").readlink() == here
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:  # it has just ended, or is none of ours
                    continue
                if same and re.search(what, line):
                    found.append(int(folder.name))
        return found

    def _first(self, number: int) -> int:
        return descendants(self._booted[number].pid)[0]

    def _end(self, number: int) -> None:
        process = self._booted.pop(number)
        process.kill()
        process.wait()
        process.stdout.close()

    def _make(self) -> None:
        self.tmp.mkdir(parents=True)
        everyone = "".join(f"{self.address(number)} {self.name(number)}\n" for number in self.numbers)
        self._names.write_text(f"127.0.0.1 localhost\n{everyone}")
        super()._make()
        for number in self.numbers:
            self.boot(number)

    def _remove(self) -> None:
        for number in list(self._booted):
            self._end(number)
        super()._remove()


def require_hosts() -> None:
    """Skip the test where there can be no hosts; fail in CI, where there must be."""
    reason = why_impossible()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"hosts are required in CI: {reason}")
        pytest.skip(reason)


__all__ = ["HERE", "Machines", "require_hosts"]
