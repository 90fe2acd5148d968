"""Every error of Google's client becomes one of ours."""

import inspect
from types import ModuleType
from unittest.mock import Mock

import google.api_core.exceptions
import google.auth.exceptions
import google.cloud.storage.exceptions
import pytest
import requests
import requests.exceptions
import urllib3.exceptions

from pipeline.errors import (
    ChecksumError,
    ObjectExistsError,
    ObjectNotFoundError,
    StoreError,
    StoreUnavailableError,
)
from pipeline.stores.gcs_errors import CLIENT_ERRORS, mapped_errors, store_error

MODULES = [
    google.api_core.exceptions,
    google.auth.exceptions,
    google.cloud.storage.exceptions,
    requests.exceptions,
    urllib3.exceptions,
]

NOT_OF_A_CALL = {
    "InvalidPathError",  # of a helper that this service does not use
    "ProxySchemeUnsupported",  # an assertion about a proxy's address, which requests checks before
    "AsyncRestUnsupportedParameterError",  # of a transport that this service does not use
}


def errors_of(module: ModuleType) -> list[type[Exception]]:
    classes = (found for _, found in inspect.getmembers(module, inspect.isclass))
    return [
        found
        for found in classes
        if issubclass(found, Exception)
        and not issubclass(found, Warning)
        and found.__module__ == module.__name__
        and found.__name__ not in NOT_OF_A_CALL
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_error_of_the_client_is_left_out(module: ModuleType) -> None:
    left_out = [found.__name__ for found in errors_of(module) if not issubclass(found, CLIENT_ERRORS)]

    assert left_out == []


def response_error(status: int) -> Exception:
    response = requests.Response()
    response.status_code = status
    return google.cloud.storage.exceptions.InvalidResponse(response, "text")


@pytest.mark.parametrize("make", [google.api_core.exceptions.from_http_status, None])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, StoreError),
        (401, StoreError),
        (403, StoreError),
        (404, ObjectNotFoundError),
        (408, StoreUnavailableError),
        (409, StoreUnavailableError),
        (412, ObjectExistsError),
        (416, ChecksumError),
        (429, StoreUnavailableError),
        (500, StoreUnavailableError),
        (502, StoreUnavailableError),
        (503, StoreUnavailableError),
        (504, StoreUnavailableError),
    ],
)
def test_an_answer_is_told_by_its_status(make: object, status: int, expected: type[StoreError]) -> None:
    error = make(status, "text") if callable(make) else response_error(status)

    assert type(store_error(error, "gs://bucket/key")) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (google.cloud.storage.exceptions.DataCorruption(Mock(), "text"), ChecksumError),
        (
            google.api_core.exceptions.BadRequest('CRC32C "a" doesn\'t match calculated CRC32C "b"'),
            ChecksumError,
        ),
        (google.api_core.exceptions.RetryError("text", OSError()), StoreUnavailableError),
        (google.auth.exceptions.TransportError("text"), StoreUnavailableError),
        (google.auth.exceptions.RefreshError("text", retryable=True), StoreUnavailableError),
        (google.auth.exceptions.RefreshError("text"), StoreError),
        (google.auth.exceptions.DefaultCredentialsError("text"), StoreError),
        (requests.exceptions.ConnectionError("text"), StoreUnavailableError),
        (requests.exceptions.ReadTimeout("text"), StoreUnavailableError),
        (requests.exceptions.ChunkedEncodingError("text"), StoreUnavailableError),
        (requests.exceptions.InvalidURL("text"), StoreError),
        (requests.exceptions.MissingSchema("text"), StoreError),
        (urllib3.exceptions.ProtocolError("text"), StoreUnavailableError),
        (ConnectionResetError("text"), StoreUnavailableError),
        (TimeoutError("text"), StoreUnavailableError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_without_an_answer_is_told_by_its_class(
    error: Exception, expected: type[StoreError]
) -> None:
    with pytest.raises(StoreError) as caught, mapped_errors("gs://bucket/key"):
        raise error

    assert type(caught.value) is expected
    assert caught.value.__cause__ is error
    assert caught.value.public_message.startswith("gs://bucket/key: ")


def test_an_error_of_this_machine_passes_unchanged() -> None:
    with pytest.raises(IsADirectoryError), mapped_errors("gs://bucket/key"):
        raise IsADirectoryError
