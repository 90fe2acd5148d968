"""Programs that are to run as long as the service does."""

import os
import signal
import threading

import psutil
import pytest

from pipeline.embedded.children import Child

WAIT_S = 30


@pytest.fixture
def child(tmp_path):
    """Give a small server that runs until it is ended."""
    one = Child("http.server", ["--bind", "127.0.0.1", "0"], dict(os.environ), tmp_path / "child.log")
    one.start()
    yield one
    one.stop()


def look_until(child, true):
    pause = threading.Event()
    for _ in range(WAIT_S * 50):
        ended = child.look()
        if true(ended):
            return
        pause.wait(0.02)
    pytest.fail("it did not come to pass")


def test_a_program_that_was_killed_is_started_again(child):
    first = child.pid
    os.kill(first, signal.SIGKILL)

    look_until(child, lambda ended: ended)
    look_until(child, lambda _: child.pid is not None)

    assert child.pid != first


def test_a_program_that_runs_is_left_alone(child):
    first = child.pid

    assert not child.look()
    assert child.pid == first


def test_a_stopped_program_is_gone(child):
    process = psutil.Process(child.pid)

    child.ask_to_end()
    child.stop()

    assert not process.is_running()
    assert child.pid is None


def test_a_program_that_keeps_failing_waits_longer_each_time(tmp_path):
    child = Child("no.such.module", [], dict(os.environ), tmp_path / "log")
    pauses = []
    child.start()
    for _ in range(3):
        look_until(child, lambda ended: ended)
        pauses.append(child._pause_s)
        child._due = 0.0
        child.look()
    child.stop()

    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


PARENT = """
import pathlib, signal, subprocess, sys
below = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])

def end(number, frame):
    pathlib.Path(sys.argv[1]).write_text(str(below.poll()))
    below.kill()
    sys.exit()

signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
signal.pause()
"""


def test_a_program_is_asked_to_end_before_what_it_has_started(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    log, said = tmp_path / "log", tmp_path / "said"
    one = Child("parent", [str(said)], {**os.environ, "PYTHONPATH": str(tmp_path)}, log)
    one.start()
    look_until(one, lambda _: "ready" in log.read_text())

    one.stop()

    assert said.read_text() == "None"
