"""A large job that is killed goes on from its bands, and leaves none behind."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pipeline import layout
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.models import JobState, Lane
from pipeline.worlds.processes import wait_gone
from tests import waiting

STEPS = "median:size=15 median:size=13 median:size=11"
BAND_BYTES = 64 << 10
PATIENCE_S = 100.0
LEASE_S = 1.0
WORKER = Path(__file__).with_name("banding_worker.py")

until = partial(waiting.until, timeout_s=PATIENCE_S, poll_s=0.005)


@pytest.fixture
def image(tmp_path):
    """Give an image of about thirty bands."""
    path = tmp_path / "in.tif"
    pixels = np.random.default_rng(3).integers(0, 256, (900, 700, 3), np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", metadata=None)
    return path


@pytest.fixture
def settings(redis_server, redis_client, tmp_path):
    assert redis_client is not None, "the server is empty"
    store_uri = (tmp_path / "store").as_uri()
    return Settings.load(
        find_service=False,
        redis_url=redis_server.url,
        store_uri=store_uri,
        cores=2,
        lease_s=LEASE_S,
        heartbeat_s=LEASE_S / 3,
    )


@pytest.fixture
def parts(settings):
    made = connect_parts(settings)
    yield made
    made.close()


@pytest.fixture
def worker(settings, tmp_path):
    """Give a worker in a process of its own, which leads a group with its stage."""
    told = [settings.model_dump_json(), settings.redis_url.get_secret_value()]
    command = [sys.executable, str(WORKER), *told, str(tmp_path / "killed"), str(BAND_BYTES)]
    process = subprocess.Popen(command, start_new_session=True)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGCONT)
        process.kill()
    process.wait()
    assert wait_gone([process.pid], PATIENCE_S) == []


def bands(store, job, attempt=1):
    """Return how many bands an attempt's journals have."""
    found = store.list(layout.bands_prefix(job, attempt) + "journal-")
    return sum(max(0, store.get_bytes(info.key).count(b"\n") - 1) for info in found)


def quiet_bytes(parts, stage, settings, image, tmp_path):
    """Return what an undisturbed job makes."""
    job = Client(parts, settings).submit(image, STEPS).id
    place = Workplace(parts.store, tmp_path / "quiet")
    assert JobRunner(parts, stage, place, lane=Lane.SINGLE, consumer="quiet").work_once()
    return parts.store.get_bytes(parts.records.result(job).output.key)


def heir_works(parts, stage, tmp_path):
    """Have another worker take over, once the lease has run out."""
    place = Workplace(parts.store, tmp_path / "heir", band_bytes=BAND_BYTES)
    heir = JobRunner(parts, stage, place, lane=Lane.SINGLE, consumer="heir")
    until(lambda: heir.work_once(block_s=0.1))


def test_a_job_whose_worker_was_killed_goes_on_from_its_bands_on_another(  # noqa: PLR0917  (fixtures)
    parts, stage, settings, image, worker, tmp_path
):
    client = Client(parts, settings)
    job = client.submit(image, STEPS).id
    until(lambda: bands(parts.store, job) >= 2)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    there = bands(parts.store, job)

    heir_works(parts, stage, tmp_path)

    result = client.result(job)
    (rank,) = result.report["ranks"]
    assert (result.attempt, rank["bands_reused"], rank["bands_refused"]) == (2, there, 0)
    assert rank["bands_made"] == -(-900 // result.report["band_rows"]) - there
    assert list(parts.store.list(layout.BANDS)) == []
    assert not parts.store.folder_path(layout.BANDS).exists()
    output = parts.store.get_bytes(result.output.key)
    assert output == quiet_bytes(parts, stage, settings, image, tmp_path)


def test_a_worker_that_was_stopped_past_its_lease_spoils_nothing(  # noqa: PLR0917  (fixtures)
    parts, stage, settings, image, worker, tmp_path
):
    client = Client(parts, settings)
    job = client.submit(image, STEPS).id
    until(lambda: bands(parts.store, job) >= 2)
    os.killpg(worker.pid, signal.SIGSTOP)
    heir_works(parts, stage, tmp_path)
    result = client.result(job)
    output = parts.store.get_bytes(result.output.key)

    os.killpg(worker.pid, signal.SIGCONT)
    until(lambda: 1 in parts.records.history(job).outcomes)

    assert client.result(job) == result
    assert result.attempt == 2
    assert parts.store.get_bytes(result.output.key) == output
    assert [info.key for info in parts.store.list(f"jobs/{job}/output-")] == [result.output.key]
    assert client.status(job).state is JobState.SUCCEEDED
    assert list(parts.store.list(layout.BANDS)) == []
