"""Jobs worked on by a real stage process, with the queue in memory and the store on disk."""

import dataclasses
import os
import signal
import threading

import numpy as np
import pytest
import tifffile

from mpi_stage.errors import NodeLostError, WorldError
from pipeline import layout
from pipeline.attempts.plan_router import Move
from pipeline.decisions.retry import RetryPolicy
from pipeline.errors import JobFailedError, StoreUnavailableError
from pipeline.keeping.reconcile import lane_of, rebuild, reconcile
from pipeline.models import JobState, Lane, Load
from pipeline.worlds.warm import WarmWorld


class CrashingStage:
    """A stage whose process dies, as a damaged file may have it do, the given number of times."""

    def __init__(self, stage, times):
        self.stage = stage
        self.left = times

    def run(self, request, **options):
        if self.left:
            self.left -= 1
            raise WorldError("rank 0 of 1 was killed by SIGSEGV")
        return self.stage.run(request, **options)


class GuardedStage:
    """A stage that does something at its first progress, in the middle of the work."""

    def __init__(self, stage, act):
        self.stage = stage
        self.act = act

    def run(self, request, *, on_event, **options):
        def listen(event):
            on_event(event)
            act, self.act = self.act, None
            if act is not None:
                act()

        return self.stage.run(request, on_event=listen, **options)


def open_markers(store):
    return [info.key for info in store.list(layout.OPEN)]


def test_a_job_is_done_and_its_result_can_be_had(service, tmp_path):
    job = service.client.submit(service.photo, service.edges)

    assert service.runner(service.stage).work_once()

    status, result = service.client.status(job.id), service.client.result(job.id)
    assert status.state is JobState.SUCCEEDED
    assert status.fraction_done == 1.0
    assert result.attempt == 1
    assert len(result.pixels_sha256) == 64
    assert "filename=astronaut.jpg" in service.client.link(job.id)
    service.client.download(job.id, tmp_path / "service.edges.jpg")
    assert (tmp_path / "service.edges.jpg").stat().st_size == result.output.size_bytes
    assert not service.parts.queue.contains(job.id)
    assert open_markers(service.parts.store) == []


def test_nothing_of_an_attempt_is_left_lying_about(service, tmp_path):
    service.client.submit(service.photo, service.edges)
    service.runner(service.stage).work_once()

    assert list((tmp_path / "store" / "staging").iterdir()) == []
    assert [path for path in (tmp_path / "scratch").rglob("*") if not path.is_dir()] == []


def test_what_a_killed_worker_left_of_an_output_goes_with_the_next_attempt(service):
    job = service.submit()
    service.parts.records.start_attempt(job, "killed", 0)
    left = service.parts.store.staging_path(f"{job}.0001.part")
    left.write_bytes(b"half")

    service.runner(service.stage).work_once()

    assert service.client.status(job).state is JobState.SUCCEEDED
    assert not left.exists()


def test_progress_is_told_while_the_job_is_worked_on(service):
    job = service.client.submit(service.photo, "median:size=21 " * 12)
    ear = service.parts.bus.subscribe(job.id)

    service.runner(service.stage).work_once()

    kinds = []
    while (event := ear.next(0.0)) is not None:
        kinds.append(event.type)
    assert kinds[0] == "running"
    assert kinds[-1] == "succeeded"


def test_the_result_is_put_where_the_user_wants_it(service):
    job = service.client.submit(
        service.photo, service.edges, output=service.parts.store.uri("mine/service.edges.png")
    )
    service.runner(service.stage).work_once()

    result = service.client.result(job.id)
    assert service.client.status(job.id).output_key == "mine/service.edges.png"
    assert service.parts.store.get_bytes("mine/service.edges.png") == service.parts.store.get_bytes(
        result.output.key
    )
    assert service.parts.store.get_bytes("mine/service.edges.png").startswith(b"\x89PNG")


