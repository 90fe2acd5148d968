"""What every board for operators does, whatever it stands on."""

from datetime import timedelta

import pytest

from pipeline.memory.operators import MemoryOperatorBoard
from pipeline.models import Alert, AlertsStatus, AlertState, Lane, Sample, Vitals, now
from pipeline.redis.operators import RedisOperatorBoard


@pytest.fixture(params=["memory", "redis"])
def board(request):
    if request.param == "memory":
        return MemoryOperatorBoard()
    return RedisOperatorBoard(request.getfixturevalue("redis_client"))


def vitals(cpu_percent):
    return Vitals(
        cpu_percent=cpu_percent,
        memory_used_bytes=1,
        memory_total_bytes=4,
        disk_used_bytes=3,
        disk_total_bytes=4,
    )


def test_a_fresh_board_knows_nothing(board):
    assert board.vitals(["a"]) == {}
    assert board.vitals([]) == {}
    assert board.samples(now() - timedelta(days=1)) == []
    assert board.alerts() is None


def test_of_each_node_the_last_word_is_known(board):
    board.put_vitals("a", vitals(10.0))
    board.put_vitals("a", told := vitals(20.0))
    board.put_vitals("b", vitals(30.0))
    assert board.vitals(["a", "c"]) == {"a": told}
    assert (told.memory_percent, told.disk_percent) == (25.0, 75.0)


def test_samples_come_back_in_the_order_of_time(board):
    begun = now() - timedelta(seconds=1)
    series = [Sample(waiting={Lane.SINGLE: number}, nodes=number) for number in range(5)]
    for sample in series:
        board.add_sample(sample)
    assert board.samples(begun) == series
    assert board.samples(now() + timedelta(minutes=1)) == []


def test_alerts_come_back_as_they_were_put(board):
    alert = Alert(id="node-busy:10.0.0.3", state=AlertState.RAISED, since=now(), text="Ärger ☂")
    board.put_alerts(AlertsStatus(version=1))
    board.put_alerts(put := AlertsStatus(version=2, active=[alert], untold=[alert]))
    assert board.alerts() == put
    assert (alert.rule, alert.subject, alert.runbook) == ("node-busy", "10.0.0.3", "HalorowNodeBusy")
