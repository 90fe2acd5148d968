"""What a killed service leaves behind is ended."""

import subprocess
import sys

import psutil

WAIT_S = 30

# A service with a child in a session of its own, which would outlive it.
SERVICE = """
import subprocess, sys
from pipeline.embedded import reaper
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
watching = reaper.start()
print(child.pid, watching.pid, flush=True)
input()
"""


def start():
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    child, watching = map(int, process.stdout.readline().split())
    return process, psutil.Process(child), psutil.Process(watching)


def test_what_a_killed_service_had_started_is_ended_and_the_reaper_with_it():
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process, child, watching = start()
    # A child that holds on to its standard input would not notice.
    child.suspend()
    while watching.num_ctx_switches().voluntary < 2:  # it has looked, and waits
        pass

    process.kill()
    process.communicate(timeout=WAIT_S)

    _, left = psutil.wait_procs([child, watching], timeout=WAIT_S)
    assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []
    assert other.poll() is None
    other.communicate(b"\n", timeout=WAIT_S)