def test_a_page_is_chosen_and_the_output_is_written_as_the_manifest_says(service, tmp_path):
    path = tmp_path / "stack.tif"
    pages = np.random.default_rng(0).integers(0, 256, (3, 40, 50), np.uint8)
    tifffile.imwrite(path, pages, photometric="minisblack")
    job = service.client.submit(path, "invert", page=2, compression="zstd:9", tile=32)
    service.runner(service.stage).work_once()

    service.client.download(job.id, tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as found:
        page = found.pages.first
        assert (page.compression.name, page.tile) == ("ZSTD", (32, 32))
        assert np.array_equal(page.asarray(), 255 - pages[2])


def test_a_job_may_do_without_the_digest_of_its_pixels(service):
    job = service.client.submit(service.photo, service.edges, digest=False)
    service.runner(service.stage).work_once()

    result = service.client.result(job.id)
    assert (result.pixels_sha256, result.report["pixels_sha256"]) == ("", None)


def test_a_job_makes_a_cloud_optimized_file_where_its_manifest_asks_for_one(service, tmp_path):
    job = service.client.submit(service.photo, "invert", format="cog", tile=128, input_name="photo.tif")
    service.runner(service.stage).work_once()

    service.client.download(job.id, tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as found:
        assert [page.shape[:2] for page in found.pages] == [(512, 512), (256, 256), (128, 128)]


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("text.tif", b"this is a text, not a picture" * 40, "UnsupportedFormatError"),
        ("cut.png", None, "DamagedInputError"),
    ],
)
def test_a_bad_file_fails_at_once_with_its_exit_code(service, name, data, kind):
    png = (service.photo.parent / "coins.png").read_bytes()
    bad = service.client.submit_bytes(data or png[: len(png) // 2], name, service.edges)
    good = service.client.submit(service.photo, service.edges)
    runner = service.runner(service.stage)

    assert runner.work_once()
    assert runner.work_once()

    status = service.client.status(bad.id)
    assert (status.state, status.exit_code, status.error_kind) == (JobState.FAILED, 3, kind)
    assert status.error.startswith(name), "the message names the user's file, not where it lies here"
    with pytest.raises(JobFailedError) as failure:
        service.client.result(bad.id)
    assert failure.value.exit_code == 3
    assert service.client.status(good.id).state is JobState.SUCCEEDED
    assert open_markers(service.parts.store) == []


def test_an_input_that_was_replaced_is_not_used(service):
    service.parts.store.put_file("scans/a.jpg", service.photo)
    job = service.client.submit(service.parts.store.uri("scans/a.jpg"), service.edges)
    service.parts.store.put_bytes("scans/a.jpg", b"another")

    service.runner(service.stage).work_once()

    status = service.client.status(job.id)
    assert status.state is JobState.FAILED
    assert "replaced" in status.error


def test_a_job_whose_stage_dies_is_tried_again(service):
    job = service.client.submit(service.photo, service.edges)
    runner = service.runner(CrashingStage(service.stage, 2))

    for _ in range(2):
        runner.work_once()
        assert service.client.status(job.id).state is JobState.RETRYING
    runner.work_once()

    assert service.client.status(job.id).state is JobState.SUCCEEDED
    assert service.client.result(job.id).attempt == 3


def test_a_job_that_kills_three_stages_is_a_dead_letter_with_evidence(service):
    job = service.client.submit(service.photo, service.edges)
    runner = service.runner(CrashingStage(service.stage, 9))

    for _ in range(3):
        runner.work_once()

    failure = service.client.failure(job.id)
    assert service.client.status(job.id).state is JobState.DEAD
    assert len(failure.evidence) == 3
    assert all("SIGSEGV" in line for line in failure.evidence)
    assert not runner.work_once()


def test_three_workers_that_die_without_a_word_make_a_dead_letter(service):
    job = service.client.submit(service.photo, service.edges)
    for number in range(3):
        service.parts.records.start_attempt(job.id, f"worker-{number}", number)

    service.runner(service.stage).work_once()

    assert service.client.status(job.id).state is JobState.DEAD
    assert all("died without a word" in line for line in service.client.failure(job.id).evidence)
    assert not service.parts.queue.contains(job.id)


def test_each_attempt_that_is_made_again_counts_as_one_retry(service):
    service.client.submit(service.photo, service.edges)
    runner = service.runner(CrashingStage(service.stage, 1))
    while runner.work_once():
        pass
    assert service.parts.ledger.backlog(Lane.SINGLE).retries == 1

    silent = service.client.submit(service.photo, service.edges)
    service.parts.records.start_attempt(silent.id, "a worker that is killed", 0)
    runner.work_once()
    assert service.parts.ledger.backlog(Lane.SINGLE).retries == 2

    service.client.submit(service.photo, service.edges)
    runner.work_once()
    assert service.parts.ledger.backlog(Lane.SINGLE).retries == 2


def test_a_retry_forgives_the_deaths(service):
    job = service.client.submit(service.photo, service.edges)
    runner = service.runner(CrashingStage(service.stage, 3))
    for _ in range(3):
        runner.work_once()

    service.client.retry(job.id)
    runner.work_once()

    assert service.client.status(job.id).state is JobState.SUCCEEDED
    assert service.client.result(job.id).attempt == 4


def test_a_real_stage_that_is_killed_is_replaced(service):
    world = WarmWorld(1)
    service.client.submit(service.photo, service.edges)
    runner = service.runner(world)
    runner.work_once()
    os.kill(world.pids()[0], signal.SIGKILL)
    job = service.client.submit(service.photo, service.edges)

    while not service.client.status(job.id).state.is_final:
        runner.work_once()
    world.close()

    assert service.client.status(job.id).state is JobState.SUCCEEDED


def test_a_job_is_cancelled_in_the_middle_of_the_work(service):
    world = WarmWorld(1)
    job = service.client.submit(service.photo, " ".join(["median:size=101"] * 20))
    runner = service.runner(GuardedStage(world, lambda: service.client.cancel(job.id)))

    runner.work_once()
    world.close()

    assert service.client.status(job.id).state is JobState.CANCELLED
    assert service.parts.records.result(job.id) is None
    assert not service.parts.queue.contains(job.id)
    assert open_markers(service.parts.store) == []


def test_a_runner_that_stops_gives_its_job_back_without_blame(service):
    job = service.client.submit(service.photo, " ".join(["median:size=101"] * 20))
    world = WarmWorld(1)
    runner = service.runner(None)
    runner._stage = GuardedStage(world, runner.stop)

    runner.work_once()
    world.close()

    assert service.client.status(job.id).state is JobState.QUEUED
    history = service.parts.records.history(job.id)
    assert (history.highest, history.counted(9), history.deaths(9)) == (1, [], 0)
    assert service.parts.queue.depth(Lane.SINGLE) == 1


def test_a_stale_holder_does_not_commit(service):
    """The first holder's lease runs out in the middle; a rival finishes; the first then goes on."""
    job = service.client.submit(service.photo, service.edges)
    rival = service.runner(service.stage)

    def overtake():
        service.clock.at_s += 100.0
        assert rival.work_once()

    class Overtaken:
        def run(self, request, **options):
            report = service.stage.run(request, **options)
            overtake()
            return report

    slow = service.runner(Overtaken(), using=dataclasses.replace(service.parts, heartbeat_s=1000.0))
    slow.work_once()

    result = service.client.result(job.id)
    assert result.attempt == 2
    assert [info.key for info in service.parts.store.list(f"jobs/{job.id}/output-")] == [result.output.key]
    assert service.client.status(job.id).attempt == 2


def test_a_holder_that_lost_its_lease_to_a_rival_stops(service):
    job = service.client.submit(service.photo, " ".join(["median:size=101"] * 20))
    world = WarmWorld(1)
    runner = service.runner(
        GuardedStage(world, lambda: service.parts.records.start_attempt(job.id, "rival", 1))
    )

    runner.work_once()
    world.close()

    assert service.parts.records.ending(job.id) is None
    assert service.parts.records.history(job.id).outcomes[1].counts is False


@pytest.mark.parametrize(
    "error", [StoreUnavailableError("the store answered 503"), NodeLostError("it is gone")]
)
def test_a_store_that_is_away_or_a_lost_node_never_uses_up_the_attempts(service, error):
    class Away:
        def __init__(self, times):
            self.times = times

        def run(self, request, **options):
            if self.times:
                self.times -= 1
                raise error
            return service.stage.run(request, **options)

    impatient = dataclasses.replace(service.parts, retry=RetryPolicy(max_attempts=2, base_s=0.0))
    job = service.client.submit(service.photo, service.edges)
    runner = service.runner(Away(4), using=impatient)

    done = threading.Event()
    while not service.client.status(job.id).state.is_final:
        runner.work_once(block_s=0.1)
        assert not done.is_set()

    assert service.client.status(job.id).state is JobState.SUCCEEDED
    assert service.client.result(job.id).attempt == 5


def test_a_large_job_is_moved_to_the_gang_lane(service):
    job = service.client.submit(service.photo, service.edges)

    load = Load(pixels=9, core_s=1.5)

    service.runner(service.stage, router=lambda _request, _manifest: Move(2, load)).work_once()

    assert [service.parts.ledger.backlog(lane).todo for lane in (Lane.SINGLE, Lane.GANG)] == [Load(), load]
    assert service.parts.queue.depth(Lane.SINGLE) == 0
    assert service.parts.queue.depth(Lane.GANG) == 1
    assert service.client.status(job.id).lane is Lane.GANG
    history = service.parts.records.history(job.id)
    assert lane_of(service.client.manifest(job.id), history) is Lane.GANG
    service.runner(service.stage, lane=Lane.GANG).work_once()
    assert service.client.status(job.id).state is JobState.SUCCEEDED


def test_what_a_killed_worker_had_committed_is_told_by_reconciliation(service):
    """The worker died between the commit and the news."""
    job = service.client.submit(service.photo, service.edges, output=service.parts.store.uri("mine/a.jpg"))
    service.runner(service.stage).work_once()
    service.parts.store.put_bytes(layout.open_key(job.id), b"")
    service.parts.store.delete("mine/a.jpg")
    service.parts.board.delete(job.id)

    done = reconcile(service.parts)

    assert done.settled == 1
    assert service.client.status(job.id).state is JobState.SUCCEEDED
    assert service.parts.store.stat("mine/a.jpg") is not None
    assert not reconcile(service.parts)


def test_the_list_of_finished_jobs_is_made_anew(service):
    jobs = [service.client.submit(service.photo, service.edges) for _ in range(2)]
    runner = service.runner(service.stage)
    while runner.work_once():
        pass
    for job in jobs:
        service.parts.board.delete(job.id)

    assert rebuild(service.parts) == 2
    assert {status.state for status in service.client.jobs()} == {JobState.SUCCEEDED}
    assert rebuild(service.parts) == 0
