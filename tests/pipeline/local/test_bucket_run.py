"""``halorow run`` and ``plan`` from and to a bucket, as the command line has them."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET, fake_gcs, service_account_key

from pipeline.cli.main import main

__all__ = ["fake_gcs", "service_account_key"]

PIXELS = np.random.default_rng(6).integers(0, 256, (300, 200, 3), np.uint8)
SOURCE, TARGET = f"gs://{BUCKET}/a/in.tif", f"gs://{BUCKET}/out.tif"


@pytest.fixture(autouse=True)
def reachable(fake_gcs, monkeypatch, tmp_path):
    """Point the settings at the fake, with an input in the bucket."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HALOROW_GCS_ENDPOINT", fake_gcs.address)
    monkeypatch.setenv("HALOROW_GCS_CREDENTIALS_FILE", str(fake_gcs.account.write(tmp_path / "key.json")))
    tifffile.imwrite(tmp_path / "in.tif", PIXELS, photometric="rgb", tile=(64, 64), metadata=None)
    fake_gcs.objects.put(BUCKET, "a/in.tif", (tmp_path / "in.tif").read_bytes(), {})


def halorow(*words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code


def stored(fake_gcs, name="out.tif"):
    return fake_gcs.objects.get(BUCKET, name, {}).data


def test_an_object_becomes_another_one_with_the_bytes_of_the_file(fake_gcs, tmp_path):
    assert halorow("run", "--ranks", 1, "-q", "in.tif", "out.tif", "gaussian") == 0
    assert halorow("run", "--ranks", 2, "-q", SOURCE, TARGET, "gaussian") == 0
    assert stored(fake_gcs) == (tmp_path / "out.tif").read_bytes()
    assert fake_gcs.objects.names(BUCKET) == ["a/in.tif", "out.tif"]


def test_files_and_objects_go_together(tmp_path):
    assert halorow("run", "--ranks", 1, "-q", "in.tif", TARGET, "invert") == 0
    assert halorow("run", "--ranks", 1, "-q", TARGET, "back.tif", "invert") == 0
    assert np.array_equal(tifffile.imread("back.tif"), PIXELS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back.tif", "in.tif", "key.json"]


def test_an_object_that_is_there_is_replaced_only_when_asked_for(fake_gcs):
    fake_gcs.objects.put(BUCKET, "out.tif", b"before", {})
    assert halorow("run", "--ranks", 1, "-q", SOURCE, TARGET, "invert") == 2
    assert stored(fake_gcs) == b"before"
    assert halorow("run", "--ranks", 1, "-q", "--overwrite", SOURCE, TARGET, "invert") == 0
    Path("found.tif").write_bytes(stored(fake_gcs))
    assert np.array_equal(tifffile.imread("found.tif"), 255 - PIXELS)
    assert fake_gcs.objects.names(BUCKET) == ["a/in.tif", "out.tif"]


def test_a_plan_of_an_object_is_printed(capsys):
    assert halorow("plan", "--json", SOURCE, "gaussian") == 0
    assert json.loads(capsys.readouterr().out)["input"]["rows"] == 300


def test_a_run_that_fails_leaves_nothing_in_the_bucket(fake_gcs, capsys):
    fake_gcs.faults.add(FaultKind.STATUS, method="POST", target=r"out\.tif/compose", status=403, times=99)
    assert halorow("run", "--ranks", 1, "-q", SOURCE, TARGET, "invert") == 1
    assert "403" in capsys.readouterr().err
    assert fake_gcs.objects.names(BUCKET) == ["a/in.tif"]


def test_a_missing_object_and_a_name_without_an_object_are_errors(capsys):
    assert halorow("run", "-q", f"gs://{BUCKET}/none.tif", "out.tif", "invert") == 3
    assert halorow("run", "-q", "gs://bucket", "out.tif", "invert") == 2
    said = capsys.readouterr().err
    assert f"there is no object gs://{BUCKET}/none.tif" in said
    assert "names no object" in said


def test_parts_that_cannot_be_removed_are_told_of_and_do_not_fail_the_run(fake_gcs, capsys):
    fake_gcs.faults.add(FaultKind.STATUS, method="DELETE", target="parts", status=403, times=99)
    assert halorow("run", "--ranks", 1, "--json", SOURCE, TARGET, "invert") == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any("left below" in note and f"gs://{BUCKET}/out.tif." in note for note in notes)
    assert "out.tif" in fake_gcs.objects.names(BUCKET)


def test_the_digest_of_an_object_is_that_of_the_file(capsys):
    assert halorow("digest", "in.tif") == 0
    of_file = capsys.readouterr().out
    assert halorow("digest", SOURCE) == 0
    assert capsys.readouterr().out == of_file


def objects_below(fake_gcs, name):
    return {
        key.removeprefix(name): stored(fake_gcs, key)
        for key in fake_gcs.objects.names(BUCKET)
        if key.startswith(f"{name}/")
    }


def files_below(folder):
    return {
        str(path).removeprefix(str(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("name", ["out.zarr", "out.ome.zarr"])
@pytest.mark.parametrize("ranks", [1, 3])
def test_a_zarr_in_a_bucket_has_the_objects_that_are_files_on_a_disk(fake_gcs, tmp_path, name, ranks):
    tiles = ("--tile", 64)
    assert halorow("run", "--ranks", 1, "-q", *tiles, "in.tif", name, "gaussian") == 0
    assert halorow("run", "--ranks", ranks, "-q", *tiles, SOURCE, f"gs://{BUCKET}/{name}", "gaussian") == 0
    assert objects_below(fake_gcs, name) == files_below(tmp_path / name)


@pytest.mark.parametrize("name", ["out.zarr", "out.ome.zarr"])
def test_a_zarr_in_a_bucket_is_read_by_ranges(name, capsys):
    url = f"gs://{BUCKET}/{name}"
    assert halorow("run", "--ranks", 1, "-q", "--tile", 64, "in.tif", url, "invert") == 0
    assert halorow("run", "--ranks", 2, "-q", url, "back.tif", "invert") == 0
    assert np.array_equal(tifffile.imread("back.tif"), PIXELS)
    assert halorow("plan", "--json", url, "gaussian") == 0
    assert json.loads(capsys.readouterr().out)["input"]["rows"] == 300


def test_a_zarr_that_is_there_is_replaced_as_a_whole_and_only_when_asked_for(fake_gcs, tmp_path):
    url = f"gs://{BUCKET}/out.zarr"
    fake_gcs.objects.put(BUCKET, "out.zarr/old", b"old", {})
    assert halorow("run", "--ranks", 1, "-q", SOURCE, url, "invert") == 2
    assert objects_below(fake_gcs, "out.zarr") == {"/old": b"old"}
    assert halorow("run", "--ranks", 1, "-q", "--overwrite", SOURCE, url, "invert") == 0
    assert halorow("run", "--ranks", 1, "-q", "in.tif", "out.zarr", "invert") == 0
    assert objects_below(fake_gcs, "out.zarr") == files_below(tmp_path / "out.zarr")
    assert not [name for name in fake_gcs.objects.names(BUCKET) if ".parts/" in name]


def test_a_zarr_that_fails_half_way_leaves_nothing_in_the_bucket(fake_gcs, tmp_path, capsys):
    layout = {"photometric": "rgb", "tile": (64, 64), "compression": "zlib", "metadata": None}
    tifffile.imwrite(tmp_path / "cut.tif", PIXELS, **layout)
    with tifffile.TiffFile(tmp_path / "cut.tif") as opened:
        last = opened.pages[0].dataoffsets[-1]
    data = bytearray((tmp_path / "cut.tif").read_bytes())
    data[last : last + 40] = bytes(40)
    fake_gcs.objects.put(BUCKET, "a/cut.tif", bytes(data), {})
    words = ("-q", "--tile", 64, "--block-rows", 64, f"gs://{BUCKET}/a/cut.tif", f"gs://{BUCKET}/out.zarr")
    assert halorow("run", "--ranks", 1, *words, "invert") != 0
    assert "cut.tif" in capsys.readouterr().err
    assert fake_gcs.objects.names(BUCKET) == ["a/cut.tif", "a/in.tif"]
