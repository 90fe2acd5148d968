"""What has lived its life is removed, and nothing that an unfinished job needs."""

import os
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import layout
from pipeline.client import Client
from pipeline.decisions.retention import MARGIN_S, Kind, Retention
from pipeline.errors import JobNotFoundError, ObjectNotFoundError, StoreError
from pipeline.keeping import cleaner
from pipeline.keeping.cleaner import clean
from pipeline.models import JobState, now

DAY = timedelta(days=1)
DAYS = 86_400.0
LIVES = Retention(inputs_s=2 * DAYS, bands_s=DAYS, results_s=4 * DAYS, records_s=8 * DAYS)


@pytest.fixture
def lent(service, settings):
    """Give a client that knows how long things live."""
    return Client(replace(service.parts, retention=LIVES), settings)


def test_inputs_results_and_records_of_a_job_go_one_after_the_other(service):
    job = service.finished(key="k")
    everything = service.left(job)

    assert not clean(service.parts, LIVES, now() + 1.9 * DAY)
    assert service.left(job) == everything

    assert clean(service.parts, LIVES, now() + 2.1 * DAY).objects[Kind.INPUT] == 1
    assert everything - service.left(job) == {layout.upload_key(job, "astronaut.jpg")}

    assert clean(service.parts, LIVES, now() + 4.1 * DAY).objects[Kind.RESULT] == 1
    assert service.client.result(job).job_id == job

    clean(service.parts, LIVES, now() + 8.1 * DAY)
    assert service.left(job) == set()
    assert service.submit(key="k") != job


def test_no_folder_of_a_job_stays_on_the_disk(service, disk):
    job = service.finished()
    folder = disk.folder_path(layout.job_prefix(job))
    disk.put_bytes(f"{layout.job_prefix(job)}output-0001-a.zarr/c/0/0", b"a chunk")
    assert folder.is_dir()

    clean(service.parts, LIVES, now() + 9 * DAY)

    assert not folder.exists()


def test_a_dry_run_counts_what_would_go_and_removes_nothing(service):
    job = service.finished()
    before = service.left(job)

    done = clean(service.parts, LIVES, now() + 9 * DAY, dry_run=True)

    assert service.left(job) == before
    assert sum(done.objects.values()) == len(before)
    assert done.size_bytes[Kind.INPUT] == service.photo.stat().st_size
    assert clean(service.parts, LIVES, now() + 9 * DAY) == done


def test_nothing_goes_of_a_job_that_has_not_ended(service):
    job = service.submit()
    before = service.left(job)
    assert not clean(service.parts, LIVES, now() + 100 * DAY)
    assert service.left(job) == before


def test_nothing_goes_of_a_job_that_somebody_has_still_to_settle_or_to_be_told_of(service):
    job = service.finished()
    for marker in (layout.open_key(job), layout.outbox_key(job)):
        service.parts.store.put_bytes(marker, b"")
        assert not clean(service.parts, LIVES, now() + 100 * DAY)
        service.parts.store.delete(marker)
    assert clean(service.parts, LIVES, now() + 100 * DAY)


def test_what_another_unfinished_job_reads_stays(service):
    first = service.finished()
    output = service.client.result(first).output.key
    second = service.client.submit(service.parts.store.uri(output), service.edges).id

    clean(service.parts, LIVES, now() + 100 * DAY)

    assert service.parts.store.stat(output) is not None
    assert service.runner(service.stage).work_once()
    assert service.client.status(second).state is JobState.SUCCEEDED


def test_what_users_have_put_into_the_store_or_asked_for_there_stays(service):
    store = service.parts.store
    store.put_file("scans/a.jpg", service.photo)
    job = service.client.submit(store.uri("scans/a.jpg"), service.edges, output=store.uri("done/a.jpg")).id
    assert service.runner(service.stage).work_once()

    clean(service.parts, LIVES, now() + 100 * DAY)

    assert service.left(job) == set()
    assert {info.key for info in store.list("")} == {"scans/a.jpg", "done/a.jpg"}


