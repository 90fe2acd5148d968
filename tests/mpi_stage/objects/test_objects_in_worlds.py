"""Worlds that read and write objects: the same bytes as with files, each rank its own part."""

import dataclasses
import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET

from mpi_stage.contract import Request
from mpi_stage.errors import InputChangedError, OutputExistsError, WorldError
from mpi_stage.objects.source import START_BYTES
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.worlds.world import World

PIXELS = np.random.default_rng(8).integers(0, 256, (900, 700, 3), np.uint8)
PIPELINE = "gaussian:sigma=2 normalize"
KINDS = {
    "plain tiles": {"tile": (64, 64)},
    "deflate tiles": {"tile": (64, 64), "compression": "deflate"},
    "plain strips": {"rowsperstrip": 7},
    "planes": {"rowsperstrip": 900, "planarconfig": "separate"},
}
OUT = f"gs://{BUCKET}/out.tif"


@pytest.fixture
def cloud(fake_gcs, put, access):
    """Give a bucket, a way to put objects into it, and the access to it."""
    return fake_gcs, put, access


@pytest.fixture(scope="module")
def worlds():
    """Give warm worlds by their number of ranks."""
    found = {}

    def world(ranks):
        if ranks not in found or not found[ranks].alive:
            found[ranks] = World(ranks)
        return found[ranks]

    yield world
    for one in found.values():
        one.close()


def write(path, **layout):
    pixels = PIXELS.transpose(2, 0, 1) if layout.get("planarconfig") == "separate" else PIXELS
    tifffile.imwrite(path, pixels, photometric="rgb", metadata=None, **layout)
    return path.read_bytes()


