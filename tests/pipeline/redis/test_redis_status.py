"""How long statuses stay in Redis."""

from datetime import UTC, datetime

from pipeline.models import JobState, JobStatus, Lane
from pipeline.redis import keys
from pipeline.redis.connection import connect
from pipeline.redis.status import RedisStatusBoard


def status(state, attempt=1, job="a", user="local"):
    return JobStatus(
        id=job,
        user=user,
        state=state,
        attempt=attempt,
        lane=Lane.SINGLE,
        input_name="x",
        pipeline="invert",
        created_at=datetime.now(UTC),
    )


def test_only_finished_jobs_expire_and_a_retry_makes_them_stay(redis_client):
    board = RedisStatusBoard(redis_client, finished_ttl_s=1000)
    board.put(status(JobState.RUNNING))
    assert redis_client.ttl(keys.status("a")) == -1
    board.put(status(JobState.FAILED))
    assert 990 < redis_client.ttl(keys.status("a")) <= 1000
    board.reset(status(JobState.QUEUED))
    assert redis_client.ttl(keys.status("a")) == -1


def test_expired_jobs_leave_the_lists(redis_client):
    board = RedisStatusBoard(redis_client)
    for number in range(10):
        board.put(status(JobState.SUCCEEDED, job=f"j{number}"))
    for number in range(1, 10, 2):
        redis_client.delete(keys.status(f"j{number}"))
    assert [job.id for job in board.list(limit=3)] == ["j8", "j6", "j4"]
    assert [job.id for job in board.list(user="local")] == ["j8", "j6", "j4", "j2", "j0"]
    assert redis_client.zcard(keys.jobs("local")) == 5


def test_a_server_that_has_started_again_is_not_taken_for_whole(own_redis):
    client = connect(own_redis.url)
    board = RedisStatusBoard(client)
    assert not board.is_whole()
    board.mark_whole()
    assert board.is_whole()

    own_redis.restart()
    assert not board.is_whole()
    board.mark_whole()
    assert board.is_whole()
    client.flushall()
    assert not board.is_whole()
    client.close()


def test_requests_to_stop_expire(redis_client):
    board = RedisStatusBoard(redis_client, cancel_ttl_s=50)
    board.request_cancel("a")
    assert 0 < redis_client.ttl(keys.cancel("a")) <= 50


def test_of_a_job_in_trouble_whose_status_has_expired_nothing_is_listed(redis_client):
    board = RedisStatusBoard(redis_client)
    for job in ("a", "b"):
        board.put(status(JobState.DEAD, job=job).model_copy(update={"finished_at": datetime.now(UTC)}))
    redis_client.delete(keys.status("a"))
    assert [job.id for job in board.in_trouble(JobState.DEAD)] == ["b"]
    assert redis_client.zcard(keys.trouble(JobState.DEAD)) == 1
