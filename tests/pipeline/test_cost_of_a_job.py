"""What one job costs besides its pixels, in counts: syncs to the disk, and round trips to Redis."""

import os
from collections import Counter

import pytest
from redis.connection import AbstractConnection

from pipeline.attempts import pulse
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.models import Lane


@pytest.fixture
def counted(monkeypatch):
    """Give the counts, which begin anew with ``clear``."""
    counts = Counter()
    sync, send = os.fsync, AbstractConnection.send_packed_command

    def count_sync(fd):
        counts["syncs"] += 1
        sync(fd)

    def count_send(self, *arguments, **options):
        counts["round trips"] += 1
        return send(self, *arguments, **options)

    monkeypatch.setattr(os, "fsync", count_sync)
    monkeypatch.setattr(AbstractConnection, "send_packed_command", count_send)
    return counts


@pytest.fixture
def settings(redis_server, redis_client, tmp_path):
    assert redis_client is not None, "the server is empty"
    store_uri = (tmp_path / "store").as_uri()
    return Settings.load(find_service=False, redis_url=redis_server.url, store_uri=store_uri, cores=2)


@pytest.fixture
def parts(settings):
    made = connect_parts(settings)
    yield made
    made.close()


@pytest.fixture
def runner(parts, stage, tmp_path):
    place = Workplace(parts.store, tmp_path / "scratch")
    return JobRunner(parts, stage, place, lane=Lane.SINGLE, consumer="w")


def test_a_submission_costs_six_syncs_and_one_round_trip(settings, parts, photo, edges, counted):
    client = Client(parts, settings)
    client.submit(photo, edges)
    counted.clear()

    client.submit(photo, edges)

    # The input and the manifest with the names of both, the job's folder, and the marker's name.
    assert counted == {"syncs": 6, "round trips": 1}


def test_many_submissions_cost_little_more_than_three_syncs_each_and_few_round_trips(
    settings, parts, photo, edges, counted
):
    client = Client(parts, settings)
    client.submit(photo, edges)
    counted.clear()

    client.submit_many([client.order(photo, edges)] * 20)

    # Two portions, of 8 and 12. Of each job the input, the manifest and its folder; of each portion the
    # folders that they have in common.
    assert counted == {"syncs": 3 * 20 + 2 * 3, "round trips": 2}


def test_working_on_a_short_job_costs_four_syncs_and_two_round_trips(  # noqa: PLR0917  (fixtures)
    settings, parts, runner, photo, edges, counted, monkeypatch
):
    monkeypatch.setattr(pulse, "TICK_S", 60.0)  # short even on a machine that is busy
    client = Client(parts, settings)
    client.submit_many([client.order(photo, edges)] * 3)
    assert runner.work_once()
    counted.clear()

    for _ in range(2):
        assert runner.work_once()

    # Output and result with their names; claimed, ended and let go.
    assert counted == {"syncs": 2 * 4, "round trips": 2 * 2}
