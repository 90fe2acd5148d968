"""When alerts are raised and cleared: the pure decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.rules import Rule, rules_of
from pipeline.alerts.watch import Look, decide
from pipeline.config import Settings
from pipeline.models import AlertState

START = datetime(2026, 1, 1, tzinfo=UTC)
CLEAR_S = 20.0
BUSY = Rule("node-busy", 95.0, 85.0, 30.0, "{subject} is at {value:.0f} %", "wait")
DEAD = Rule("dead-letter", 1.0, 1.0, 0.0, "{value:.0f} dead", "look", "critical")
RULES = (BUSY, DEAD)


class Watcher:
    """Decides again and again, as the loop does."""

    def __init__(self, rules=RULES):
        self.rules = rules
        self.active = {}
        self.since = {}
        self.told = []

    def see(self, at_s, readings):
        look = Look(readings, START + timedelta(seconds=at_s), at_s)
        decision = decide(self.active, self.since, look, self.rules, CLEAR_S)
        self.since = decision.since
        for alert in decision.changes:
            self.told.append((at_s, alert.id, alert.state))
            if alert.state is AlertState.RAISED:
                assert alert.id not in self.active, "raised twice"
                self.active[alert.id] = alert
            else:
                assert alert.id in self.active, "cleared without having been raised"
                assert self.active.pop(alert.id).since == alert.since
        return [(alert.id, alert.state) for alert in decision.changes]

    def restart(self):
        self.since = {}


def busy(value, subject="n"):
    return {"node-busy": {subject: value}, "dead-letter": {"": 0.0}}


RAISED, CLEARED = AlertState.RAISED, AlertState.CLEARED


def test_an_alert_is_raised_when_it_has_been_bad_for_long_enough_and_cleared_when_well_for_long_enough():
    watcher = Watcher()
    assert [watcher.see(at, busy(97.0)) for at in (0, 15, 29)] == [[], [], []]
    assert watcher.see(30, busy(97.0)) == [("node-busy:n", RAISED)]
    assert watcher.active["node-busy:n"].text == "n is at 97 %"
    assert watcher.see(45, busy(99.0)) == []
    assert [watcher.see(at, busy(10.0)) for at in (60, 79)] == [[], []]
    assert watcher.see(80, busy(10.0)) == [("node-busy:n", CLEARED)]


def test_between_bad_and_well_nothing_changes():
    watcher = Watcher()
    for at in range(0, 100, 10):
        assert watcher.see(at, busy(90.0)) == []
    for at in range(100, 140, 10):
        watcher.see(at, busy(95.0))
    assert "node-busy:n" in watcher.active
    for at in range(140, 300, 10):
        assert watcher.see(at, busy(90.0)) == []


def test_a_rule_without_a_hold_raises_at_once():
    assert Watcher().see(0, {"dead-letter": {"": 1.0}}) == [("dead-letter", RAISED)]


def test_what_nobody_could_look_at_is_neither_bad_nor_well():
    watcher = Watcher()
    watcher.see(0, busy(97.0))
    watcher.see(20, {"node-busy": None})
    assert watcher.see(35, busy(97.0)) == []
    assert watcher.see(65, busy(97.0)) == [("node-busy:n", RAISED)]
    for at in range(70, 200, 10):
        assert watcher.see(at, {}) == []


def test_of_a_node_that_has_gone_the_alert_is_cleared():
    watcher = Watcher()
    for at in (0, 30):
        watcher.see(at, busy(97.0))
    watcher.see(40, busy(1.0, "other"))
    assert watcher.see(60, busy(1.0, "other")) == [("node-busy:n", CLEARED)]
    assert "node-busy:n" not in {*watcher.active}


def test_an_alert_of_a_rule_that_was_switched_off_is_cleared():
    watcher = Watcher()
    watcher.see(0, {"dead-letter": {"": 1.0}})
    watcher.rules = (BUSY,)
    assert watcher.see(1, {"dead-letter": {"": 1.0}}) == [("dead-letter", CLEARED)]


VALUES = st.one_of(st.none(), st.floats(0.0, 120.0))
STEPS = st.lists(st.tuples(st.floats(0.1, 40.0), VALUES, st.booleans()), max_size=80)


@given(STEPS)
def test_whatever_is_seen_an_alert_is_raised_and_cleared_in_turns_and_not_too_soon(steps):
    """``see`` checks the turns; here the times: also over restarts, which forget since when it was bad."""
    watcher, at = Watcher(), 0.0
    history = []
    for pause_s, value, restarts in steps:
        at += pause_s
        if restarts:
            watcher.restart()
        watcher.see(at, {"node-busy": None if value is None else {"n": value}})
        history.append((at, value))
    for (earlier, *_), (later, _, state) in zip([(-1e9,), *watcher.told], watcher.told, strict=False):
        hold_s = BUSY.hold_s if state is RAISED else CLEAR_S
        assert later - earlier >= min(hold_s, later)
        held = [value for when, value in history if later - hold_s <= when <= later]
        if state is RAISED:
            assert all(value is not None and value >= BUSY.limit for value in held)
        else:
            assert all(value is not None and value < BUSY.well_below for value in held)


@given(st.lists(st.floats(0.1, 19.9), min_size=1, max_size=60), st.booleans())
def test_what_goes_to_and_fro_faster_than_the_holds_changes_nothing(pauses, begins_raised):
    watcher, at = Watcher(), 0.0
    if begins_raised:
        for at in (0.0, 30.0):
            watcher.see(at, busy(97.0))
    before = list(watcher.told)
    for number, pause_s in enumerate(pauses):
        at += pause_s
        watcher.see(at, busy(10.0 if number % 2 == 0 else 99.0))
    assert watcher.told == before


def test_a_limit_of_0_switches_a_rule_off(tmp_path):
    settings = Settings.load(find_service=False, data_dir=tmp_path)
    names = {rule.name for rule in rules_of(settings)}
    assert len(names) == 9
    for setting, gone in [
        ("alert_cpu_percent", {"node-busy"}),
        ("alert_queue_s", {"queue-old"}),
        ("alert_failures", {"jobs-fail"}),
        ("alert_dead", {"dead-letter"}),
        ("alert_disk_percent", {"node-disk-full", "store-disk-full"}),
        ("alert_away_s", {"store-away", "redis-away", "scheduler-silent"}),
    ]:
        changed = settings.model_copy(update={setting: 0})
        assert names - {rule.name for rule in rules_of(changed)} == gone


@pytest.mark.parametrize("value", [0.0, 12.3, 1e9])
def test_every_rule_can_say_what_is_wrong_and_has_room_between_bad_and_well(tmp_path, value):
    for rule in rules_of(Settings.load(find_service=False, data_dir=tmp_path)):
        assert "{" not in rule.said("subject", value)
        assert rule.remedy
        assert rule.well_below <= rule.limit
        assert replace(rule, hold_s=60.0).said("s", value)
