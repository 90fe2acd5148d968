"""HTTP to the object store: connections kept open, faults that pass tried again.

A faulty request is tried again with growing, jittered delays until nothing has moved for the access's
``retry_s``; a connection on which nothing arrives for ``stall_s`` counts as broken.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import urllib3

from mpi_stage.contract import Access
from mpi_stage.errors import StorageError
from mpi_stage.objects.traffic import ObjectTraffic

CONNECTIONS = 16
_CONNECT_S = 10.0
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 8.0
_READ_BYTES = 1 << 20
_TOLD_CHARACTERS = 300
# 401 too: the token has run out, and its successor is on its way.
_PASSING = frozenset({401, 408, 429, 500, 502, 503, 504})
_GOOD = range(200, 300)

_Result = TypeVar("_Result")


class Passing(Exception):  # noqa: N818 (it never leaves this package)
    """A fault that may pass; ``moved`` says that something arrived before it."""

    def __init__(self, why: str, *, moved: bool = False) -> None:
        super().__init__(why)
        self.moved = moved


class Refusal(Exception):  # noqa: N818 (it never leaves this package)
    """An answer that another try would not change."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"the store answered {status}: {said}")
        self.status = status


@dataclass(frozen=True)
class Answer:
    """Status, headers and the body where it was not taken on the way."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """Return the JSON object that the body is."""
        found: dict[str, Any] = json.loads(self.body)
        return found


Take = Callable[[Answer, Iterator[bytes]], None]
"""Is given an answer without its body, and the body piece by piece."""


class Transport:
    """Sends requests to one endpoint; for any number of threads."""

    def __init__(
        self, access: Access, traffic: ObjectTraffic, token: Callable[[], str | None] | None = None
    ) -> None:
        """Connect with the first request; ``token`` gives the token where it has been renewed."""
        self._access, self._traffic = access, traffic
        self._renewed = token or (lambda: None)
        timeout = urllib3.Timeout(connect=_CONNECT_S, read=access.stall_s)
        self._closed = threading.Event()
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, timeout=timeout, retries=False)

    def close(self) -> None:
        """Close the connections that nobody uses, and try nothing again; safe to call again."""
        self._closed.set()
        self._pool.clear()

    def patiently(self, what: str, attempt: Callable[[], _Result]) -> _Result:
        """Return what ``attempt`` returns, tried again after faults that pass.

        Raises StorageError, which names ``what``, once nothing has moved for too long.
        """
        delay_s, since = _FIRST_DELAY_S, time.monotonic()
        while True:
            try:
                return attempt()
            except Passing as fault:
                if fault.moved:
                    delay_s, since = _FIRST_DELAY_S, time.monotonic()
                if self._closed.is_set() or time.monotonic() + delay_s - since > self._access.retry_s:
                    raise StorageError(
                        f"{what}: the object store kept failing for {self._access.retry_s:g} s ({fault}); "
                        "try again later."
                    ) from fault
            self._traffic.add(retries=1)
            self._closed.wait(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 (not for secrets)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    def once(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        *,
        headers: Mapping[str, str] | None = None,
        body: Sequence[bytes | memoryview] | None = None,
        take: Take | None = None,
    ) -> Answer:
        """Send one request and return its answer.

        Raises Passing for faults of the network and of the store, Refusal for all other answers that
        are not good.
        """
        stated = {"Accept-Encoding": "gzip", **(headers or {})}  # objects as they are stored
        token = self._renewed() or self._access.token
        if token:
            stated["Authorization"] = f"Bearer {token}"
        if body is not None:
            stated["Content-Length"] = str(sum(map(len, body)))
        self._traffic.add(requests=1)
        url = f"{self._access.endpoint}{path}{'&' if '?' in path else '?'}{urlencode(query)}"
        try:
            pieces: Any = body  # of any kind that a socket sends; urllib3 names some
            response = self._pool.request(
                method, url, headers=stated, body=pieces, preload_content=False, redirect=False
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Passing(_said_of(error)) from error
        whole = False
        try:
            answer = self._taken(response, take)
            whole = True
        finally:
            response.release_conn() if whole else response.close()
        return answer

    def _taken(self, response: urllib3.BaseHTTPResponse, take: Take | None) -> Answer:
        """Read an answer to its end."""
        try:
            if take is not None and response.status in _GOOD:
                answer = Answer(response.status, response.headers)
                take(answer, response.stream(_READ_BYTES, decode_content=False))
                return answer
            body = response.read(decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Passing(_said_of(error)) from error
        if response.status in _GOOD:
            return Answer(response.status, response.headers, body)
        said = body.decode("utf-8", "replace")[:_TOLD_CHARACTERS].strip()
        if response.status in _PASSING:
            raise Passing(f"{response.status} {said}")
        raise Refusal(response.status, said)


def _said_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_TOLD_CHARACTERS]
