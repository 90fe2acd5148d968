"""What the records of a job say after a machine has lost its power."""

import pytest

from pipeline import layout
from pipeline.models import AttemptRecord
from pipeline.records import JobRecords
from pipeline.stores.memory import MemoryStore

JOB = "20260101-000000-abcdef0123"


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
