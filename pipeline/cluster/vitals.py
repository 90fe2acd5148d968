"""How this machine is, taken in well under a millisecond and told every few seconds."""

import shutil
import tempfile
import threading

import psutil

from pipeline.errors import QueueUnavailableError
from pipeline.models import Vitals
from pipeline.ports import OperatorBoard

VITALS_S = 5.0
"""How often a node tells how it is."""


def take_vitals() -> Vitals:
    """Return the CPU's load since this process last asked, memory, and the disk that work is done on."""
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(tempfile.gettempdir())
    return Vitals(
        cpu_percent=psutil.cpu_percent(),
        memory_used_bytes=memory.total - memory.available,
        memory_total_bytes=memory.total,
        disk_used_bytes=disk.used,
        disk_total_bytes=disk.used + disk.free,
    )


def tell_vitals(board: OperatorBoard, node_id: str, over: threading.Event) -> None:
    """Tell how this node is until ``over``; while Redis is away nobody is told."""
    psutil.cpu_percent()  # what it says the first time means nothing
    while not over.wait(VITALS_S):
        try:
            board.put_vitals(node_id, take_vitals())
        except QueueUnavailableError:
            continue
