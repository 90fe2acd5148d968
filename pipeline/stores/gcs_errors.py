"""The one place where the errors of Google's client become errors of the store."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError, RetryError
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, RequestException
from urllib3.exceptions import HTTPError

from pipeline.errors import (
    ChecksumError,
    ObjectExistsError,
    ObjectNotFoundError,
    StoreError,
    StoreUnavailableError,
)

CLIENT_ERRORS = (
    GoogleAPIError,
    GoogleAuthError,
    DataCorruption,
    InvalidResponse,
    RequestException,
    HTTPError,
    ConnectionError,
    TimeoutError,
)
"""All that a call of the client can raise because of what happens outside of this process."""

_SESSION = re.compile(r"(upload_id=)[^\s&)'\"]+")
"""Of the address of a session: who knows it can write the object."""

_CHECKSUM_TEXT = "doesn't match calculated"
"""How Google Cloud Storage says that it received other bytes than the checksum was made of."""

_Kind = tuple[type[StoreError], str]
"""An error class, and what its message says after the URI."""

_BY_STATUS: dict[int, _Kind] = {
    HTTPStatus.UNAUTHORIZED: (StoreError, "not allowed ({text}); check the service account"),
    HTTPStatus.FORBIDDEN: (StoreError, "not allowed ({text}); give the service account a role on the bucket"),
    HTTPStatus.NOT_FOUND: (ObjectNotFoundError, "there is no such object, or no such bucket"),
    HTTPStatus.REQUEST_TIMEOUT: (StoreUnavailableError, "the store timed out ({text}); try again later"),
    HTTPStatus.CONFLICT: (StoreUnavailableError, "somebody else is changing it ({text}); try again"),
    HTTPStatus.PRECONDITION_FAILED: (ObjectExistsError, "the object exists already"),
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: (
        ChecksumError,
        "the object has become shorter; try again",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (StoreUnavailableError, "too many requests ({text}); try again later"),
    499: (StoreUnavailableError, "the store gave the upload up ({text}); try again"),
}
_OTHER_CLIENT_FAULT: _Kind = (StoreError, "the store answered {status} ({text}); check the store's settings")
_SERVER_FAULT: _Kind = (StoreUnavailableError, "the store answered {status} ({text}); try again later")
_DAMAGED_UPLOAD: _Kind = (ChecksumError, "the object did not arrive as it was sent ({text}); try again")

_NO_ADDRESS = (InvalidURL, MissingSchema, InvalidSchema)
_BY_CLASS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], _Kind], ...] = (
    (DataCorruption, (ChecksumError, "other bytes arrived than the store's checksum says; try again")),
    (RetryError, (StoreUnavailableError, "the store kept failing ({text}); try again later")),
    (TransportError, (StoreUnavailableError, "no answer from the token service ({text}); try again later")),
    (GoogleAuthError, (StoreError, "Google refuses the credentials ({text}); check the service account")),
    (_NO_ADDRESS, (StoreError, "the store's endpoint is no address ({text}); correct the setting")),
    (Exception, (StoreUnavailableError, "no answer from the store ({text}); try again later")),
)


@contextmanager
def mapped_errors(uri: str) -> Iterator[None]:
    """Turn the client's errors into the store's; ``uri`` says what was worked on."""
    try:
        yield
    except CLIENT_ERRORS as error:
        raise store_error(error, uri) from error


def store_error(error: Exception, uri: str) -> StoreError:
    """Return the store's error for one of ``CLIENT_ERRORS``."""
    text = _SESSION.sub(r"\1…", str(getattr(error, "message", None) or error))
    status = _status_of(error)
    ours, form = _of_status(status, text) if status else _of_class(error)
    return ours(f"{uri}: {form.format(text=text, status=status)}")


def _status_of(error: Exception) -> int | None:
    """Return the HTTP status of the answer that the error is about, None if there was none."""
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    if isinstance(error, GoogleAPICallError) and error.code:
        return int(error.code)
    return None


def _of_status(status: int, text: str) -> _Kind:
    if status == HTTPStatus.BAD_REQUEST and _CHECKSUM_TEXT in text:
        return _DAMAGED_UPLOAD
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _SERVER_FAULT
    return _BY_STATUS.get(status, _OTHER_CLIENT_FAULT)


def _of_class(error: Exception) -> _Kind:
    if isinstance(error, GoogleAuthError) and error.retryable:
        return StoreUnavailableError, "the token service failed ({text}); try again later"
    return next(kind for family, kind in _BY_CLASS if isinstance(error, family))
