"""A holder that was stopped past its lease, wherever that was, changes nothing when it goes on."""

import dataclasses

import pytest

from mpi_stage.errors import DamagedInputError
from pipeline import layout
from pipeline.models import JobState, Lane

PLACE = "mine/out.png"
BAND_BYTES = 64 << 10


class Watched:
    """A store that does something once, before or after an object of a certain name is written."""

    def __init__(self, store, name, *, before=None, after=None):
        self._store, self._name = store, name
        self._before, self._after = before, after

    def __getattr__(self, name):
        return getattr(self._store, name)

    def put_bytes(self, key, data, **options):
        due = key.endswith(self._name)
        before, after = (self._before, self._after) if due else (None, None)
        if due:
            self._before = self._after = None
        if before:
            before()
        info = self._store.put_bytes(key, data, **options)
        if after:
            after()
        return info


class Failing:
    """A stage that finds every input damaged."""

    def run(self, *_, **__):
        raise DamagedInputError("the file ends in the middle")


@pytest.fixture
def stopped(service):
    """Give a maker of runners that are stopped at an object, while ``others`` do what they like."""

    def make(name, stage=None, **acts):
        store = Watched(service.parts.store, name, **acts)
        parts = dataclasses.replace(service.parts, store=store, heartbeat_s=1000.0)
        return service.runner(stage or service.stage, using=parts)

    return make


def outputs(service, job):
    return [info.key for info in service.parts.store.list(f"jobs/{job}/output-")]


def rival(service):
    """Return what takes over an attempt whose lease has run out."""
    runner = service.runner(service.stage)

    def work():
        service.clock.at_s += 100.0
        assert runner.work_once()

    return work


def test_one_that_was_stopped_between_its_check_and_its_commit_is_refused(service, stopped):
    job = service.submit(output=service.parts.store.uri(PLACE))
    overtake = rival(service)

    def others():
        overtake()
        service.parts.store.put_bytes(PLACE, b"what the user made of it")

    stopped("result.json", before=others).work_once()

    result = service.client.result(job)
    assert result.attempt == 2
    assert outputs(service, job) == [result.output.key]
    assert service.parts.store.get_bytes(PLACE) == b"what the user made of it"
    assert service.parts.records.history(job).outcomes[1].counts is False


def test_one_that_was_stopped_after_its_commit_does_not_publish_again(service, stopped):
    job = service.submit(output=service.parts.store.uri(PLACE))
    overtake = rival(service)

    def others():
        overtake()
        assert service.parts.store.get_bytes(PLACE).startswith(b"\x89PNG")
        service.parts.store.put_bytes(PLACE, b"what the user made of it")

    stopped("result.json", after=others).work_once()

    assert service.client.result(job).attempt == 1
    assert service.parts.store.get_bytes(PLACE) == b"what the user made of it"


def test_one_that_was_stopped_after_it_had_failed_leaves_a_retry_alone(service, stopped):
    job = service.submit()
    bands = f"{layout.bands_prefix(job, 2)}journal-000000"

    def others():
        rival(service)()
        assert service.client.status(job).state is JobState.FAILED
        service.client.retry(job)
        service.parts.store.put_bytes(bands, b"of the next attempt")

    stopped("failed.json", Failing(), after=others).work_once()

    assert service.parts.records.is_open(job)
    assert service.client.status(job).state is JobState.QUEUED
    assert service.parts.store.stat(bands) is not None


def test_one_that_was_stopped_before_its_attempt_begins_none(service):
    job = service.submit()
    late = service.runner(service.stage, using=dataclasses.replace(service.parts, heartbeat_s=1000.0))
    claim = service.parts.queue.claim(Lane.SINGLE, "late", 0.0)
    service.clock.at_s += 100.0
    assert service.parts.queue.claim(Lane.SINGLE, "rival", 0.0)

    late.work(claim)

    assert service.parts.records.history(job).highest == 0


def test_one_whose_failure_comes_after_a_rival_began_ends_nothing(service, stopped):
    job = service.submit()
    records = service.parts.records

    others = stopped(
        "attempt-0001.outcome.json", Failing(), after=lambda: records.start_attempt(job, "rival", 1)
    )
    others.work_once()

    assert records.ending(job) is None
    assert records.is_open(job)


def test_one_whose_bands_a_rival_has_taken_over_says_so_and_is_not_to_blame(service):
    job = service.submit(format="tiff")

    class Overtaken:
        def run(self, request, **options):
            report = service.stage.run(request, **options)
            service.clock.at_s += 100.0
            assert service.runner(service.stage, band_bytes=BAND_BYTES).work_once()
            return report

    slow = dataclasses.replace(service.parts, heartbeat_s=1000.0)
    service.runner(Overtaken(), using=slow, band_bytes=BAND_BYTES).work_once()

    result = service.client.result(job)
    assert (result.attempt, outputs(service, job)) == (2, [result.output.key])
    assert result.report["ranks"][0]["bands_reused"] > 1
    outcome = service.parts.records.history(job).outcomes[1]
    assert (outcome.kind, outcome.retryable, outcome.counts) == ("OutputTakenError", True, False)
    assert "a newer attempt has taken its bands over" in outcome.message
