"""Alerts raised by real causes, written down, and told once: on a real Redis."""

import os
import signal
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from pipeline.alerts.book import AlertBook
from pipeline.alerts.lookout import Lookout, is_same_disk
from pipeline.alerts.loop import AlertLoop
from pipeline.alerts.rules import Rule, rules_of
from pipeline.alerts.start import alert_loop, watched
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.errors import QueueUnavailableError, StoreUnavailableError
from pipeline.memory.operators import MemoryOperatorBoard
from pipeline.models import (
    AlertState,
    ClusterStatus,
    JobState,
    JobStatus,
    Lane,
    NodeStatus,
    Vitals,
    now,
)
from pipeline.redis.connection import answers, connect
from pipeline.stores.memory import MemoryStore

GIB = 1 << 30


@pytest.fixture
def real(redis_server, redis_client, tmp_path):  # noqa: ARG001  (it empties the server)
    """Give settings and parts on a real Redis, and a loop that needs no time to be sure."""
    settings = Settings.load(
        find_service=False,
        data_dir=tmp_path,
        redis_url=redis_server.url,
        alert_cpu_s=0,
        alert_clear_s=0,
        alert_away_s=0.001,
        alert_disk_percent=99.999,
        alert_queue_s=60,
    )
    parts = connect_parts(settings)
    yield settings, parts
    parts.close()


def told_by(settings, parts):
    """Return a loop and the list of what it tells."""
    told = []

    def tell(alert):
        told.append((alert.id, alert.state.value))

    loop = alert_loop(settings, parts, tell, parts.operators)
    return loop, told


def cluster(cpu_percent=10.0, disk_percent=10):
    vitals = Vitals(
        cpu_percent=cpu_percent,
        memory_used_bytes=GIB,
        memory_total_bytes=4 * GIB,
        disk_used_bytes=disk_percent * GIB,
        disk_total_bytes=100 * GIB,
    )
    node = NodeStatus(id="n1", address="10.0.0.3", state="kept", cores=4, vitals=vitals)
    return ClusterStatus(nodes=[node])


def status(job, state=JobState.QUEUED, **values):
    values = {"created_at": now(), "lane": Lane.SINGLE, "input_name": "x.tif", "pipeline": "invert"} | values
    return JobStatus(id=job, state=state, **values)


def test_a_service_that_is_well_raises_nothing(real):
    settings, parts = real
    parts.board.put_cluster(cluster())
    loop, told = told_by(settings, parts)
    assert loop.look(0.0).active == []
    assert told == []


def test_a_busy_node_a_full_disk_an_old_queue_and_dead_letters_are_told_of_and_so_is_their_end(real):
    settings, parts = real
    loop, told = told_by(settings, parts)
    parts.board.put_cluster(cluster(cpu_percent=99.0, disk_percent=100))
    parts.board.put(status("old", created_at=now() - timedelta(seconds=100)))
    parts.queue.enqueue(Lane.SINGLE, "old")
    parts.board.put(status("dead", JobState.DEAD, finished_at=now()))
    for at_s in (0.0, 1.0, 2.0):
        loop.look(at_s)
    causes = ["node-busy:10.0.0.3", "node-disk-full:10.0.0.3", "queue-old:single", "dead-letter"]
    assert told == [(cause, "raised") for cause in causes]

    parts.board.put_cluster(cluster())
    parts.queue.claim(Lane.SINGLE, "w", 0)
    parts.board.reset(status("dead", attempt=5))
    for at_s in (3.0, 4.0):
        loop.look(at_s)
    assert sorted(told[4:]) == sorted((cause, "cleared") for cause in causes)
    assert parts.operators.alerts().active == []
    assert [alert.state for alert in parts.operators.alerts().recent] == [AlertState.CLEARED] * 4


def test_a_disk_is_told_of_once_where_work_and_the_store_share_it(tmp_path):
    assert is_same_disk(tmp_path, tmp_path.parent)
    assert not is_same_disk(tmp_path, Path("/proc"))
    assert not is_same_disk(tmp_path, tmp_path / "gone")


