"""The commit of a result: one becomes visible, whatever comes between its check and its write."""

import pytest

from pipeline import layout
from pipeline.errors import RunCancelledError, StaleFenceError
from pipeline.images.trees import reference_to
from pipeline.models import Lane, Manifest, ObjectRef, Result
from pipeline.records.commit import commit, publish
from pipeline.records.jobs import JobRecords
from pipeline.stores.memory import MemoryStore

JOB = "20260101-000000-abcdefghjk"


class Overtaken(JobRecords):
    """Records whose holder is stopped after its check, for as long as a rival takes to commit."""

    rival: Result | None = None

    def commit(self, result):
        if self.rival is not None:
            super().commit(self.rival)
        super().commit(result)


@pytest.fixture
def records():
    return Overtaken(MemoryStore(b"secret", "http://localhost"))


def made_by(records, attempt):
    """Return the result of an attempt whose output is in the store."""
    output = reference_to(records.store.put_bytes(layout.output_key(JOB, attempt, "a.tif"), b"pixels"))
    return Result(
        job_id=JOB, attempt=attempt, output=output, output_name="a.tif", pixels_sha256="d1ce", report={}
    )


def is_there(records, result):
    return any(info.key == result.output.key for info in records.store.list(""))


def test_the_result_of_a_cancelled_job_is_refused_and_its_output_dropped(records):
    late = made_by(records, 1)
    records.cancel(JOB)
    with pytest.raises(RunCancelledError, match="was cancelled"):
        commit(records, late)
    assert records.result(JOB) is None
    assert not is_there(records, late)


def test_an_attempt_that_comes_after_another_has_begun_is_refused_and_its_output_dropped(records):
    late = made_by(records, 1)
    for _ in range(2):
        records.start_attempt(JOB, "worker", 0)
    with pytest.raises(StaleFenceError, match=r"attempt 1 .* after a newer one had begun"):
        commit(records, late)
    assert records.result(JOB) is None
    assert not is_there(records, late)


def test_an_attempt_that_a_newer_one_overtakes_after_its_check_leaves_the_newer_s_result(records):
    late, records.rival = made_by(records, 1), made_by(records, 2)
    with pytest.raises(StaleFenceError, match=r"attempt 1 .* after a newer one had committed"):
        commit(records, late)
    assert records.result(JOB) == records.rival
    assert (is_there(records, late), is_there(records, records.rival)) == (False, True)


def test_an_attempt_whose_job_an_earlier_one_has_ended_gets_that_one_s_result_and_drops_its_own(records):
    records.rival, later = made_by(records, 1), made_by(records, 2)
    assert commit(records, later) == records.rival
    assert (is_there(records, later), is_there(records, records.rival)) == (False, True)


def test_a_result_that_is_committed_again_is_the_same_and_keeps_its_output(records):
    result = made_by(records, 1)
    assert commit(records, result) == result
    assert commit(records, result) == result
    assert is_there(records, result)


@pytest.mark.parametrize("place", ["out/a.tif", f"{layout.job_prefix(JOB)}output"])
def test_a_result_lies_in_the_place_that_was_asked_for_and_is_not_copied_without_one(records, place):
    result = made_by(records, 1)
    manifest = Manifest(
        id=JOB,
        input=ObjectRef(key="uploads/a.tif", size_bytes=1, generation="1"),
        input_name="a.tif",
        steps=[{"op": "invert"}],
        lane=Lane.SINGLE,
        memory_bytes=1 << 30,
        output_key=place,
        output_name="a.tif",
    )
    for _ in range(2):  # reconciliation may do it once more
        publish(records.store, manifest, result)
    asked_for = {place: b"pixels"} if place == "out/a.tif" else {}
    found = {info.key: records.store.get_bytes(info.key) for info in records.store.list("")}
    assert found == {result.output.key: b"pixels", **asked_for}
