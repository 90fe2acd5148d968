"""What every status board does, whatever it stands on."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.memory.board import MemoryBoard
from pipeline.models import (
    Backlog,
    ClusterStatus,
    JobState,
    JobStatus,
    Lane,
    LaneStatus,
    Load,
    NodeStatus,
)
from pipeline.redis.status import RedisStatusBoard

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", "redis"])
def board(request):
    if request.param == "memory":
        return MemoryBoard()
    return RedisStatusBoard(request.getfixturevalue("redis_client"))


def status(state, attempt=1, job="a", **values):
    values = {"created_at": START, "lane": Lane.SINGLE, "input_name": "x.tif", "pipeline": "invert"} | values
    return JobStatus(id=job, state=state, attempt=attempt, **values)


def test_an_unknown_job_has_no_status(board):
    assert board.get("a") is None
    assert board.list() == []


def test_a_status_comes_back_as_it_was_put(board):
    put = status(JobState.RUNNING, rows_done=3, rows_total=10, worker="w", error="Grüße ☂", user="Ada L.")
    board.put(put)
    assert board.get("a") == put


def test_the_newest_jobs_are_listed_first_up_to_the_limit(board):
    for number in [2, 0, 4, 1, 3]:
        board.put(status(JobState.QUEUED, job=f"j{number}", created_at=START + timedelta(seconds=number)))
    assert [job.id for job in board.list(limit=3)] == ["j4", "j3", "j2"]
    assert [job.id for job in board.list()] == ["j4", "j3", "j2", "j1", "j0"]
    assert board.list(limit=0) == []


def test_a_user_s_list_holds_only_their_jobs(board):
    board.put(status(JobState.QUEUED, job="a", user="ada"))
    board.put(status(JobState.QUEUED, job="b", user="bob"))
    assert [job.id for job in board.list(user="ada")] == ["a"]
    assert board.list(user="eve") == []


def test_a_deleted_job_is_forgotten_everywhere(board):
    board.put(status(JobState.QUEUED, user="ada"))
    board.request_cancel("a")
    board.delete("a")
    board.delete("a")
    assert board.get("a") is None
    assert board.list() == board.list(user="ada") == []
    assert not board.cancel_requested("a")


@pytest.mark.parametrize(
    ("known", "new"),
    [
        (status(JobState.RUNNING, 2), status(JobState.RUNNING, 1)),
        (status(JobState.RUNNING, 2), status(JobState.FAILED, 1)),
        (status(JobState.RUNNING, 1), status(JobState.QUEUED, 0)),
        (status(JobState.SUCCEEDED, 1), status(JobState.RUNNING, 1)),
        (status(JobState.SUCCEEDED, 1), status(JobState.RUNNING, 2)),
        (status(JobState.SUCCEEDED, 1), status(JobState.CANCELLED, 1)),
        (status(JobState.FAILED, 1), status(JobState.RUNNING, 1)),
        (status(JobState.CANCELLED, 1), status(JobState.RETRYING, 1)),
        (status(JobState.DEAD, 3), status(JobState.RUNNING, 3)),
    ],
    ids=lambda value: f"{value.state.value}-{value.attempt}",
)
def test_a_stale_status_does_not_replace_a_newer_one(board, known, new):
    board.put(known)
    board.put(new)
    assert board.get("a") == known


@pytest.mark.parametrize(
    ("known", "new"),
    [
        (status(JobState.QUEUED, 0), status(JobState.RUNNING, 1)),
        (status(JobState.RUNNING, 1), status(JobState.RUNNING, 1, rows_done=5)),
        (status(JobState.RUNNING, 1), status(JobState.RETRYING, 1)),
        (status(JobState.RETRYING, 1), status(JobState.RUNNING, 2)),
        (status(JobState.RUNNING, 1), status(JobState.SUCCEEDED, 1)),
        (status(JobState.FAILED, 1), status(JobState.RUNNING, 2)),
        (status(JobState.FAILED, 1), status(JobState.DEAD, 1)),
        # A result exists, whichever attempt made it: that is the end of the story.
        (status(JobState.RUNNING, 2), status(JobState.SUCCEEDED, 1)),
        (status(JobState.CANCELLED, 1), status(JobState.SUCCEEDED, 1)),
    ],
    ids=lambda value: f"{value.state.value}-{value.attempt}",
)
def test_a_newer_status_replaces_an_older_one(board, known, new):
    board.put(known)
    board.put(new)
    assert board.get("a") == new


def test_a_reset_writes_whatever_is_there(board):
    board.put(status(JobState.SUCCEEDED, 3))
    board.reset(status(JobState.QUEUED, 0))
    assert board.get("a").state is JobState.QUEUED


def test_a_request_to_stop_stands_until_it_is_taken_back(board):
    assert not board.cancel_requested("a")
    board.request_cancel("a")
    board.request_cancel("a")
    assert board.cancel_requested("a")
    assert not board.cancel_requested("b")
    board.clear_cancel("a")
    board.clear_cancel("a")
    assert not board.cancel_requested("a")


def test_how_the_cluster_is_can_be_read_by_others(board):
    assert board.cluster() is None
    lanes = {Lane.SINGLE: LaneStatus(waiting=3, backlog=Backlog(todo=Load(pixels=9, core_s=1.5)))}
    node = NodeStatus(id="f0", address="10.0.0.1", state="kept", cores=16, ranks=4)
    cluster = ClusterStatus(nodes=[node], nodes_wanted=2, nodes_max=8, lanes=lanes)
    board.put_cluster(cluster)
    assert board.cluster() == cluster


def ended(state, seconds, job):
    return status(state, job=job, finished_at=START + timedelta(seconds=seconds))


def test_jobs_in_trouble_are_listed_by_their_ends_until_they_are_tried_again(board):
    for put in [
        ended(JobState.DEAD, 1, "old"),
        ended(JobState.FAILED, 3, "new"),
        ended(JobState.SUCCEEDED, 4, "well"),
        ended(JobState.CANCELLED, 4, "stopped"),
        ended(JobState.DEAD, 2, "again"),
    ]:
        board.put(put)
    assert [job.id for job in board.in_trouble(JobState.FAILED)] == ["new"]
    assert [job.id for job in board.in_trouble(JobState.DEAD)] == ["again", "old"]
    assert [job.id for job in board.in_trouble(JobState.DEAD, limit=1)] == ["again"]
    since = START + timedelta(seconds=2)
    assert [job.id for job in board.in_trouble(JobState.DEAD, since=since)] == ["again"]

    board.reset(status(JobState.QUEUED, job="again"))
    board.delete("new")
    assert board.in_trouble(JobState.FAILED) == []
    assert [job.id for job in board.in_trouble(JobState.DEAD)] == ["old"]