def test_failures_of_half_an_hour_are_counted_and_older_ones_are_not(real):
    settings, parts = real
    parts.board.put_cluster(cluster())
    loop, told = told_by(settings, parts)
    for number in range(settings.alert_failures):
        ended = now() - timedelta(seconds=3600 if number == 0 else 10)
        parts.board.put(status(f"j{number}", JobState.FAILED, finished_at=ended))
    loop.look(0.0)
    assert told == []
    parts.board.put(status("last", JobState.FAILED, finished_at=now()))
    loop.look(1.0)
    assert told == [("jobs-fail", "raised")]


def test_what_was_put_back_waits_since_then_and_not_since_it_was_submitted(real):
    settings, parts = real
    parts.board.put_cluster(cluster())
    loop, told = told_by(settings, parts)
    parts.board.put(status("again", attempt=3, created_at=now() - timedelta(days=1)))
    parts.queue.enqueue(Lane.SINGLE, "again")
    loop.look(0.0)
    assert told == []


def test_a_scheduler_that_tells_nothing_is_told_of_after_three_minutes(real):
    settings, parts = real
    loop, told = told_by(settings, parts)
    for at_s in (0.0, 179.0):
        loop.look(at_s)
        assert told == []
    loop.look(180.0)
    assert told == [("scheduler-silent", "raised")]


def test_a_restart_neither_repeats_an_alert_nor_forgets_to_clear_it(real):
    settings, parts = real
    parts.board.put_cluster(cluster(cpu_percent=99.0))
    first, told = told_by(settings, parts)
    first.look(0.0)
    parts.operators._client.flushall()  # Redis has lost all it had as well
    parts.board.put_cluster(cluster(cpu_percent=99.0))
    second, later = told_by(settings, parts)
    second.look(0.0)
    assert (told, later) == ([("node-busy:10.0.0.3", "raised")], [])
    parts.board.put_cluster(cluster())
    second.look(1.0)
    assert later == [("node-busy:10.0.0.3", "cleared")]


def test_that_redis_is_away_is_raised_and_cleared_all_the_same(own_redis, tmp_path):
    settings = Settings.load(
        find_service=False,
        data_dir=tmp_path,
        redis_url=own_redis.url,
        alert_away_s=5,
        alert_clear_s=5,
        alert_disk_percent=0,
    )
    parts = connect_parts(settings)
    impatient = connect(own_redis.url, patience_s=0.0)
    told = []
    loop = AlertLoop(
        AlertBook(parts.store, type(parts.operators)(impatient)),
        Lookout(parts, partial(answers, own_redis.url), None),
        rules_of(settings),
        lambda alert: told.append((alert.id, alert.state.value)),
        clear_s=5,
        every_s=1,
    )
    loop.look(0.0)
    os.kill(own_redis.pid, signal.SIGKILL)
    while own_redis.is_alive():
        Event().wait(0.01)
    for at_s in (1.0, 6.0):
        loop.look(at_s)
    assert told == [("redis-away", "raised")]
    assert [alert.id for alert in AlertBook(parts.store, parts.operators).stored().active] == ["redis-away"]
    own_redis.restart()
    for at_s in (7.0, 12.0):
        loop.look(at_s)
    assert told == [("redis-away", "raised"), ("redis-away", "cleared")]
    impatient.close()
    parts.close()


def test_that_the_store_is_away_is_raised_and_cleared_all_the_same(real):
    settings, parts = real
    parts.board.put_cluster(cluster())
    loop, told = told_by(settings, parts)
    loop.look(0.0)
    folder = settings.data_dir / "store"
    folder.rename(settings.data_dir / "elsewhere")
    folder.write_text("no folder")
    for at_s in (1.0, 2.0):
        loop.look(at_s)
    assert [alert.id for alert in parts.operators.alerts().active] == ["store-away"]
    assert told == []  # what is to be passed on is kept in the store

    again, later = told_by(settings, parts)
    again.look(0.0)
    folder.unlink()
    (settings.data_dir / "elsewhere").rename(folder)
    again.look(1.0)
    assert later == [("store-away", "raised"), ("store-away", "cleared")]


def test_the_loop_runs_beside_whoever_passes_its_alerts_on(real):
    settings, parts = real
    parts.board.put_cluster(cluster(cpu_percent=99.0))
    told = []
    with watched(settings.model_copy(update={"alert_look_s": 0.05}), parts, told.append):
        while not told:
            assert parts.queue.claim(Lane.GANG, "nobody", 0.05) is None
    assert [alert.id for alert in told] == ["node-busy:10.0.0.3"]


