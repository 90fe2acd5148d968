"""Alerts and nodes in a terminal, and the chronicle that the page shows, on a real Redis."""

import json
import threading
from datetime import timedelta

import psutil
import pytest

from pipeline.cli.application import application
from pipeline.cluster import chronicle
from pipeline.cluster.chronicle import Chronicle
from pipeline.cluster.vitals import take_vitals, tell_vitals
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.models import (
    Alert,
    AlertsStatus,
    AlertState,
    ClusterStatus,
    Lane,
    LaneStatus,
    NodeStatus,
    now,
)

HEAD = NodeStatus(id="h", address="10.0.0.2", is_head=True, state="kept", cores=0)
WORKER = NodeStatus(id="w", address="10.0.0.3", state="kept", cores=4, cores_used=2, ranks=2)
HELD = Alert(
    id="node-busy:10.0.0.3", state=AlertState.RAISED, since=now(), text="Node 10.0.0.3 is busy", remedy="wait"
)


@pytest.fixture
def parts(redis_server, redis_client, tmp_path, monkeypatch):  # noqa: ARG001  (it empties the server)
    """Give the parts that the commands find by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HALOROW_REDIS_URL", redis_server.url)
    monkeypatch.setenv("HALOROW_DATA_DIR", str(tmp_path))
    made = connect_parts(Settings.load())
    yield made
    made.close()


def halorow(*words):
    """Return the exit code of a command, run in this process."""
    return application(list(words))(list(words), prog_name="halorow", standalone_mode=False)


def test_halorow_alerts_exits_with_1_while_one_holds(parts, capsys):
    parts.operators.put_alerts(AlertsStatus(active=[HELD]))
    assert halorow("alerts") == 1
    said = capsys.readouterr().out
    assert "node-busy:10.0.0.3" in said
    assert "is busy: wait" in " ".join(said.split())

    parts.operators.put_alerts(AlertsStatus(recent=[HELD.model_copy(update={"state": AlertState.CLEARED})]))
    assert halorow("alerts", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["active"], told["recent"][0]["state"], told["away"]) == ([], "cleared", [])


def test_halorow_alerts_says_that_nobody_looks(parts, capsys):
    parts.operators.put_alerts(AlertsStatus(looked_at=now() - timedelta(hours=1)))
    assert halorow("alerts") == 0
    assert "has not applied the rules for 3,6" in capsys.readouterr().err


def test_the_chronicle_has_vitals_of_nodes_and_a_series_and_halorow_nodes_shows_them(
    parts, capsys, monkeypatch
):
    begun = now() - timedelta(seconds=1)
    parts.operators.put_vitals("w", take_vitals().model_copy(update={"cpu_percent": 73.0}))
    lanes = {Lane.SINGLE: LaneStatus(waiting=3, held=1)}
    status = ClusterStatus(nodes=[HEAD, WORKER], nodes_wanted=5, nodes_max=9, lanes=lanes)
    kept = Chronicle(parts)
    kept.keep(status)
    kept.keep(status)
    (sample,) = parts.operators.samples(begun)  # it is not yet time for another
    assert (sample.waiting[Lane.SINGLE], sample.nodes, sample.nodes_wanted) == (3, 1, 5)
    assert (sample.cores_used, sample.cpu_percent) == (2, 73.0)
    monkeypatch.setattr(chronicle, "SAMPLE_S", 0.0)
    kept.keep(status)
    assert len(parts.operators.samples(begun)) == 2

    head, worker = parts.board.cluster().nodes
    assert head.vitals.memory_total_bytes == psutil.virtual_memory().total
    assert worker.vitals.cpu_percent == 73.0
    assert halorow("nodes", "--json") in {0, None}
    assert json.loads(capsys.readouterr().out)["nodes"][1]["vitals"]["cpu_percent"] == 73.0
    halorow("nodes")
    said = capsys.readouterr().out
    assert "…" not in said
    assert "73 %" in said


def test_a_node_tells_how_it_is_until_it_is_over(parts, monkeypatch):
    monkeypatch.setattr("pipeline.cluster.vitals.VITALS_S", 0.01)
    over = threading.Event()
    telling = threading.Thread(target=tell_vitals, args=(parts.operators, "n", over))
    telling.start()
    while not (told := parts.operators.vitals(["n"])):
        assert telling.is_alive()
    over.set()
    telling.join()
    assert 0 <= told["n"].cpu_percent <= 100
    assert 0 < told["n"].memory_percent < 100
