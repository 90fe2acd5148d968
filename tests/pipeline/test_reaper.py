"""What a killed service leaves behind is ended."""

import os
import subprocess
import sys

from pipeline import reaper

WAIT_S = 30


def sleeper(mark):
    env = {**os.environ, reaper.MARK: mark}
    # It says when it runs: only then is its environment to be seen.
    argv = [sys.executable, "-c", "print(flush=True); input()"]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
    process.stdout.readline()
    return process


def test_the_end_of_the_pipe_ends_all_that_carry_the_mark_and_nobody_else():
    marked, other = sleeper("this service"), sleeper("another service")
    watching = reaper.start("this service")
    assert marked.poll() is None

    watching.communicate(timeout=WAIT_S)

    assert marked.wait(WAIT_S) < 0
    assert other.poll() is None
    other.communicate(b"\n", timeout=WAIT_S)
    marked.communicate(timeout=WAIT_S)
