"""What never answers is asked by one thread, and keeps no process from its end."""

import subprocess
import sys
import threading

import pytest

from pipeline.alerts.probe import Probe
from pipeline.errors import StoreUnavailableError


def test_what_hangs_is_asked_once_however_often_somebody_looks_and_once_more_when_it_has_answered():
    asked, go = [], threading.Event()

    def ask():
        asked.append(threading.current_thread())
        go.wait()

    probe = Probe(ask, "hangs")
    for _ in range(5):
        with pytest.raises(TimeoutError):
            probe.answer(0.01)
    assert len(asked) == 1
    go.set()
    asked[0].join()
    probe.answer(20)
    assert len(asked) == 2


def test_why_there_is_no_answer_is_told_and_the_next_who_looks_asks_again():
    answers = [StoreUnavailableError("away")]

    def ask():
        if answers:
            raise answers.pop()

    probe = Probe(ask, "fails")
    with pytest.raises(StoreUnavailableError, match="away"):
        probe.answer(20)
    probe.answer(20)


def test_a_process_ends_though_what_it_asked_hangs():
    program = (
        "import threading\n"
        "from pipeline.alerts.probe import Probe\n"
        "try:\n"
        "    Probe(threading.Event().wait, 'hangs').answer(0.01)\n"
        "except TimeoutError:\n"
        "    print('late')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert ended.stdout == b"late\n"
