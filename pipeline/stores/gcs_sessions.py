"""Resumable sessions of Google Cloud Storage, to which browsers send objects themselves."""

import re
from http import HTTPStatus

from google.cloud import storage

from pipeline.errors import ObjectNotFoundError, StoreUnavailableError

_RANGE = re.compile(r"bytes=0-(\d+)")
_CANCELLED = 499
_OVER = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, _CANCELLED})


def offset_of(client: storage.Client, session: str, size_bytes: int, timeout_s: tuple[float, float]) -> int:
    """Return how many bytes a session has; ``size_bytes`` where the object is there.

    Raises ObjectNotFoundError where the session is over, StoreUnavailableError, and the client's errors.
    """
    answer = client._http.put(  # noqa: SLF001  (no accessor; the session's address needs no token, but proxies may)
        session,
        headers={"Content-Range": f"bytes */{size_bytes}", "Content-Length": "0"},
        allow_redirects=False,
        timeout=timeout_s,
    )
    if answer.status_code == HTTPStatus.PERMANENT_REDIRECT:
        found = _RANGE.fullmatch(answer.headers.get("Range", ""))
        return int(found[1]) + 1 if found else 0
    _check(answer.status_code)
    return size_bytes


def end(client: storage.Client, session: str, timeout_s: tuple[float, float]) -> None:
    """Give a session up, unless it is over. Raises StoreUnavailableError, and the client's errors."""
    answer = client._http.delete(session, timeout=timeout_s)  # noqa: SLF001  (as above)
    if answer.status_code not in _OVER:
        _check(answer.status_code)


def _check(status: int) -> None:
    if status in _OVER:
        raise ObjectNotFoundError("the bucket has given this upload up; add the file again")
    if status >= HTTPStatus.BAD_REQUEST:
        raise StoreUnavailableError(f"the bucket answered {status} about an upload; try again later")
