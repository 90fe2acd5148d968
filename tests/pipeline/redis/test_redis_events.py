"""Subscriptions outlive the server's restarts."""

import os
import signal
import threading
from datetime import UTC, datetime

import pytest

from pipeline.errors import QueueUnavailableError
from pipeline.models import Event, JobState, JobStatus, Lane
from pipeline.redis.events import RedisEventBus


def event(kind):
    status = JobStatus(
        id="a",
        state=JobState.RUNNING,
        lane=Lane.SINGLE,
        input_name="x",
        pipeline="invert",
        created_at=datetime.now(UTC),
    )
    return Event(job_id="a", type=kind, status=status)


def test_a_subscription_hears_again_after_the_server_was_killed_and_restarted(own_redis):
    bus = RedisEventBus(own_redis.url)
    ear = bus.subscribe("a")
    bus.publish(event("before"))
    assert ear.next(5).type == "before"
    os.kill(own_redis.pid, signal.SIGKILL)
    assert ear.next(0.01) is None
    own_redis.restart()
    # The next look finds the connection gone and listens again.
    assert ear.next(0.5) is None
    bus.publish(event("after"))
    assert ear.next(5).type == "after"
    ear.close()


def test_who_waits_during_a_restart_hears_what_comes_after_it(own_redis):
    bus = RedisEventBus(own_redis.url)
    ear = bus.subscribe()
    heard = []
    thread = threading.Thread(target=lambda: heard.append(ear.next(30)))
    thread.start()
    os.kill(own_redis.pid, signal.SIGKILL)
    own_redis.restart()
    while thread.is_alive():
        bus.publish(event("after"))
        thread.join(0.05)
    assert heard[0].type == "after"
    ear.close()


def test_subscribing_to_a_server_that_is_away_is_an_error():
    with pytest.raises(QueueUnavailableError):
        RedisEventBus("redis://127.0.0.1:1/0", patience_s=0.0).subscribe()


def test_a_bus_does_not_show_its_password():
    assert "hunter2" not in repr(RedisEventBus("redis://:hunter2@127.0.0.1:1/0"))
