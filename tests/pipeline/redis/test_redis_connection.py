"""Patience with a server that is away, and one error for all of its faults."""

import inspect
import threading
import time

import pytest
import redis
from redis import exceptions

from pipeline.errors import QueueUnavailableError, SettingsError
from pipeline.redis.connection import address, answers, connect, redis_errors

NOWHERE = "redis://:hunter2@127.0.0.1:1/0"

# Only a client of a Redis Cluster, of an asynchronous loop or of an identity provider raises these.
NOT_OURS = {
    "ChildDeadlockedError",
    "RedisClusterException",
    "SlotNotCoveredError",
    "CrossSlotTransactionError",
    "InvalidPipelineStack",
    "IncorrectPolicyType",
}


def errors_of_the_library():
    classes = [found for _, found in inspect.getmembers(exceptions, inspect.isclass)]
    return [found for found in classes if issubclass(found, Exception) and found.__name__ not in NOT_OURS]


@pytest.mark.parametrize("error", errors_of_the_library(), ids=lambda error: error.__name__)
def test_every_error_of_the_library_becomes_ours(error):
    client = connect(NOWHERE)
    raised = error.__new__(error, "boom")
    raised.args = ("boom",)
    with pytest.raises(QueueUnavailableError, match=r"127\.0\.0\.1:1"), redis_errors(client):
        raise raised


def test_a_server_that_is_not_there_is_an_error_that_may_pass_and_hides_the_password():
    client = connect(NOWHERE, patience_s=0.0)
    with pytest.raises(QueueUnavailableError) as caught, redis_errors(client):
        client.ping()
    assert caught.value.retryable
    assert "hunter2" not in str(caught.value) + repr(client) + address(client)
    assert not answers(NOWHERE)


def test_patience_bounds_the_whole_wait():
    # The library's own nested retries would multiply: dozens of tries to connect for each command.
    client = connect(NOWHERE, patience_s=0.3)
    started = time.monotonic()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    assert 0.1 < time.monotonic() - started < 10


def test_a_call_rides_out_a_restart(own_redis):
    client = connect(own_redis.url)
    client.set("k", "v")
    own_redis.stop()
    back = threading.Timer(0.3, own_redis.restart)
    back.start()
    assert client.get("k") == "v"
    back.join()
    client.close()


def test_a_refused_password_is_not_tried_again(redis_server):
    client = connect(redis_server.url.replace("redis://:", "redis://:wrong"), patience_s=600)
    with pytest.raises(QueueUnavailableError, match="does not answer"), redis_errors(client):
        client.ping()


def test_a_password_may_be_given_apart_from_the_url(redis_server):
    url = f"redis://127.0.0.1:{redis_server.port}/0"
    password = redis_server.url.split("@")[0].removeprefix("redis://:")
    client = connect(url, password=password)
    assert client.ping()
    client.close()


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis://host:port/0"])
def test_a_url_that_cannot_be_read_is_a_wrong_setting(url):
    with pytest.raises(SettingsError, match="redis_url"):
        connect(url)
