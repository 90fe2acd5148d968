"""Jobs whose store is a bucket: the ranks reach it themselves, and nothing lies on this machine's disk."""

import dataclasses
import threading
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET, fake_gcs, gcs_client, service_account_key

from pipeline import layout
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.client import Client
from pipeline.errors import JobFailedError, KeyRefusedError, ObjectNotFoundError
from pipeline.models import JobState, Lane
from pipeline.records.leftovers import clear_parts
from pipeline.stores.gcs import GcsStore
from pipeline.worlds.renewal import RENEW_S, Renewal

__all__ = ["fake_gcs", "gcs_client", "service_account_key"]

SMALL_BYTES = 64 << 10
PATIENT_S = 60.0


@pytest.fixture
def store(fake_gcs, gcs_client):
    return GcsStore(BUCKET, "halorow", client=gcs_client, endpoint=fake_gcs.address)


@pytest.fixture
def scan(tmp_path):
    """Give a TIFF of half a MiB."""
    path = tmp_path / "scan.tif"
    pixels = np.random.default_rng(4).integers(0, 256, (400, 450, 3), np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(64, 64), metadata=None)
    return path


def names(fake, prefix="halorow/"):
    return [name for name in fake.objects.names(BUCKET) if name.startswith(prefix)]


class LookingStage:
    """A stage that remembers what lay below a folder while it was at work, and what it was asked."""

    def __init__(self, stage, folder):
        self.stage, self.folder = stage, folder
        self.largest_bytes, self.request = 0, None

    def run(self, request, *, on_event, **options):
        def look(event):
            sizes = [path.stat().st_size for path in self.folder.rglob("*") if path.is_file()]
            self.largest_bytes = max([self.largest_bytes, *sizes])
            on_event(event)

        self.request = request
        return self.stage.run(request, on_event=look, **options)


def test_a_job_is_done_without_a_copy_on_this_machine(service, fake_gcs, scan, tmp_path):
    job = service.client.submit(scan, "gaussian:sigma=2")
    stage = LookingStage(service.stage, tmp_path / "scratch")
    assert service.runner(stage).work_once()

    assert service.client.status(job.id).state is JobState.SUCCEEDED
    assert stage.request.input.startswith(f"gs://{BUCKET}/halorow/uploads/")
    assert stage.largest_bytes < SMALL_BYTES
    result = service.client.result(job.id)
    rank = result.report["ranks"][0]
    assert scan.stat().st_size <= rank["fetched_bytes"] < scan.stat().st_size + SMALL_BYTES
    assert rank["uploaded_bytes"] == result.output.size_bytes
    service.client.download(job.id, tmp_path / "out.tif")
    assert tifffile.imread(tmp_path / "out.tif").shape == (400, 450, 3)
    assert not names(fake_gcs, "halorow/parts/")


def test_the_token_is_written_down_nowhere(service, fake_gcs, scan, tmp_path, capfd):
    job = service.client.submit(scan, "invert")
    stage = LookingStage(service.stage, tmp_path)
    service.runner(stage).work_once()
    token = stage.request.access.token
    assert token
    assert token not in repr(stage.request)
    records = names(fake_gcs, f"halorow/jobs/{job.id}")
    written = b"".join(fake_gcs.objects.get(BUCKET, name, {}).data for name in records)
    assert token.encode() not in written
    assert token not in "".join(capfd.readouterr())


def test_a_result_is_copied_to_the_place_that_was_asked_for_inside_the_bucket(service, fake_gcs, scan):
    job = service.client.submit(scan, "invert", output=f"gs://{BUCKET}/halorow/results/")
    service.runner(service.stage).work_once()
    made = fake_gcs.objects.get(BUCKET, "halorow/results/scan.tif", {})
    result = service.client.result(job.id)
    assert made.data == fake_gcs.objects.get(BUCKET, f"halorow/{result.output.key}", {}).data
    assert made.content_type == "image/tiff"
    assert not [path for path, _ in fake_gcs.served if "output" in path]


