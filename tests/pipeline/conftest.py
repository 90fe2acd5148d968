"""The parts of a service without servers: a local store, and queue, board and bus in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.decisions.retry import RetryPolicy
from pipeline.memory.parts import memory_parts
from pipeline.memory.queue import MemoryQueue
from pipeline.models import JobState, Lane
from pipeline.parts import Parts
from pipeline.stores.local import LocalStore
from pipeline.worlds.warm import WarmWorld

IMAGES = Path(__file__).parents[1] / "images"


@pytest.fixture
def photo():
    """Give the path of a photograph."""
    return IMAGES / "astronaut.jpg"


@pytest.fixture
def disk(tmp_path):
    """Give a store in a local folder."""
    return LocalStore(tmp_path / "store", b"secret", "http://127.0.0.1:8501", durable=False)


@pytest.fixture
def store(disk):
    return disk


@pytest.fixture
def clock():
    """Give a clock for leases that only a test moves."""
    return Clock()


class Clock:
    def __init__(self):
        self.at_s = 0.0

    def __call__(self):
        return self.at_s


@pytest.fixture
def parts(store, clock):
    queue = MemoryQueue(lease_s=10.0, clock=clock)
    return memory_parts(store, queue=queue, retry=RetryPolicy(base_s=0.0), heartbeat_s=0.1)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Settings.load(data_dir=tmp_path / "data", memory_bytes="1GiB", cores=2)


@pytest.fixture
def client(parts, settings):
    return Client(parts, settings)


@pytest.fixture(scope="module")
def stage():
    """Give a real stage process that stays warm for a module's tests."""
    world = WarmWorld(1)
    yield world
    world.close()


@pytest.fixture
def make_runner(parts, tmp_path):
    """Give a maker of runners, each with a name of its own."""
    made = []

    def make(stage, *, lane=Lane.SINGLE, router=None, using=None, band_bytes=None):
        name = f"runner-{len(made)}"
        chosen = using or parts
        place = Workplace(chosen.store, tmp_path / "scratch" / name, band_bytes=band_bytes)
        made.append(JobRunner(chosen, stage, place, lane=lane, consumer=name, router=router))
        return made[-1]

    return make


@dataclass
class Service:
    """All that a test of a job's life needs."""

    client: Client
    parts: Parts
    clock: Clock
    stage: WarmWorld
    runner: Callable[..., JobRunner]
    photo: Path
    edges: str

    def submit(self, **options: Any) -> str:
        """Submit the photograph for its edges; return the job's id."""
        return self.client.submit(self.photo, self.edges, **options).id

    def finished(self, **options: Any) -> str:
        """Do as :meth:`submit`, and have the job done."""
        job = self.submit(**options)
        assert self.runner(self.stage).work_once()
        assert self.client.status(job).state is JobState.SUCCEEDED
        return job

    def left(self, job: str) -> set[str]:
        """Return the keys of all that there is of a job."""
        return {info.key for info in self.parts.store.list("") if job in info.key}


@pytest.fixture
def service(client, parts, clock, stage, make_runner, photo, edges):  # noqa: PLR0917  # it joins them
    return Service(client, parts, clock, stage, make_runner, photo, edges)


@pytest.fixture
def edges():
    """Give a small pipeline as text."""
    return "grayscale sobel"


@pytest.fixture
def edges_json(edges):
    """Give the same pipeline as it stands in a manifest."""
    return to_json(parse(edges))
