"""The connection to Redis: patient with a server that restarts, and its errors turned into ours."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError
from redis.retry import Retry

from pipeline.errors import QueueUnavailableError, SettingsError

PATIENCE_S = 20.0
"""How long a call waits for Redis to come back: a restart with a large append-only file takes seconds."""

SOCKET_TIMEOUT_S = 5.0
"""How long one answer may take; longer than any blocking read of ours."""

HEALTH_CHECK_S = 15
"""A connection idle for longer is checked by a PING before it is used."""

_waiting: ContextVar[bool] = ContextVar("halorow_redis_waiting", default=False)


class PatientRetry(Retry):
    """Repeats what failed for want of a connection, until its patience is at an end.

    redis-py retries commands and, inside each try, connecting: two nested loops whose waits multiply.
    Here only the outermost call repeats, so ``patience_s`` bounds the whole. A refused password is
    not repeated.
    """

    def __init__(self, patience_s: float) -> None:
        """Take the seconds to go on trying after the first failure; 0 for none."""
        super().__init__(ExponentialWithJitterBackoff(base=0.02, cap=1.0), 0)
        self.patience_s = patience_s

    __hash__ = Retry.__hash__

    def __eq__(self, other: object) -> bool:
        """Compare by patience."""
        return isinstance(other, PatientRetry) and other.patience_s == self.patience_s

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Any:  # noqa: ANN401  (redis-py's signature)
        """Call ``do`` until it succeeds; ``fail`` cleans up after each failure."""
        nested = _waiting.get()
        deadline = time.monotonic() + (0.0 if nested else self.patience_s)
        failures = 0
        while True:
            token = _waiting.set(True)
            try:
                return do()
            except self._supported_errors as error:
                failures += 1
                if with_failure_count:
                    fail(error, failures)
                else:
                    fail(error)
                refused = isinstance(error, AuthenticationError | AuthorizationError)
                if refused or (is_retryable and not is_retryable(error)):
                    raise
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise
                pause_s = min(left_s, self._backoff.compute(failures))
            finally:
                _waiting.reset(token)
            time.sleep(pause_s)


def connect(
    url: str,
    *,
    password: str | None = None,
    patience_s: float = PATIENCE_S,
    timeout_s: float = SOCKET_TIMEOUT_S,
) -> redis.Redis:
    """Return a client for ``redis://[:password@]host:port/db``, ``rediss://…`` or ``unix://…``.

    Nothing is sent yet. The client may be shared between threads. Its commands are repeated while
    Redis is away for up to ``patience_s`` seconds, so each must be safe to repeat. One answer may
    take ``timeout_s``. Raises SettingsError if the URL cannot be understood.
    """
    given = {} if password is None else {"password": password}
    try:
        return redis.Redis.from_url(
            url,
            **given,
            protocol=2,
            decode_responses=True,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_keepalive=True,
            health_check_interval=HEALTH_CHECK_S,
            retry=PatientRetry(patience_s),
        )
    except (ValueError, TypeError) as error:
        raise SettingsError(
            "redis_url: expected redis://[:password@]host:port/db, rediss://… or unix://…; "
            "the one given (not shown, it may hold a password) cannot be read"
        ) from error


def address(client: redis.Redis) -> str:
    """Return where a client's server is, without password."""
    settings = client.connection_pool.connection_kwargs
    if "path" in settings:
        return str(settings["path"])
    return f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}"


@contextmanager
def redis_errors(client: redis.Redis) -> Iterator[None]:
    """Turn every error of redis-py inside the block into QueueUnavailableError."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise QueueUnavailableError(
            f"Redis at {address(client)} does not answer ({error}); start it or check redis_url, "
            "then try again: accepted jobs are kept in the store"
        ) from error
    except RedisError as error:
        raise QueueUnavailableError(f"Redis at {address(client)} refused a command: {error}") from error


def answers(url: str, *, timeout_s: float = 1.0) -> bool:
    """Whether a server answers at ``url`` now, with its data loaded and the password accepted."""
    client = connect(url, patience_s=0.0, timeout_s=timeout_s)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def shut_down(url: str, *, timeout_s: float) -> None:
    """Ask the server at ``url`` to sync its append-only file and end. Raises QueueUnavailableError."""
    client = connect(url, patience_s=0.0, timeout_s=timeout_s)
    try:
        with redis_errors(client):
            client.shutdown(nosave=True)
    finally:
        client.close()
