"""Jobs whose images are folders of many files or objects, in a store on a disk and in a bucket."""

import zipfile

import numpy as np
import pytest
import tifffile
from fakes.gcs.fixture import BUCKET, fake_gcs, gcs_client, service_account_key

from pipeline.errors import InvalidJobError, JobStateError
from pipeline.images.trees import tree_of
from pipeline.local.options import RunOptions
from pipeline.local.run import run_image
from pipeline.stores.gcs import GcsStore

__all__ = ["fake_gcs", "gcs_client", "service_account_key"]

TILED = RunOptions(ranks=1, tile=64)


@pytest.fixture(params=["disk", "bucket"])
def store(request):
    if request.param == "disk":
        return request.getfixturevalue("disk")
    fake = request.getfixturevalue("fake_gcs")
    return GcsStore(BUCKET, "halorow", client=request.getfixturevalue("gcs_client"), endpoint=fake.address)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / "scan.tif"
    pixels = np.random.default_rng(4).integers(0, 256, (200, 150, 3), np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(64, 64), metadata=None)
    return path


@pytest.fixture(scope="module")
def wanted(scan):
    """Give the folder that ``halorow run`` makes."""
    folder = scan.with_name("wanted.ome.zarr")
    run_image(scan, folder, ["invert"], TILED)
    return folder


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kept(store, prefix):
    return [info.key for info in store.list(prefix)]


def made(service, scan, **options):
    """Have a job made whose result is a Zarr; return its id."""
    job = service.client.submit(scan, "invert", format="ome-zarr", tile=64, **options)
    assert service.runner(service.stage).work_once()
    return job.id


def test_a_result_of_many_objects_is_the_folder_of_halorow_run(service, scan, wanted, tmp_path):
    job = made(service, scan)
    result = service.client.result(job)
    assert tree_of(result.output.key)
    assert result.output.size_bytes == sum(map(len, files(wanted).values()))
    service.client.download(job, tmp_path / "got.zarr")
    assert files(tmp_path / "got.zarr") == files(wanted)
    assert set(service.client.links(job)) == set(files(wanted))
    assert not kept(service.parts.store, "parts/")


def test_a_result_of_many_objects_is_one_archive_where_that_is_asked_for(service, scan, wanted, tmp_path):
    service.client.download(made(service, scan), tmp_path / "got.zip")
    zipfile.ZipFile(tmp_path / "got.zip").extractall(tmp_path / "out")
    assert [files(folder) for folder in (tmp_path / "out").iterdir()] == [files(wanted)]


def test_a_zarr_is_put_where_the_user_wants_it_in_place_of_another(service, scan, wanted):
    store = service.parts.store
    store.put_bytes("out/mine.ome.zarr/9/old", b"of another")
    job = made(service, scan, output=store.uri("out/mine.ome.zarr"))
    prefix = "out/mine.ome.zarr/"
    found = {key.removeprefix(prefix): store.get_bytes(key) for key in kept(store, prefix)}
    assert found == files(wanted)
    assert service.client.status(job).output_key == "out/mine.ome.zarr"


def test_a_zarr_is_an_input_as_a_folder_and_by_its_uri(service, scan, wanted, tmp_path):
    job = service.client.submit(wanted, "invert", format="tiff")
    assert service.runner(service.stage).work_once()
    service.client.download(job.id, tmp_path / "back.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "back.tif"), tifffile.imread(scan))

    inside = service.client.uri_of(tree_of(service.client.manifest(job.id).input.key))
    again = service.client.submit(inside, "invert", format="tiff")
    assert service.runner(service.stage).work_once()
    service.client.download(again.id, tmp_path / "again.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "again.tif"), tifffile.imread(scan))


def test_a_folder_that_is_no_zarr_is_refused(service, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(InvalidJobError, match="no Zarr"):
        service.client.submit(tmp_path / "photos", "invert")


def test_an_attempt_that_fails_leaves_none_of_its_objects(service, scan):
    data = bytearray(scan.read_bytes())
    with tifffile.TiffFile(scan) as opened:
        last = opened.pages[0].dataoffsets[-1]
    cut = scan.with_name("cut.tif")
    cut.write_bytes(data[: last + 10])
    job = service.client.submit(cut, "invert", format="zarr", tile=64, block_rows=64)
    assert service.runner(service.stage).work_once()
    assert service.client.failure(job.id)
    assert not [key for key in kept(service.parts.store, f"jobs/{job.id}/") if "output" in key]


def test_a_link_to_many_objects_of_a_bucket_says_what_to_do_instead(service, scan):
    job = made(service, scan)
    if isinstance(service.parts.store, GcsStore):
        with pytest.raises(JobStateError, match="halorow result"):
            service.client.link(job)
    else:
        assert "zip" in service.client.link(job)