@dataclass
class Flaky:
    """Something that may be away."""

    error: type[Exception]
    is_away: bool = False

    def check(self):
        if self.is_away:
            raise self.error("away")


class FlakyStore(MemoryStore):
    """A store that may be away."""

    def __init__(self):
        super().__init__(b"secret", "http://127.0.0.1")
        self.flaky = Flaky(StoreUnavailableError)

    def put_bytes(self, key, data, **options):
        self.flaky.check()
        return super().put_bytes(key, data, **options)

    def get_bytes(self, key):
        self.flaky.check()
        return super().get_bytes(key)


@dataclass
class FlakyBoard(MemoryOperatorBoard):
    """A board that may be away."""

    flaky: Flaky = field(default_factory=lambda: Flaky(QueueUnavailableError))

    def put_alerts(self, status):
        self.flaky.check()
        super().put_alerts(status)

    def alerts(self):
        self.flaky.check()
        return super().alerts()


@dataclass
class Seen:
    """What there is to be seen."""

    values: dict[str, float] = field(default_factory=dict)

    def look(self, at):  # noqa: ARG002  (as the real one)
        return {"node-busy": dict(self.values)}

    def close(self):
        pass


BUSY = Rule("node-busy", 95.0, 85.0, 0.0, "{subject}", "wait")


class Lives(RuleBasedStateMachine):
    """A loop that is killed at any moment, with store and Redis that come and go, one at a time."""

    def __init__(self):
        super().__init__()
        self.store, self.board, self.seen = FlakyStore(), FlakyBoard(), Seen()
        self.told, self.at_s, self.can_tell = [], 0.0, True
        self.start()

    def start(self):
        book = AlertBook(self.store, self.board)
        self.loop = AlertLoop(book, self.seen, (BUSY,), self.tell, clear_s=0.0, every_s=1.0)

    def tell(self, alert):
        """Tell as the receivers do: once for each id, time and state, and durably in the store."""
        self.store.flaky.check()
        if not self.can_tell:
            raise StoreUnavailableError("nobody takes it")
        name = (alert.id, alert.since, alert.state)
        if name not in self.told:
            self.told.append(name)

    @rule(node=st.sampled_from("ab"), value=st.sampled_from([0.0, 90.0, 99.0]))
    def a_node_changes(self, node, value):
        self.seen.values[node] = value

    @rule(node=st.sampled_from("ab"))
    def a_node_goes(self, node):
        self.seen.values.pop(node, None)

    @rule()
    def look(self):
        self.at_s += 1.0
        self.loop.look(self.at_s)
        self.check_turns()

    @rule()
    def the_process_is_killed(self):
        self.start()

    @rule(store=st.booleans(), board=st.booleans())
    def parts_come_and_go(self, store, board):
        self.store.flaky.is_away = store
        self.board.flaky.is_away = board and not store

    @rule(can=st.booleans())
    def telling_works_or_not(self, can):
        self.can_tell = can

    def check_turns(self):
        for node in "ab":
            states = [state for name, _, state in self.told if name == f"node-busy:{node}"]
            for earlier, later in zip([AlertState.CLEARED, *states], states, strict=False):
                assert earlier is not later, "told twice in a row"

    def teardown(self):
        """In the end, all being well with the service itself, what is told is what is so."""
        self.store.flaky.is_away = self.board.flaky.is_away = False
        self.can_tell = True
        for _ in range(2):
            self.look()
        for node in "ab":
            states = [state for name, _, state in self.told if name == f"node-busy:{node}"]
            value = self.seen.values.get(node, 0.0)
            last = states[-1] if states else AlertState.CLEARED
            assert value == 90.0 or (last is AlertState.RAISED) == (value == 99.0)


def test_over_kills_and_lost_connections_every_alert_is_told_once_when_raised_and_once_when_cleared():
    run_state_machine_as_test(
        Lives, settings=hypothesis_settings(max_examples=100, stateful_step_count=40, deadline=None)
    )


def test_a_rule_may_be_made_stricter_without_an_alert_being_told_again(real):
    settings, parts = real
    parts.board.put_cluster(cluster(cpu_percent=99.0))
    loop, told = told_by(settings, parts)
    loop.look(0.0)
    stricter, again = told_by(settings.model_copy(update={"alert_cpu_percent": 50.0}), parts)
    stricter.look(0.0)
    assert (told, again) == ([("node-busy:10.0.0.3", "raised")], [])