def request(source, output, folder, access=None, **options):
    steps = to_json(parse(options.pop("pipeline", PIPELINE)))
    return Request(
        "job",
        str(source),
        str(output),
        Path(str(output)).name,
        steps,
        access=access,
        scratch=str(folder),
        **options,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_ranks_makes_the_object_that_is_made_as_a_file(kind, worlds, cloud, tmp_path):
    fake_gcs, put, access = cloud
    data = write(tmp_path / "in.tif", **KINDS[kind])
    worlds(1).run(request(tmp_path / "in.tif", tmp_path / "out.tif", tmp_path))
    wanted = (tmp_path / "out.tif").read_bytes()
    url = put("in.tif", data)
    for ranks in (1, 3):
        folder = tmp_path / f"scratch{ranks}"
        folder.mkdir()
        output = f"gs://{BUCKET}/out{ranks}.tif"
        report = worlds(ranks).run(request(url, output, folder, access))
        assert fake_gcs.objects.get(BUCKET, f"out{ranks}.tif", {}).data == wanted
        assert report.output_bytes == len(wanted)
        assert not list(folder.iterdir())
    assert fake_gcs.objects.names(BUCKET) == ["in.tif", "out1.tif", "out3.tif"]


@pytest.mark.parametrize("compression", ["none", "deflate"])
def test_a_cloud_optimized_object_is_the_file_for_any_number_of_ranks(worlds, cloud, tmp_path, compression):
    fake_gcs, put, access = cloud
    url = put("in.tif", write(tmp_path / "in.tif", **KINDS[next(iter(KINDS))]))
    options = {"format": "cog", "tile": 32, "compression": compression}
    worlds(1).run(request(tmp_path / "in.tif", tmp_path / "out.tif", tmp_path, **options))
    wanted = (tmp_path / "out.tif").read_bytes()
    for ranks in (1, 3):
        folder = tmp_path / f"scratch{ranks}"
        folder.mkdir()
        worlds(ranks).run(request(url, f"gs://{BUCKET}/cog{ranks}.tif", folder, access, **options))
        assert fake_gcs.objects.get(BUCKET, f"cog{ranks}.tif", {}).data == wanted
        assert not list(folder.iterdir())
    assert fake_gcs.objects.names(BUCKET) == ["cog1.tif", "cog3.tif", "in.tif"]


@pytest.mark.parametrize("layout", ["plain tiles", "deflate tiles"])
@pytest.mark.parametrize("pipeline", ["rotate:degrees=30", "flip:axis=vertical", "canny"])
def test_steps_that_move_pixels_or_look_at_all_of_them_read_objects_as_files(
    layout, pipeline, worlds, cloud, tmp_path
):
    fake_gcs, put, access = cloud
    data = write(tmp_path / "in.tif", **KINDS[layout])
    worlds(1).run(request(tmp_path / "in.tif", tmp_path / "out.tif", tmp_path, pipeline=pipeline))
    url = put("in.tif", data)
    report = worlds(2).run(request(url, OUT, tmp_path, access, pipeline=pipeline))
    assert fake_gcs.objects.get(BUCKET, "out.tif", {}).data == (tmp_path / "out.tif").read_bytes()
    assert sum(rank.fetched_bytes for rank in report.ranks) < 5 * len(data)


def test_each_rank_fetches_its_own_rows_once_and_uploads_its_own_part(worlds, cloud, tmp_path):
    fake_gcs, put, access = cloud
    data = write(tmp_path / "in.tif", tile=(64, 64))
    order = request(put("in.tif", data), OUT, tmp_path, access, pipeline="gaussian:sigma=2")
    worlds(3).run(order)  # a rank's first bucket has it read modules, too
    fake_gcs.objects.delete(BUCKET, "out.tif", {})
    fake_gcs.served.clear()
    report = worlds(3).run(order)
    tile_row = 64 * 704 * 3
    seams, own = 2 * tile_row, len(data) // 3 + tile_row
    assert sum(rank.fetched_bytes for rank in report.ranks) == sum(len(one) for _, one in fake_gcs.served)
    for rank in report.ranks:
        assert rank.fetched_bytes <= own + seams + START_BYTES
        assert rank.uploaded_bytes <= own + START_BYTES
        assert rank.requests > 0
        assert rank.read_bytes < START_BYTES
        assert rank.written_bytes < START_BYTES
    assert sum(rank.uploaded_bytes for rank in report.ranks) == report.output_bytes


def test_a_point_step_fetches_every_byte_once(worlds, cloud, tmp_path):
    fake_gcs, put, access = cloud
    data = write(tmp_path / "in.tif", tile=(64, 64), compression="deflate")
    worlds(2).run(request(put("in.tif", data), OUT, tmp_path, access, pipeline="invert"))
    served = np.zeros(len(data), np.uint8)
    for _, found in fake_gcs.served:
        served[found.start : found.stop] += 1
    again = np.flatnonzero(served[START_BYTES:] > 1)
    assert served.min() == 1
    assert len(again) == 0


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_formats_that_cannot_be_cut_pass_through_memory(suffix, worlds, cloud, tmp_path):
    fake_gcs, put, access = cloud
    cv2.imwrite(str(tmp_path / f"in.{suffix}"), PIXELS)
    data = (tmp_path / f"in.{suffix}").read_bytes()
    worlds(1).run(request(tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}", tmp_path))
    folder = tmp_path / "scratch"
    folder.mkdir()
    output = f"gs://{BUCKET}/out.{suffix}"
    worlds(2).run(request(put(f"in.{suffix}", data), output, folder, access))
    made = fake_gcs.objects.get(BUCKET, f"out.{suffix}", {}).data
    assert made == (tmp_path / f"out.{suffix}").read_bytes()
    assert not list(folder.iterdir())


def test_a_plan_reads_the_header_alone_and_counts_what_is_held(worlds, cloud, tmp_path):
    fake_gcs, put, access = cloud
    data = write(tmp_path / "in.tif", tile=(64, 64))
    near = worlds(1).plan(request(tmp_path / "in.tif", tmp_path / "out.tif", tmp_path))
    far = worlds(1).plan(request(put("in.tif", data), OUT, tmp_path, access))
    assert sum(len(found) for _, found in fake_gcs.served) <= 2 * START_BYTES
    assert far["hash"] == near["hash"]
    assert far["peak_bytes_per_rank"] > near["peak_bytes_per_rank"]


def test_faults_that_pass_change_nothing(worlds, cloud, tmp_path):
    fake_gcs, put, access = cloud
    data = write(tmp_path / "in.tif", tile=(64, 64))
    worlds(1).run(request(tmp_path / "in.tif", tmp_path / "out.tif", tmp_path))
    url = put("in.tif", data)
    for kind in (FaultKind.STATUS, FaultKind.RESET, FaultKind.TRUNCATED, FaultKind.STALL):
        fake_gcs.faults.add(kind, method="GET", target="alt=media", times=2)
    for kind in (FaultKind.STATUS, FaultKind.LOST_ANSWER, FaultKind.CORRUPTED_UPLOAD):
        fake_gcs.faults.add(kind, method="POST")
    patient = dataclasses.replace(access, retry_s=60.0)  # a slow machine has not done with all faults sooner
    report = worlds(2).run(request(url, OUT, tmp_path, patient))
    assert fake_gcs.objects.get(BUCKET, "out.tif", {}).data == (tmp_path / "out.tif").read_bytes()
    assert sum(rank.retries for rank in report.ranks) >= 11


def test_an_input_replaced_in_the_middle_ends_the_run_without_an_output(worlds, cloud, tmp_path):
    fake_gcs, put, access = cloud
    url = put("in.tif", write(tmp_path / "in.tif", tile=(64, 64)))

    def replace(event):
        if event["event"] == "planned":
            put("in.tif", b"another")

    with pytest.raises(InputChangedError):
        worlds(2).run(request(url, OUT, tmp_path, access), on_event=replace)
    assert "out.tif" not in fake_gcs.objects.names(BUCKET)


def test_a_world_that_dies_before_its_parts_are_composed_leaves_no_object_and_the_retry_makes_it(
    worlds, cloud, tmp_path
):
    fake_gcs, put, access = cloud
    data = write(tmp_path / "in.tif", tile=(64, 64))
    worlds(1).run(request(tmp_path / "in.tif", tmp_path / "out.tif", tmp_path))
    url, parts = put("in.tif", data), f"gs://{BUCKET}/parts/job/0001/"
    fake_gcs.faults.add(FaultKind.STATUS, method="POST", target="out.tif/compose", times=10_000)
    world = worlds(2)

    def die():
        if fake_gcs.faults.befallen:
            os.kill(world.pids()[0], signal.SIGKILL)
        return False

    with pytest.raises(WorldError):
        world.run(request(url, OUT, tmp_path, access, parts=parts), cancelled=die)
    left = fake_gcs.objects.names(BUCKET)
    assert "out.tif" not in left
    assert sum(name.startswith("parts/job/0001/") for name in left) == 3
    fake_gcs.faults.clear()
    worlds(2).run(request(url, OUT, tmp_path, access, parts=parts))
    assert fake_gcs.objects.get(BUCKET, "out.tif", {}).data == (tmp_path / "out.tif").read_bytes()
    assert fake_gcs.objects.names(BUCKET) == ["in.tif", "out.tif"]


def test_an_object_that_is_there_is_not_replaced(worlds, cloud, tmp_path):
    fake_gcs, put, access = cloud
    put("out.tif", b"theirs")
    url = put("in.tif", write(tmp_path / "in.tif", tile=(64, 64)))
    with pytest.raises(OutputExistsError):
        worlds(1).run(request(url, OUT, tmp_path, access))
    assert fake_gcs.objects.get(BUCKET, "out.tif", {}).data == b"theirs"
