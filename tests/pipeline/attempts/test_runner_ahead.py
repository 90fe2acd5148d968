"""A job fetched ahead: made ready while another is at work, never at that one's mercy."""

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from pipeline.attempts import turns
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.models import JobState, Lane
from pipeline.worlds.warm import WarmWorld
from tests import waiting

LEASE_S = 1.0

until = partial(waiting.until, timeout_s=60.0, poll_s=0.005)


class SlowStage:
    """A stage whose first job stays at work, once it has been planned, until it is let go."""

    def __init__(self, stage):
        self.stage = stage
        self.planned = threading.Event()
        self.let_go = threading.Event()

    def run(self, request, *, on_event, **options):
        def listen(event):
            on_event(event)
            if not self.planned.is_set():
                self.planned.set()
                assert self.let_go.wait(60)

        return self.stage.run(request, on_event=listen, **options)


@pytest.fixture
def patient(monkeypatch):
    """Let a job that was fetched ahead wait for as long as the test takes."""
    monkeypatch.setattr(turns, "PATIENCE_S", 300.0)


@pytest.fixture
def working(service):
    """Give a maker of runners that work in a thread of their own until the test ends."""
    started = []

    def start(stage):
        runner = service.runner(stage)
        thread = threading.Thread(target=runner.run_forever)
        started.append((runner, thread))
        thread.start()
        return runner

    yield start
    for runner, _ in started:
        runner.stop()
    for _, thread in started:
        thread.join(60)


@pytest.mark.usefixtures("patient")
def test_the_next_job_is_held_but_not_begun_while_a_short_one_is_at_work(service, working):
    slow = SlowStage(service.stage)
    jobs = [service.submit() for _ in range(3)]
    working(slow)
    queue, records = service.parts.queue, service.parts.records

    until(lambda: queue.held(Lane.SINGLE) == 2)
    assert queue.depth(Lane.SINGLE) == 1, "one is fetched ahead, not more"
    assert [records.history(job).highest for job in jobs] == [1, 0, 0]
    assert service.client.status(jobs[1]).state is JobState.QUEUED
    slow.let_go.set()

    until(lambda: all(service.client.status(job).state is JobState.SUCCEEDED for job in jobs))
    assert [records.history(job).highest for job in jobs] == [1, 1, 1]


def test_a_job_that_was_fetched_ahead_goes_back_when_it_would_wait_too_long(service, working):
    slow = SlowStage(service.stage)
    first, second = service.submit(), service.submit()
    working(slow)
    until(lambda: service.parts.queue.held(Lane.SINGLE) == 2)

    until(lambda: service.parts.queue.depth(Lane.SINGLE) == 1)
    other = WarmWorld(1)
    assert service.runner(other).work_once(), "another worker gets it meanwhile"
    other.close()
    assert service.client.status(second).state is JobState.SUCCEEDED
    assert service.client.result(second).attempt == 1
    slow.let_go.set()
    until(lambda: service.client.status(first).state is JobState.SUCCEEDED)


@pytest.mark.usefixtures("patient")
def test_a_job_that_was_fetched_ahead_can_be_cancelled(service, working):
    slow = SlowStage(service.stage)
    _, second = service.submit(), service.submit()
    working(slow)
    until(lambda: service.parts.queue.held(Lane.SINGLE) == 2)

    service.client.cancel(second)

    until(lambda: not service.parts.queue.contains(second))
    assert service.client.status(second).state is JobState.CANCELLED
    assert service.parts.records.history(second).highest == 0
    slow.let_go.set()


@pytest.mark.usefixtures("patient")
def test_a_runner_that_stops_gives_back_both_jobs(service, working):
    slow = SlowStage(service.stage)
    jobs = [service.submit() for _ in range(2)]
    runner = working(slow)
    until(lambda: service.parts.queue.held(Lane.SINGLE) == 2)

    runner.stop()
    slow.let_go.set()

    until(lambda: service.parts.queue.held(Lane.SINGLE) == 0)
    for job in jobs:
        status = service.client.status(job).state
        assert status is JobState.SUCCEEDED or service.parts.queue.contains(job)


def test_a_killed_worker_leaves_both_of_its_jobs_to_others_and_takes_the_blame_for_one(  # noqa: PLR0917  (fixtures)
    redis_server, redis_client, photo, stage, edges, tmp_path
):
    assert redis_client is not None, "the server is empty"
    settings = Settings.load(
        find_service=False,
        redis_url=redis_server.url,
        store_uri=(tmp_path / "store").as_uri(),
        lease_s=LEASE_S,
        heartbeat_s=LEASE_S / 4,
    )
    parts = connect_parts(settings)
    client = Client(parts, settings)
    jobs = [job.id for job in client.submit_many([client.order(photo, edges)] * 2)]
    words = [redis_server.url, str(tmp_path / "store"), str(tmp_path / "stuck"), str(LEASE_S)]
    worker = subprocess.Popen([sys.executable, str(Path(__file__).with_name("holding_worker.py")), *words])
    until(lambda: parts.queue.held(Lane.SINGLE) == 2)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()

    heir = JobRunner(
        parts, stage, Workplace(parts.store, tmp_path / "heir"), lane=Lane.SINGLE, consumer="heir"
    )
    until(lambda: heir.work_once(block_s=0.1) and not parts.queue.held(Lane.SINGLE))

    assert [client.status(job).state for job in jobs] == [JobState.SUCCEEDED] * 2
    assert sorted(client.result(job).attempt for job in jobs) == [1, 2]
    assert sorted(parts.records.history(job).deaths(9) for job in jobs) == [1, 2]
    for job in jobs:
        assert len([key for key in parts.records.keys(job) if "/output-" in key]) == 1
    client.close()
