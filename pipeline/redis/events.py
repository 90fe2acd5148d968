"""The event bus on Redis pub/sub: one channel per job, one for all, one for endings."""

import time

import redis
from redis.client import PubSub
from redis.exceptions import RedisError

from pipeline.models import Event, JobStatus
from pipeline.redis import keys
from pipeline.redis.connection import PATIENCE_S, SOCKET_TIMEOUT_S, connect, redis_errors

RECONNECT_PAUSE_S = 0.1
"""Between two tries to listen again."""


class RedisEventBus:
    """Who wants to know hears what happens; implements ``pipeline.ports.EventBus``.

    Publishing is safe between threads. Nothing is kept for those who do not listen just then.
    """

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        """Publish to the server at ``url``, waiting for one that is away for up to ``patience_s`` seconds."""
        self._url = url
        self._patience_s = patience_s
        self._client = connect(url, patience_s=patience_s)

    def __repr__(self) -> str:
        """Show no URL: it may hold a password."""
        return "RedisEventBus()"

    def publish(self, event: Event) -> None:
        """Send an event to all who listen to its job or to everything."""
        text = event.model_dump_json()
        with redis_errors(self._client), self._client.pipeline(transaction=False) as batch:
            for channel in channels_of(event.status):
                batch.publish(channel, text)
            batch.execute()

    def close(self) -> None:
        """Give the connections back; publishing again opens new ones."""
        self._client.close()

    def subscribe(self, job_id: str | None = None) -> "RedisSubscription":
        """Listen to one job, or to all; the subscription stands when this returns."""
        return RedisSubscription(self._url, keys.channel(job_id), patience_s=self._patience_s)

    def subscribe_endings(self) -> "RedisSubscription":
        """Listen to how all jobs end; the subscription stands when this returns."""
        return RedisSubscription(self._url, keys.endings(), patience_s=self._patience_s)


def channels_of(status: JobStatus) -> list[str]:
    """Return where the events that tell of a status are published."""
    ended = [keys.endings()] if status.state.is_final else []
    return [keys.channel(status.id), keys.channel(), *ended]


class RedisSubscription:
    """An open ear on one channel, which listens again by itself when Redis has been away.

    What is published while Redis or the connection is away is not heard. For one thread.
    """

    def __init__(self, url: str, channel: str, *, patience_s: float = PATIENCE_S) -> None:
        """Listen to ``channel``; the subscription stands when this returns."""
        # Without patience of its own: ``next`` has a time limit, and does its own waiting.
        self._client = connect(url, patience_s=0.0)
        self._channel = channel
        self._ear: PubSub | None = None
        self._closed = False
        deadline = time.monotonic() + patience_s
        while True:
            try:
                self._listen()
            except RedisError:
                self._hang_up()
                if time.monotonic() >= deadline:
                    self.close()
                    with redis_errors(self._client):
                        raise
                time.sleep(RECONNECT_PAUSE_S)
            else:
                return

    def next(self, timeout_s: float) -> Event | None:
        """Return the next event, None if none came within ``timeout_s`` seconds or after ``close``."""
        deadline = time.monotonic() + timeout_s
        while not self._closed:
            left_s = max(0.0, deadline - time.monotonic())
            try:
                message = self._listen().get_message(ignore_subscribe_messages=True, timeout=left_s)
            except (RedisError, OSError):
                self._hang_up()
                message = None
                time.sleep(min(RECONNECT_PAUSE_S, left_s))
            if message is not None:
                return Event.model_validate_json(message["data"])
            if time.monotonic() >= deadline:
                return None
        return None

    def close(self) -> None:
        """Stop listening."""
        self._closed = True
        self._hang_up()
        self._client.close()

    def _listen(self) -> PubSub:
        """Return the standing subscription, made anew if there is none."""
        if self._ear is None:
            self._ear = PubSub(self._client.connection_pool)
            self._ear.subscribe(self._channel)
            if self._ear.get_message(timeout=SOCKET_TIMEOUT_S) is None:
                raise redis.TimeoutError(f"no answer to SUBSCRIBE within {SOCKET_TIMEOUT_S} s")
        return self._ear

    def _hang_up(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()
