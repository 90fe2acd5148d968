"""What every event bus does, whatever it stands on."""

from datetime import UTC, datetime

import pytest

from pipeline.memory.bus import MemoryBus
from pipeline.models import Event, JobState, JobStatus, Lane
from pipeline.redis.events import RedisEventBus


@pytest.fixture(params=["memory", "redis"])
def bus(request):
    if request.param == "memory":
        return MemoryBus()
    return RedisEventBus(request.getfixturevalue("redis_server").url)


def event(job="a", kind="progress", state=JobState.RUNNING):
    status = JobStatus(
        id=job,
        state=state,
        lane=Lane.SINGLE,
        input_name="x.tif",
        pipeline="invert",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return Event(job_id=job, type=kind, status=status)


def test_a_listener_hears_its_job_s_events_in_order_and_no_other_s(bus):
    ear = bus.subscribe("a")
    first, second = event(kind="started"), event(kind="progress")
    for sent in [event("b"), first, event("b"), second]:
        bus.publish(sent)
    assert [ear.next(5), ear.next(5), ear.next(0)] == [first, second, None]
    ear.close()


def test_who_listens_to_everything_hears_every_job(bus):
    ear = bus.subscribe()
    bus.publish(event("a"))
    bus.publish(event("b"))
    assert [ear.next(5).job_id, ear.next(5).job_id] == ["a", "b"]
    ear.close()


def test_who_listens_to_endings_hears_nothing_else(bus):
    ear = bus.subscribe_endings()
    for job, state in [("a", JobState.QUEUED), ("b", JobState.FAILED), ("c", JobState.SUCCEEDED)]:
        bus.publish(event(job, state.value, state))
    assert [ear.next(5).job_id, ear.next(5).job_id, ear.next(0)] == ["b", "c", None]
    ear.close()


def test_all_listeners_hear_the_same_event(bus):
    ears = [bus.subscribe("a"), bus.subscribe("a"), bus.subscribe()]
    sent = event()
    bus.publish(sent)
    assert [ear.next(5) for ear in ears] == [sent] * 3
    for ear in ears:
        ear.close()


def test_what_was_published_before_is_not_heard(bus):
    bus.publish(event())
    ear = bus.subscribe("a")
    assert ear.next(0) is None
    ear.close()


def test_nothing_comes_when_nothing_is_published(bus):
    ear = bus.subscribe("a")
    assert ear.next(0.01) is None
    ear.close()


def test_a_closed_ear_hears_nothing_more(bus):
    ear = bus.subscribe("a")
    ear.close()
    bus.publish(event())
    assert ear.next(0.01) is None
    ear.close()
