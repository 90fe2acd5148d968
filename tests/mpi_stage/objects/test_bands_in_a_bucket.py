"""An attempt goes on from the bands that those before it have left in a bucket."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tifffile
from fakes.gcs.fixture import BUCKET

from mpi_stage.contract import Bands, Request
from mpi_stage.errors import WorldError
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.worlds.world import World

PIXELS = np.random.default_rng(8).integers(0, 256, (500, 700, 3), np.uint8)
BANDS = "bands/job/"
DEADLINE_S = 100.0
SLOW = "median:size=15 median:size=13 median:size=11"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.tif"
    tifffile.imwrite(path, PIXELS, photometric="rgb", metadata=None)
    return path


@pytest.fixture
def ask(source, access, tmp_path):
    """Give a maker of requests, each of another attempt."""
    number = 0

    def make(steps, **options):
        nonlocal number
        number += 1
        places = [f"gs://{BUCKET}/{BANDS}{one:04d}/" for one in range(number, 0, -1)]
        return Request(
            "job",
            str(source),
            f"gs://{BUCKET}/out-{number}.tif",
            "out.tif",
            to_json(parse(steps)),
            access=access,
            scratch=str(tmp_path),
            block_rows=20,
            bands=Bands(places[0], "1", places[1:], 40 * 700 * 3),
            **options,
        )

    return make


@pytest.fixture(scope="module")
def worlds():
    found = {}

    def world(ranks):
        if ranks not in found or not found[ranks].alive:
            found[ranks] = World(ranks)
        return found[ranks]

    yield world
    for one in found.values():
        one.close()


def quiet(request, world, tmp_path):
    """Return the bytes that an undisturbed world makes in a file."""
    place = tmp_path / "quiet.tif"
    plain = Request.from_json(request.to_json() | {"output": str(place), "bands": None, "access": None})
    world.run(plain, deadline_s=DEADLINE_S)
    return place.read_bytes()


def content(fake, request):
    return fake.objects.get(BUCKET, request.output.partition(f"{BUCKET}/")[2], {}).data


def bands(fake, number):
    return [name for name in fake.objects.names(BUCKET) if name.startswith(f"{BANDS}{number:04d}/journal-")]


def count(report, what):
    return sum(getattr(rank, f"bands_{what}") for rank in report.ranks)


def test_a_world_that_is_killed_is_followed_by_one_that_goes_on(fake_gcs, ask, worlds, tmp_path):
    first, world = ask(SLOW, compression="zstd", tile=32), worlds(2)

    def stop() -> bool:
        if len(bands(fake_gcs, 1)) >= 2:
            os.kill(world.pids()[-1], signal.SIGKILL)
        return False

    with pytest.raises(WorldError):
        world.run(first, cancelled=stop, deadline_s=DEADLINE_S)
    there = len(bands(fake_gcs, 1))
    second = ask(SLOW, compression="zstd", tile=32)

    report = worlds(3).run(second, deadline_s=DEADLINE_S)

    assert content(fake_gcs, second) == quiet(second, worlds(1), tmp_path)
    assert (count(report, "reused"), count(report, "refused")) == (there, 0)
    assert count(report, "made") == -(-500 // report.band_rows) - there
    assert bands(fake_gcs, 1) == []
    assert len(bands(fake_gcs, 2)) == -(-500 // report.band_rows)


def test_a_band_that_is_gone_or_another_by_now_is_made_again(fake_gcs, ask, worlds, tmp_path):
    first = ask("invert", compression="none")
    worlds(1).run(first, deadline_s=DEADLINE_S)
    fake_gcs.objects.delete(BUCKET, f"{BANDS}0001/band-000000001", {})
    second = ask("invert", compression="none")

    report = worlds(1).run(second, deadline_s=DEADLINE_S)

    assert (count(report, "refused"), count(report, "made")) == (1, 1)
    assert content(fake_gcs, second) == quiet(second, worlds(1), tmp_path)
    assert Path(second.output).name == "out-2.tif"
