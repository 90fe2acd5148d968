"""What the relay of the chaos harness does to the connections of a real Redis."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from pipeline.redis.connection import answers, connect
from tests.chaos.relay import Relay
from tests.chaos.relayed_up import relayed

SHORT_S = 0.2
LONG_S = 60.0


@pytest.fixture
def relay(redis_server, redis_client):
    assert redis_client is not None, "the server is empty"
    one = Relay(lambda: redis_server.port)
    yield one
    one.close()


@pytest.fixture
def through(redis_server, relay):
    """Give a client that reaches the server through the relay, and does not try again."""
    client = connect(relayed(redis_server.url, relay.port), patience_s=0.0, timeout_s=LONG_S)
    yield client
    client.close()


def test_what_is_cut_is_reset_and_heals(redis_server, relay, through):
    assert through.ping()
    relay.cut()
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            through.ping()
    assert answers(redis_server.url)

    relay.heal()
    assert through.ping()


def test_a_stalled_connection_stays_and_says_nothing(relay, through, redis_client):
    assert through.ping()
    relay.stall()
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(through.set, "held", "up")
        with pytest.raises(TimeoutError):
            answer.result(SHORT_S)
        assert redis_client.get("held") is None
        relay.heal()
        assert answer.result(LONG_S)
    assert redis_client.get("held") == "up"


def test_of_a_lost_answer_the_command_was_carried_out(relay, through, redis_client):
    assert through.incr("count") == 1
    relay.mute()
    with pytest.raises(redis.ConnectionError):
        through.incr("count")
    assert redis_client.get("count") == "2"

    relay.heal()
    assert through.incr("count") == 3


def test_a_server_that_is_away_resets_what_is_tried(through, redis_server):
    redis_server.stop()
    try:
        with pytest.raises(redis.ConnectionError):
            through.ping()
    finally:
        redis_server.restart()
    assert through.ping()