def test_a_store_that_fails_in_the_middle_leaves_no_parts_and_the_next_attempt_succeeds(
    service, fake_gcs, scan, monkeypatch
):
    monkeypatch.setattr("pipeline.stores.gcs.GcsStore.access", impatient(service.parts.store))
    job = service.client.submit(scan, "invert")
    fake_gcs.faults.add(FaultKind.STATUS, method="POST", target=r"scan\.tif/compose", times=10_000)
    service.runner(service.stage).work_once()
    assert service.client.status(job.id).state is JobState.RETRYING
    assert not names(fake_gcs, "halorow/parts/")
    assert not names(fake_gcs, f"halorow/jobs/{job.id}/output/")

    fake_gcs.faults.clear()
    service.runner(service.stage).work_once()
    assert service.client.status(job.id).state is JobState.SUCCEEDED
    assert service.client.result(job.id).attempt == 2


def test_a_store_that_fails_at_the_last_call_costs_no_band(service, fake_gcs, scan, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.stores.gcs.GcsStore.access", impatient(service.parts.store))
    place = Workplace(service.parts.store, tmp_path / "place", band_bytes=SMALL_BYTES)
    runner = JobRunner(service.parts, service.stage, place, lane=Lane.SINGLE, consumer="banding")
    job = service.client.submit(scan, "invert")
    fake_gcs.faults.add(FaultKind.STATUS, method="POST", target=r"scan\.tif/compose", times=10_000)
    runner.work_once()
    bands = names(fake_gcs, f"halorow/{layout.bands_prefix(job.id, 1)}band-")
    assert service.client.status(job.id).state is JobState.RETRYING

    fake_gcs.faults.clear()
    runner.work_once()

    result = service.client.result(job.id)
    (rank,) = result.report["ranks"]
    assert (result.attempt, rank["bands_reused"], rank["bands_made"]) == (2, len(bands), 0)
    service.client.download(job.id, tmp_path / "out.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), 255 - tifffile.imread(scan))
    assert not names(fake_gcs, "halorow/parts/")
    assert not names(fake_gcs, f"halorow/{layout.BANDS}")


def impatient(store):
    """Return an ``access`` that gives a store's access with little patience."""
    access = dataclasses.replace(store.access(), retry_s=0.5)
    return lambda _self: access


def test_parts_that_a_dead_attempt_left_are_removed_by_the_next(service, fake_gcs, scan):
    job = service.client.submit(scan, "invert")
    manifest = service.client.manifest(job.id)
    service.parts.records.start_attempt(job.id, "dead", 0)
    service.parts.store.put_bytes(f"{layout.parts_prefix(job.id, 1)}row000000000000-000000", b"left")
    service.runner(service.stage).work_once()
    assert service.client.status(job.id).state is JobState.SUCCEEDED
    assert not names(fake_gcs, f"halorow/{layout.parts_prefix(manifest.id)}")


def test_a_job_that_fails_for_good_leaves_no_parts(service, fake_gcs, tmp_path):
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\x00 no directory")
    job = service.client.submit(broken, "invert")
    service.parts.store.put_bytes(f"{layout.parts_prefix(job.id, 1)}row", b"left")
    service.runner(service.stage).work_once()
    with pytest.raises(JobFailedError, match=r"broken\.tif begins like a TIFF"):
        service.client.result(job.id)
    assert not names(fake_gcs, "halorow/parts/")


def test_an_input_replaced_since_the_submission_ends_the_job(service, scan):
    job = service.client.submit(scan, "invert")
    key = service.client.manifest(job.id).input.key
    service.parts.store.put_bytes(key, scan.read_bytes())
    service.runner(service.stage).work_once()
    with pytest.raises(JobFailedError, match=r"scan\.tif is gone: the object was replaced"):
        service.client.result(job.id)


def test_parts_of_later_attempts_are_left_alone(store):
    for attempt in (1, 2, 3):
        store.put_bytes(f"{layout.parts_prefix('job', attempt)}row", b"x")
    assert clear_parts(store, "job", below=3) == 2
    assert [info.key for info in store.list(layout.PARTS)] == ["parts/job/0003/row"]


def test_a_token_is_passed_on_when_it_is_another_one():
    tokens = iter(["first", "first", "second"])
    renewal = Renewal(lambda: next(tokens), now_s=0.0)

    def asked_at(now_s):
        """Ask, and look again when the answer is there."""
        before = renewal.due(now_s)
        while renewal.asking:
            pass
        return before or renewal.due(now_s)

    assert asked_at(RENEW_S / 2) is None
    assert asked_at(RENEW_S) == "first"
    assert asked_at(2 * RENEW_S) is None
    assert asked_at(3 * RENEW_S) == "second"


def test_a_token_server_that_hangs_is_asked_again_later_and_holds_nobody():
    answered, asked = threading.Event(), threading.Semaphore(0)

    def ask():
        asked.release()
        answered.wait()
        return "late"

    renewal = Renewal(ask, now_s=0.0)
    try:
        assert renewal.due(RENEW_S) is None
        assert asked.acquire(timeout=PATIENT_S)
        assert renewal.due(2 * RENEW_S) is None
        assert not asked.acquire(blocking=False)
        assert renewal.due(3 * RENEW_S) is None
        assert asked.acquire(timeout=PATIENT_S)
    finally:
        answered.set()


def test_a_run_ends_while_the_token_server_hangs(service, store, scan, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.worlds.renewal.RENEW_S", 0.0)
    job = service.client.submit(scan, "invert")
    answered, asked = threading.Event(), threading.Event()

    def ask():
        asked.set()
        answered.wait()

    with Workplace(store, tmp_path / "place").at(service.client.manifest(job.id), 1) as found:
        request = found.request(service.client.manifest(job.id), "cpu")
        try:
            assert service.stage.run(request, token=ask).rows
            assert asked.is_set()
        finally:
            answered.set()


def test_a_run_that_outlives_its_token_goes_on_with_the_next(service, store, scan, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.worlds.renewal.RENEW_S", 0.0)
    job = service.client.submit(scan, "invert")
    place = Workplace(store, tmp_path / "place")
    with place.at(service.client.manifest(job.id), 1) as found:
        request = found.request(service.client.manifest(job.id), "cpu")
        object.__setattr__(request.access, "token", "run out")
        report = service.stage.run(request, token=found.token)
    assert report.ranks[0].retries > 0
    assert not [path for path in (tmp_path / "place").rglob("*") if not path.is_dir()]


def test_an_input_in_another_bucket_is_used_where_it_lies(service, settings, fake_gcs, scan, tmp_path):
    fake_gcs.objects.create_bucket("archive")
    for name in ("scans/a.tif", "scans/deep/b.tif", "scans/notes.txt", "other.tif"):
        fake_gcs.objects.put("archive", name, scan.read_bytes(), {})
    allowed = settings.model_copy(update={"input_buckets": "somewhere, archive"})
    parts = replace(service.parts, places=allowed.places)
    client = Client(parts, allowed)
    uris = client.matching("gs://archive/scans/*.tif")
    assert uris == ["gs://archive/scans/a.tif", "gs://archive/scans/deep/b.tif"]
    jobs = [client.submit(uri, "invert").id for uri in uris]
    assert not names(fake_gcs, "halorow/uploads/")

    fake_gcs.objects.put("archive", "scans/deep/b.tif", b"another", {})
    runner = service.runner(service.stage, using=parts)
    assert runner.work_once()
    assert runner.work_once()
    client.download(jobs[0], tmp_path / "a.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), 255 - tifffile.imread(scan))
    assert client.input_link(jobs[0]).startswith(f"{fake_gcs.address}/archive/scans/a.tif?")
    with pytest.raises(JobFailedError, match="replaced"):
        client.result(jobs[1])


def test_a_bucket_that_is_not_allowed_is_refused(service, fake_gcs, scan):
    fake_gcs.objects.create_bucket("secret")
    fake_gcs.objects.put("secret", "a.tif", scan.read_bytes(), {})
    with pytest.raises(KeyRefusedError, match="add it to the setting input_buckets"):
        service.client.submit("gs://secret/a.tif", "invert")
    with pytest.raises(KeyRefusedError, match="secret is no bucket that inputs may lie in"):
        service.client.matching("gs://secret/*")


def test_a_pattern_without_a_match_is_an_error(service):
    with pytest.raises(ObjectNotFoundError, match="no object matches"):
        service.client.matching(f"gs://{BUCKET}/halorow/scans/*.tif")
