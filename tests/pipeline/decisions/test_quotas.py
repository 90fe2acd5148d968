"""A full queue says no before anything is written, and when to come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.errors import MissingInputError
from pipeline.client import Client
from pipeline.decisions.quotas import LATEST_S, SOONEST_S, UNKNOWN_S, Limits, come_back_s
from pipeline.errors import InvalidJobError, QueueUnavailableError, QuotaError
from pipeline.models import Lane, Share
from pipeline.redis import keys
from pipeline.redis.queue import RedisQueue

PHOTO_PIXELS = 512 * 512


@pytest.fixture
def limited(parts, settings):
    """Give a client with room for two photographs of each user."""
    return Client(parts, settings.model_copy(update={"user_queued_pixels": 2 * PHOTO_PIXELS}))


def test_a_refused_submission_leaves_nothing_behind(limited, parts, photo, edges):
    jobs = [limited.submit(photo, edges).id for _ in range(2)]
    before = sorted(info.key for info in parts.store.list(""))
    with pytest.raises(QuotaError, match=f"limit of {2 * PHOTO_PIXELS}") as refused:
        limited.submit(photo, edges)
    assert refused.value.retryable
    assert refused.value.retry_after_s > 0
    assert sorted(info.key for info in parts.store.list("")) == before
    assert {job.id for job in limited.jobs()} == set(jobs)


def test_there_is_room_again_when_a_job_has_ended(limited, make_runner, stage, photo, edges):
    for _ in range(2):
        limited.submit(photo, edges)
    assert make_runner(stage).work_once()
    limited.submit(photo, edges)
    with pytest.raises(QuotaError):
        limited.submit(photo, edges)


def test_others_have_room_of_their_own(limited, photo, edges):
    for user in ("ada", "bob"):
        for _ in range(2):
            limited.submit(photo, edges, user=user)


def test_the_same_key_again_takes_no_more_room(limited, photo, edges):
    jobs = {limited.submit(photo, edges, key="k").id for _ in range(5)}
    assert len(jobs) == 1


def test_a_submission_that_fails_gives_its_place_back(limited, parts, tmp_path, photo, edges):
    for _ in range(5):
        with pytest.raises(MissingInputError):
            limited.submit(tmp_path / "none.png", edges)
    assert parts.queue.depth(Lane.SINGLE) == 0
    limited.submit(photo, edges)


def test_an_image_that_would_never_fit_is_refused_for_good(parts, settings, photo, edges):
    client = Client(parts, settings.model_copy(update={"user_queued_pixels": PHOTO_PIXELS - 1}))
    with pytest.raises(InvalidJobError, match="cut it into parts"):
        client.submit(photo, edges)


def test_of_many_submissions_those_that_fit_are_accepted(limited, photo, edges):
    with pytest.raises(QuotaError):
        limited.submit_many([limited.order(photo, edges) for _ in range(5)])
    assert len(limited.jobs()) == 2


def test_without_an_answer_from_the_queue_nothing_is_let_in_where_there_are_limits(
    limited, parts, monkeypatch, photo, edges
):
    def away(*_):
        raise QueueUnavailableError("Redis does not answer")

    monkeypatch.setattr(parts.queue, "admit", away)
    with pytest.raises(QueueUnavailableError):
        limited.submit(photo, edges)
    assert list(parts.store.list("")) == []


def test_the_time_to_come_back_follows_from_how_fast_the_queue_empties(redis_client):
    queue = RedisQueue(redis_client)
    share = Share(user="ada", pixels=1000)
    for number in range(12):
        queue.enqueue(Lane.SINGLE, f"j{number}", share=share)
    for _ in range(2):
        queue.release(queue.claim(Lane.SINGLE, "w", 0))
    # Ten jobs later, twenty seconds have gone by.
    seconds, microseconds = redis_client.time()
    began_ms = (seconds - 20) * 1000 + microseconds // 1000
    redis_client.hset(keys.turn(Lane.SINGLE), mapping={"since": began_ms, "left": 9, "left_px": 9000})
    queue.release(queue.claim(Lane.SINGLE, "w", 0))

    with pytest.raises(QuotaError) as refused:
        queue.admit(Lane.SINGLE, "more", Share(user="ada", pixels=6000), Limits(user_pixels=10_000))
    assert refused.value.retry_after_s == pytest.approx(5000 / 500, rel=0.1)
    with pytest.raises(QuotaError) as refused:
        queue.admit(Lane.SINGLE, "more", Share(user="bob"), Limits(jobs=9))
    assert refused.value.retry_after_s == pytest.approx(1 / 0.5, rel=0.1)


@given(excess=st.floats(0, 1e15), per_s=st.floats(0, 1e12))
def test_the_time_to_come_back_is_neither_at_once_nor_tomorrow(excess, per_s):
    after_s = come_back_s(excess, per_s)
    assert SOONEST_S <= after_s <= LATEST_S
    assert per_s or after_s == UNKNOWN_S
