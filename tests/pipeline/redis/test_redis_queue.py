"""What the queue does when Redis, or the way to it, fails."""

import os
import signal
import threading

import pytest
import redis

from pipeline.errors import QueueUnavailableError
from pipeline.models import Lane
from pipeline.redis import keys
from pipeline.redis.connection import connect
from pipeline.redis.queue import RedisQueue

LANE = Lane.SINGLE


def kill(server):
    os.kill(server.pid, signal.SIGKILL)


def test_after_kill_and_restart_waiting_held_and_delayed_jobs_are_all_there(own_redis):
    queue = RedisQueue(connect(own_redis.url))
    for number in range(50):
        queue.enqueue(LANE, f"j{number}", priority=number % 3 - 1)
    queue.enqueue(LANE, "later", delay_s=1000)
    claims = [queue.claim(LANE, f"w{number}", 0) for number in range(5)]
    queue.release(claims[0])
    kill(own_redis)
    own_redis.restart()
    assert (queue.depth(LANE), queue.held(LANE)) == (46, 4)
    assert not queue.contains(claims[0].job_id)
    assert all(queue.renew(claim) for claim in claims[1:])
    assert all(queue.release(claim) for claim in claims[1:])


def test_workers_finish_every_job_while_redis_is_killed_and_restarted_under_them(own_redis):
    queue = RedisQueue(connect(own_redis.url))
    jobs = [f"j{number}" for number in range(600)]
    for job in jobs:
        queue.enqueue(LANE, job)
    done, killed = [], threading.Event()

    def work(name):
        while claim := queue.claim(LANE, name, 0):
            if len(done) >= 100 and not killed.is_set():
                killed.wait(30)
            assert queue.renew(claim)
            assert queue.release(claim)
            done.append(claim.job_id)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    kill(own_redis)
    killed.set()
    own_redis.restart()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == sorted(jobs)
    assert (queue.depth(LANE), queue.held(LANE)) == (0, 0)


def test_a_waiting_claim_rides_out_a_restart(own_redis):
    queue = RedisQueue(connect(own_redis.url))
    queue.claim(LANE, "w", 0)
    claims = []
    thread = threading.Thread(target=lambda: claims.append(queue.claim(LANE, "w", 30)))
    thread.start()
    kill(own_redis)
    own_redis.restart()
    queue.enqueue(LANE, "a")
    thread.join(60)
    assert claims[0].job_id == "a"


def test_a_waiting_claim_goes_on_after_everything_was_forgotten(redis_client):
    queue = RedisQueue(redis_client)
    queue.enqueue(LANE, "a")
    queue.release(queue.claim(LANE, "w", 0))
    claims = []
    thread = threading.Thread(target=lambda: claims.append(queue.claim(LANE, "w", 30)))
    thread.start()
    redis_client.flushall()
    queue.enqueue(LANE, "b")
    thread.join(60)
    assert claims[0].job_id == "b"


def test_a_server_that_stays_away_is_an_error_in_every_call():
    queue = RedisQueue(connect("redis://127.0.0.1:1/0", patience_s=0.0))
    calls = [
        lambda: queue.enqueue(LANE, "a"),
        lambda: queue.claim(LANE, "w", 1),
        lambda: queue.contains("a"),
        lambda: queue.depth(LANE),
        lambda: queue.held(LANE),
    ]
    for call in calls:
        with pytest.raises(QueueUnavailableError):
            call()


class LostAnswers:
    """Between a client and its server: sends a script, then loses the answer for the first time."""

    def __init__(self, monkeypatch):
        self.left = 0
        genuine = redis.Redis.parse_response

        def lose(client, connection, name, **options):
            answer = genuine(client, connection, name, **options)
            if name == "EVALSHA" and self.left:
                self.left -= 1
                raise redis.ConnectionError("lost on the way back")
            return answer

        monkeypatch.setattr(redis.Redis, "parse_response", lose)


def test_calls_whose_answers_were_lost_are_done_once_and_answered_right(redis_client, monkeypatch):
    queue = RedisQueue(redis_client)
    network = LostAnswers(monkeypatch)
    for call in [lambda: queue.enqueue(LANE, "a"), lambda: queue.enqueue(LANE, "b", delay_s=1000)]:
        network.left = 1
        assert call()
    network.left = 1
    claim = queue.claim(LANE, "w", 0)
    assert claim.job_id == "a"
    assert (queue.depth(LANE), queue.held(LANE)) == (1, 1)
    network.left = 1
    assert queue.requeue(claim)
    assert queue.depth(LANE) == 2
    claim = queue.claim(LANE, "w", 0)
    network.left = 2
    assert queue.renew(claim)
    network.left = 2
    assert queue.release(claim)
    assert (queue.depth(LANE), queue.held(LANE)) == (1, 0)


def test_jobs_that_somebody_else_deleted_do_not_stop_the_lane(redis_client):
    queue = RedisQueue(redis_client)
    for job in "abc":
        queue.enqueue(LANE, job)
    lost = queue.claim(LANE, "w", 0)
    redis_client.hdel(keys.members(LANE), lost.job_id, "b")
    redis_client.zadd(keys.leases(LANE), {lost.job_id: 0})
    other = queue.claim(LANE, "w", 0)
    assert other.job_id == "c"
    assert (queue.depth(LANE), queue.held(LANE)) == (0, 1)


def test_a_holder_that_was_struck_out_has_lost_its_job(redis_client):
    queue = RedisQueue(redis_client)
    queue.enqueue(LANE, "a")
    claim = queue.claim(LANE, "w", 0)
    redis_client.delete(keys.holders(LANE))
    assert not queue.renew(claim)
    assert not queue.release(claim)


def test_a_lease_of_milliseconds_runs_out_by_the_server_s_clock(redis_client):
    queue = RedisQueue(redis_client, lease_s=0.05)
    queue.enqueue(LANE, "a")
    stale = queue.claim(LANE, "w", 0)
    fresh = queue.claim(LANE, "rival", 20)
    assert (fresh.job_id, fresh.deliveries) == ("a", 2)
    assert not queue.renew(stale)


def test_a_full_server_refuses_with_a_clear_error(own_redis):
    client = connect(own_redis.url)
    queue = RedisQueue(client)
    client.config_set("maxmemory", "1")
    with pytest.raises(QueueUnavailableError, match="maxmemory"):
        queue.enqueue(LANE, "a")
    client.close()