def test_what_an_interrupted_submission_has_left_goes_after_a_day(service):
    job = layout.new_job_id(now())
    service.parts.store.put_bytes(layout.upload_key(job, "a.jpg"), b"x")
    assert not clean(service.parts, LIVES, now() + 0.9 * DAY)
    assert clean(service.parts, LIVES, now() + 1.1 * DAY)
    assert service.left(job) == set()


def test_what_killed_workers_have_left_goes_unless_their_job_is_unfinished(service):
    store = service.parts.store
    job, gone = service.submit(), layout.new_job_id(now())
    paths = [store.staging_path(f"{one}.0001.part") for one in (job, gone)]
    for path in paths:
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    assert clean(service.parts, LIVES).staged == 1
    assert [path.exists() for path in paths] == [True, False]


def test_a_removal_that_was_interrupted_is_finished_the_next_time(service, monkeypatch):
    job = service.finished()
    store, later = service.parts.store, now() + 9 * DAY
    delete, calls = store.delete, []

    def fail_at_the_third(key, **options):
        calls.append(key)
        if len(calls) == 3:
            raise StoreError("the store is away")
        delete(key, **options)

    with monkeypatch.context() as patch:
        patch.setattr(store, "delete", fail_at_the_third)
        with pytest.raises(StoreError):
            clean(service.parts, LIVES, later)
    assert service.left(job)
    with pytest.raises(JobNotFoundError):
        service.client.manifest(job)

    clean(service.parts, LIVES, later)
    assert service.left(job) == set()


def test_what_is_about_to_go_is_lent_to_no_further_job(service, lent, monkeypatch):
    job = service.finished()
    uri = service.parts.store.uri(service.client.result(job).output.key)
    soon = now() + 4 * DAY - timedelta(seconds=MARGIN_S)
    lent.submit(uri, service.edges)
    monkeypatch.setattr("pipeline.submitting.submission.now", lambda: soon)
    with pytest.raises(ObjectNotFoundError, match="kept for 4 days"):
        lent.submit(uri, service.edges)


def test_a_job_whose_input_is_about_to_go_is_not_retried(service, lent, monkeypatch):
    job = service.submit()
    lent.cancel(job)
    monkeypatch.setattr("pipeline.client_sides.steering.now", lambda: now() + 2 * DAY)
    with pytest.raises(ObjectNotFoundError, match="upload it again"):
        lent.retry(job)
    monkeypatch.undo()
    assert lent.retry(job).state is JobState.QUEUED


def test_jobs_that_come_and_end_while_all_is_cleaned_away_are_all_done(service, monkeypatch):
    # The cleaner lives a hundred days ahead, where a submission under way seems to have been left.
    monkeypatch.setattr(cleaner, "ABANDONED_S", 200 * DAYS)
    runner = service.runner(service.stage)
    ended = threading.Event()
    removed = []

    def clean_all_the_time():
        while not ended.is_set():
            removed.append(sum(clean(service.parts, LIVES, now() + 100 * DAY).objects.values()))

    thread = threading.Thread(target=clean_all_the_time)
    thread.start()
    try:
        jobs = []
        for _ in range(15):
            jobs += [service.submit(), service.submit()]
            assert runner.work_once()
        while runner.work_once():
            pass
    finally:
        ended.set()
        thread.join()
    assert {service.parts.board.get(job).state for job in jobs} == {JobState.SUCCEEDED}
    # Of a job that ended in the middle of a round there are uploads left, but no records.
    clean(service.parts, LIVES, now() + 300 * DAY)
    assert list(service.parts.store.list("")) == []
    assert sum(removed)


@given(
    lives=st.lists(st.sampled_from([0.0, 1.0, 5.0]), min_size=4, max_size=4),
    age_s=st.floats(0, 20),
)
def test_records_outlive_what_they_tell_of(lives, age_s):
    retention, at = Retention(*lives), now()
    over = {kind for kind in Kind if retention.is_over(kind, at - timedelta(seconds=age_s), at)}
    assert Kind.RECORD not in over or over == set(Kind)
    assert (not over) or age_s >= retention.shortest_s > 0
