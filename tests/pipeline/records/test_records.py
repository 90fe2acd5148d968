"""What the records of a job say after a machine has lost its power."""

import pytest

from pipeline import layout
from pipeline.errors import ServiceError
from pipeline.models import AttemptRecord, Lane, Manifest, ObjectRef
from pipeline.records.jobs import JobRecords
from pipeline.stores.memory import MemoryStore

JOB = "20260101-000000-abcdefghjk"


@pytest.fixture
def records():
    return JobRecords(MemoryStore(b"secret", "http://localhost"))


@pytest.mark.parametrize("left", [b"", bytes(200), b'{"job_id": "2026'])
def test_an_attempt_of_which_a_name_is_left_counts_as_one_whose_worker_died(records, left):
    records.store.put_bytes(layout.attempt_key(JOB, 1), left)
    history = records.history(JOB)
    assert [one.worker for one in history.attempts] == ["unknown"]
    assert (history.highest, history.deaths(2)) == (1, 1)


def test_the_next_attempt_has_a_number_of_its_own(records):
    records.store.put_bytes(layout.attempt_key(JOB, 1), b"")
    assert isinstance(records.start_attempt(JOB, "worker", 0), AttemptRecord)
    assert records.history(JOB).highest == 2


def test_a_manifest_of_a_newer_release_is_not_taken_for_one_of_this(records):
    manifest = Manifest(
        id=JOB,
        input=ObjectRef(key="uploads/a.tif", size_bytes=1, generation="1"),
        input_name="a.tif",
        steps=[{"op": "invert"}],
        lane=Lane.SINGLE,
        memory_bytes=1 << 30,
        output_key=f"jobs/{JOB}/output",
        output_name="a.tif",
    )
    newer = manifest.model_dump_json().replace('"version":1', '"version":2')
    records.store.put_bytes(layout.manifest_key(JOB), newer.encode())
    with pytest.raises(ServiceError, match=r"of version 2, .* up to version 1.*Upgrade"):
        records.manifest(JOB)
