"""What the figures were measured on."""

import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import pyvips

PACKAGES = ("halorow", "numpy", "opencv-python-headless", "imagecodecs", "mpi4py", "mpich", "ray", "pyvips")


@dataclass(frozen=True)
class Machine:
    """A machine and the software on it."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    versions: dict[str, str]

    @property
    def slug(self) -> str:
        """A name for files: the processor and the number of cores."""
        words = re.sub(r"[^a-z0-9]+", "-", self.cpu.lower()).strip("-")
        return f"{words}-{self.cores}-cores"

    def __str__(self) -> str:
        """One sentence."""
        software = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gib:.0f} GiB, {self.system}, "
            f"Python {self.python}; {software}"
        )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def cpu_model() -> str:
    """Return the processor's name as the kernel gives it."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def describe() -> Machine:
    """Describe this machine."""
    vips = ".".join(str(pyvips.version(part)) for part in range(3))
    return Machine(
        cpu=cpu_model(),
        cores=cores(),
        memory_gib=psutil.virtual_memory().total / 2**30,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions={name: version(name) for name in PACKAGES} | {"libvips": vips},
    )
