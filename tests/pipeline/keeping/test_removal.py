"""A job goes when somebody asks for it, and never with what an unfinished job needs."""

from datetime import timedelta

import pytest

from pipeline import layout
from pipeline.decisions.people import Person
from pipeline.decisions.retention import Retention
from pipeline.errors import JobNotFoundError, JobStateError, ObjectNotFoundError, StoreError
from pipeline.keeping import removal
from pipeline.keeping.cleaner import clean
from pipeline.models import JobState, now


def test_nothing_of_a_deleted_job_stays_and_its_idempotency_key_is_free_again(service):
    job, other = service.finished(key="k"), service.finished()
    service.parts.store.put_bytes(f"{layout.bands_prefix(job, 1)}band-1", b"left over")
    kept = service.left(other)

    service.client.delete(job)

    assert service.left(job) == set()
    assert service.left(other) == kept
    assert [status.id for status in service.client.jobs()] == [other]
    with pytest.raises(JobNotFoundError):
        service.client.status(job)
    assert service.submit(key="k") != job


def test_a_job_that_has_not_ended_stays(service):
    job = service.submit()
    before = service.left(job)
    with pytest.raises(JobStateError, match="cancel it first"):
        service.client.delete(job)
    assert service.left(job) == before


def test_a_job_that_was_cancelled_while_it_waited_goes_at_once_and_nobody_takes_it_up(service):
    job = service.submit()
    service.client.cancel(job)
    service.client.delete(job)
    assert service.runner(service.stage).work_once()
    assert service.left(job) == set()
    assert service.client.jobs() == []


@pytest.mark.parametrize("mark", [layout.open_key, layout.outbox_key])
def test_a_job_that_somebody_has_still_to_settle_or_to_be_told_of_stays(service, mark):
    job = service.finished()
    service.parts.store.put_bytes(mark(job), b"")
    with pytest.raises(JobStateError, match="try again in a moment"):
        service.client.delete(job)
    assert layout.result_key(job) in service.left(job)


def test_what_another_unfinished_job_reads_stays(service):
    first = service.finished()
    output = service.client.result(first).output.key
    second = service.client.submit(service.parts.store.uri(output), service.edges).id
    before = service.left(first)

    with pytest.raises(JobStateError, match=second):
        service.client.delete(first)

    assert service.left(first) == before
    assert service.runner(service.stage).work_once()
    service.client.delete(first)
    assert service.left(first) == set()


@pytest.mark.parametrize(
    "submit",
    [
        lambda client, order: client.submit(order.input, order.steps),
        lambda client, order: client.submit_many([order]),
    ],
    ids=["one", "many"],
)
def test_of_a_submission_and_a_removal_at_the_same_time_the_submission_gives_way(service, submit):
    """The removal has looked at the unfinished jobs already, and its mark is all that there is of it."""
    first = service.finished()
    uri = service.parts.store.uri(service.client.result(first).output.key)
    service.parts.store.put_bytes(layout.removal_key(first), b"")

    with pytest.raises(ObjectNotFoundError, match="being removed"):
        submit(service.client, service.client.order(uri, service.edges))

    assert not service.runner(service.stage).work_once()


def test_a_job_that_is_being_removed_is_not_retried(service):
    job = service.submit()
    service.client.cancel(job)
    service.parts.store.put_bytes(layout.removal_key(job), b"")
    with pytest.raises(JobStateError, match="being removed"):
        service.client.retry(job)
    assert service.client.status(job).state is JobState.CANCELLED


def test_a_removal_that_was_interrupted_anywhere_is_taken_up_and_leaves_nothing(service, monkeypatch):
    deleted = 0

    def failing(key, **_more):
        nonlocal deleted
        deleted += 1
        if deleted == after:
            raise StoreError("the power is gone")
        delete(key)

    delete = service.parts.store.delete
    after, done = 0, False
    while not done:
        after, deleted = after + 1, 0
        job = service.finished()
        with monkeypatch.context() as patch:
            patch.setattr(service.parts.store, "delete", failing)
            try:
                service.client.delete(job)
                done = True
            except StoreError:
                assert layout.removal_key(job) in service.left(job)
        clean(service.parts, Retention(), now() + timedelta(days=1))
        assert service.left(job) == set()
    assert after >= 5


def test_another_users_job_is_not_there_to_be_deleted(service):
    job = service.finished()
    stranger = service.client.acting_for(Person("mallory"))
    with pytest.raises(JobNotFoundError):
        stranger.delete(job)
    assert layout.result_key(job) in service.left(job)


def test_data_goes_before_the_records_that_tell_of_it():
    job = "20300101-000000-abcdefghij"
    keys = [
        layout.removal_key(job),
        layout.result_key(job),
        layout.manifest_key(job),
        layout.attempt_key(job, 1),
        layout.output_key(job, 1, "a.tif"),
        layout.upload_key(job, "a.tif"),
    ]
    assert sorted(keys, key=removal._turn) == [keys[4], keys[5], *reversed(keys[:4])]


def test_a_removal_that_is_taken_up_leaves_the_idempotency_key_of_a_later_job_alone(service, monkeypatch):
    job = service.finished(key="k")
    with monkeypatch.context() as patched:

        def interrupted(*_):
            raise StoreError("the store went away")

        patched.setattr(removal, "remove_all", interrupted)
        with pytest.raises(StoreError):
            service.client.delete(job)
    later = service.submit(key="k")
    assert later != job

    clean(service.parts, Retention(), now() + timedelta(days=1))

    assert service.left(job) == set()
    assert service.submit(key="k") == later
