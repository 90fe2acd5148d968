"""What the news tell, whether step by step or in one round trip."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.memory.board import MemoryBoard
from pipeline.memory.bus import MemoryBus
from pipeline.memory.ledger import MemoryLedger
from pipeline.memory.queue import MemoryQueue
from pipeline.models import Backlog, JobState, JobStatus, Lane, Load, RankProgress
from pipeline.records.news import News
from pipeline.redis.events import RedisEventBus
from pipeline.redis.ledger import RedisLedger
from pipeline.redis.news import RedisNews
from pipeline.redis.queue import RedisQueue
from pipeline.redis.status import RedisStatusBoard


@pytest.fixture(params=["memory", "redis", "redis without scripts"])
def news(request):
    if request.param == "memory":
        return News(MemoryQueue(), MemoryBoard(), MemoryBus(), MemoryLedger())
    client = request.getfixturevalue("redis_client")
    bus = RedisEventBus(request.getfixturevalue("redis_server").url)
    if request.param == "redis without scripts":
        client.script_flush()
    return RedisNews(client, RedisQueue(client), RedisStatusBoard(client), bus, RedisLedger(client))


def status(job="a", state=JobState.QUEUED, **values):
    return JobStatus(
        id=job,
        state=state,
        lane=values.pop("lane", Lane.SINGLE),
        input_name="ä b.tif",
        pipeline="invert",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        **values,
    )


def test_a_status_is_put_on_the_board_and_told_to_both_kinds_of_listeners(news):
    ears = [news.bus.subscribe("a"), news.bus.subscribe()]
    told = status(state=JobState.RUNNING, attempt=1, error="Grüße ☂", rows_total=7)

    news.tell(told, "progress")

    assert news.board.get("a") == told
    for ear in ears:
        event = ear.next(5)
        assert (event.job_id, event.type, event.status) == ("a", "progress", told)
        assert ear.next(0) is None
        ear.close()


def test_an_event_is_named_after_its_state_unless_said_otherwise(news):
    ears = [news.bus.subscribe(), news.bus.subscribe_endings()]
    news.tell(status(state=JobState.FAILED, attempt=1))
    for ear in ears:
        assert ear.next(5).type == "failed"
        ear.close()


def test_a_stale_status_does_not_replace_a_newer_one_on_the_board(news):
    newer = status(state=JobState.RUNNING, attempt=2)
    news.tell(newer)
    news.tell(status(state=JobState.RUNNING, attempt=1))
    assert news.board.get("a") == newer


def test_accepted_jobs_are_told_of_and_can_be_claimed_by_lane_and_priority(news):
    ear = news.bus.subscribe()
    news.queued([status("a"), status("b", priority=1), status("c", lane=Lane.GANG)])
    assert [ear.next(5).job_id for _ in range(3)] == ["a", "b", "c"]
    assert [news.queue.claim(Lane.SINGLE, "w", 0).job_id for _ in range(2)] == ["b", "a"]
    assert news.queue.claim(Lane.GANG, "w", 0).job_id == "c"
    assert news.board.get("b").priority == 1
    ear.close()


def test_a_job_that_waits_once_more_is_told_of_and_queued_whatever_was_known_of_it(news):
    news.tell(status(state=JobState.FAILED, attempt=2))
    ear = news.bus.subscribe()
    again = status(attempt=2, lane=Lane.GANG, load=Load(pixels=1000, core_s=2.0))
    for _ in range(2):
        news.again(again)
    assert [ear.next(5).type for _ in range(2)] == ["queued", "queued"]
    assert news.board.get("a") == again
    assert [news.queue.depth(lane) for lane in (Lane.SINGLE, Lane.GANG)] == [0, 1]
    assert news.ledger.backlog(Lane.GANG).todo == again.load
    ear.close()


def test_no_accepted_jobs_are_nothing_to_tell(news):
    news.queued([])
    assert news.board.list() == []


def test_a_job_that_has_ended_is_told_of_and_out_of_the_queue(news):
    news.queued([status()])
    claim = news.queue.claim(Lane.SINGLE, "w", 0)
    news.ended(status(state=JobState.SUCCEEDED, attempt=1), claim)
    assert news.board.get("a").state is JobState.SUCCEEDED
    assert not news.queue.contains("a")


LOAD = Load(pixels=1000, core_s=2.0)


def test_the_work_of_a_job_is_counted_until_its_end_and_then_as_done(news):
    news.queued([status(load=LOAD), status("b", load=LOAD)])
    assert news.ledger.backlog(Lane.SINGLE).todo == Load(pixels=2000, core_s=4.0)
    claim = news.queue.claim(Lane.SINGLE, "w", 0)
    started = datetime(2026, 1, 1, tzinfo=UTC)
    ranks = [RankProgress(rank=rank, rows_done=1, rows_total=1) for rank in range(2)]
    times = {"started_at": started, "finished_at": started + timedelta(seconds=3), "ranks": ranks}

    news.ended(status(state=JobState.SUCCEEDED, attempt=1, **times), claim)

    assert news.ledger.backlog(Lane.SINGLE) == Backlog(todo=LOAD, done=LOAD, spent_s=6.0)


def test_the_work_of_a_job_that_failed_is_dropped_and_its_retries_are_counted(news):
    news.queued([status(load=LOAD)])
    claim = news.queue.claim(Lane.SINGLE, "w", 0)
    news.tell(status(state=JobState.RETRYING, attempt=1))
    news.ended(status(state=JobState.FAILED, attempt=2), claim)
    assert news.ledger.backlog(Lane.SINGLE) == Backlog(retries=1)
