"""A store whose disk is really full: the job waits for room, and nothing is lost."""

import dataclasses
import os
import subprocess

import pytest

from pipeline.client import Client
from pipeline.models import JobState
from pipeline.stores.local import LocalStore


@pytest.fixture
def small_disk(tmp_path):
    """Give a file system of four megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    # Lazily: a store keeps its folder open for as long as it lives, here until the fixtures are forgotten.
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_job_outlives_a_full_disk(service, parts, settings, small_disk):
    store = LocalStore(small_disk / "store", b"secret", "http://127.0.0.1:8501", durable=False)
    tight = dataclasses.replace(parts, store=store)
    client = Client(tight, settings)
    job = client.submit(service.photo, "resize:scale=6")
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk)
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - 200_000))
    runner = service.runner(service.stage, using=tight)

    assert runner.work_once()
    waiting = client.status(job.id)
    assert (waiting.state, waiting.error_kind) == (JobState.RETRYING, "DiskFullError")
    assert "Free some space" in waiting.error

    ballast.unlink()
    assert runner.work_once()
    assert client.status(job.id).state is JobState.SUCCEEDED
    assert client.result(job.id).report["columns"] == 6 * 512
