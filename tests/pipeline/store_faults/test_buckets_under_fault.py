"""Jobs whose bucket fails in every way: no torn object is ever visible, and each has one result."""

import dataclasses
import os
import signal

import numpy as np
import pytest
import tifffile
from bucket_scenarios import SCENARIOS, SUBMIT, WORK
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET, fake_gcs, gcs_client, service_account_key
from PIL import Image
from watched import Watch

from pipeline.errors import StoreError
from pipeline.models import JobState
from pipeline.stores.gcs import GcsStore

__all__ = ["fake_gcs", "gcs_client", "service_account_key"]

PIXELS = np.random.default_rng(4).integers(0, 256, (200, 230, 3), np.uint8)
TRIES = 12
CHOSEN = SCENARIOS if "HALOROW_FUZZ_CASES" in os.environ else SCENARIOS[::6]
"""``make fuzz`` runs all of them."""


@pytest.fixture
def store(fake_gcs, gcs_client, monkeypatch):
    """Give a store that loses patience soon, in this process and in the ranks."""
    one = GcsStore(
        BUCKET,
        "halorow",
        client=gcs_client,
        endpoint=fake_gcs.address,
        retry_deadline_s=1.5,
        timeout_s=(2.0, 0.5),
    )
    access = dataclasses.replace(one.access(), retry_s=1.5, stall_s=0.5)
    monkeypatch.setattr(GcsStore, "access", lambda _self: access)
    return one


@pytest.fixture
def scans(tmp_path):
    """Give the same picture as a tiled TIFF and as a PNG."""
    tifffile.imwrite(tmp_path / "scan.tif", PIXELS, photometric="rgb", tile=(64, 64), metadata=None)
    Image.fromarray(PIXELS).save(tmp_path / "scan.png")
    return tmp_path


@pytest.fixture
def quiet(service, scans, fake_gcs):
    """Give the bytes that a run without faults makes of a file; nothing of it stays."""

    def run(name):
        job = service.client.submit(scans / name, "invert")
        service.runner(service.stage).work_once()
        made = service.parts.store.get_bytes(service.client.result(job.id).output.key)
        for one in fake_gcs.objects.names(BUCKET):
            fake_gcs.objects.delete(BUCKET, one, {})
        return made

    return run


def submit(service, fake_gcs, path):
    """Submit as a client that tries again does, under one key."""
    for _ in range(TRIES):
        try:
            return service.client.submit(path, "invert", key="once").id
        except StoreError as error:
            if not error.retryable:
                raise
            fake_gcs.faults.clear()
    raise AssertionError("the store never took the job")


def work(service, fake_gcs, job, *, stays):
    """Work until the job has ended; a fault that stays ends after the first try."""
    runner = service.runner(service.stage)
    for _ in range(TRIES):
        runner.work_once()
        if stays:
            fake_gcs.faults.clear()
        state = service.client.status(job).state
        if state.is_final:
            return state
        service.clock.at_s += 60.0  # of the queue: what was put back is due
    raise AssertionError(f"the job is still {state}")


@pytest.mark.fuzz
@pytest.mark.parametrize("scenario", CHOSEN, ids=lambda one: one.name)
def test_nothing_torn_is_ever_visible_and_there_is_one_result(  # noqa: PLR0917  (fixtures, and the case)
    service, fake_gcs, scans, quiet, ledger, scenario
):
    name = f"scan{scenario.suffix}"
    watch = Watch(quiet(name))
    watch.follow(fake_gcs.objects)
    if scenario.when == SUBMIT:
        add(fake_gcs, scenario)
    job = submit(service, fake_gcs, scans / name)
    if scenario.when == WORK:
        add(fake_gcs, scenario)
    state = work(service, fake_gcs, job, stays=scenario.stays)
    assert fake_gcs.faults.befallen
    fake_gcs.faults.clear()
    hold(service, watch, job, state, ledger, ends_well=scenario.ends_well)


def add(fake_gcs, scenario):
    for fault in scenario.faults:
        fake_gcs.faults.add(**fault)


def hold(service, watch, job, state, ledger, *, ends_well=True):
    """Hold what became visible against what a quiet run makes."""
    assert watch.torn == []
    if not ends_well:
        assert (state, watch.results) == (JobState.DEAD, {})
        ledger.note("bucket", watch.seen)
        return
    assert state is JobState.SUCCEEDED
    result = service.client.result(job)
    assert service.parts.store.get_bytes(result.output.key) == watch.output
    assert [len(generations) for generations in watch.results.values()] == [1]
    ledger.note("bucket", watch.seen)


class RivalFirst:
    """A stage after whose work another worker does the job from its beginning to its end."""

    def __init__(self, stage, rival):
        self.stage, self.rival = stage, rival

    def run(self, request, **options):
        report = self.stage.run(request, **options)
        self.rival()
        return report


class KilledStage:
    """A stage whose process is killed once something has come to pass."""

    def __init__(self, stage, due):
        self.stage, self.due, self.killed = stage, due, False

    def run(self, request, *, cancelled, **options):
        def watch():
            if self.due() and not self.killed:
                self.killed = True
                os.kill(self.stage.pids()[0], signal.SIGKILL)
            return cancelled()

        return self.stage.run(request, cancelled=watch, **options)


def test_job_delivered_twice_has_one_result(service, fake_gcs, scans, quiet, ledger):
    watch = Watch(quiet("scan.tif"))
    watch.follow(fake_gcs.objects)
    job = submit(service, fake_gcs, scans / "scan.tif")

    def rival():
        service.clock.at_s += 60.0  # the lease has run out
        assert service.runner(service.stage).work_once()

    service.runner(RivalFirst(service.stage, rival)).work_once()
    assert service.client.result(job).attempt == 2
    hold(service, watch, job, service.client.status(job).state, ledger)


def test_rank_killed_between_its_parts_and_their_composition_leaves_nothing_torn(
    service, fake_gcs, scans, quiet, ledger
):
    watch = Watch(quiet("scan.tif"))
    watch.follow(fake_gcs.objects)
    job = submit(service, fake_gcs, scans / "scan.tif")
    fake_gcs.faults.add(FaultKind.STALL, method="POST", target="compose")
    stage = KilledStage(service.stage, lambda: bool(fake_gcs.faults.befallen))
    service.runner(stage).work_once()
    assert stage.killed
    hold(service, watch, job, work(service, fake_gcs, job, stays=False), ledger)
