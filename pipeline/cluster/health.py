"""Whether this machine does its part: ``python -m pipeline.cluster.health``, a container's health check.

It does if Ray's process for nodes runs here, or if the page answers.
"""

import sys

import psutil

from pipeline.access.page_access import page_answers
from pipeline.config import Settings
from pipeline.errors import SettingsError

RAYLET = "raylet"
_AT_WORK = {psutil.STATUS_RUNNING, psutil.STATUS_SLEEPING, psutil.STATUS_DISK_SLEEP, psutil.STATUS_IDLE}


def is_node(process: psutil.Process) -> bool:
    """Whether a process makes this machine one of Ray's nodes; one that was stopped does not."""
    try:
        return process.name() == RAYLET and process.status() in _AT_WORK
    except psutil.NoSuchProcess:
        return False


def main() -> int:
    """Return 0 if all is well, else 1 with the reason on standard error."""
    try:
        port = Settings.load().page_port
    except SettingsError as error:
        sys.stderr.write(f"{error.public_message}\n")
        return error.exit_code
    if any(map(is_node, psutil.process_iter())) or page_answers(port):
        return 0
    sys.stderr.write(f"no {RAYLET} runs here, and no page answers on port {port}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
