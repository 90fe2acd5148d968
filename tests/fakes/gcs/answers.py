"""Requests, responses, and the errors that become responses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """An HTTP request with its whole body; ``path`` is as it was sent, percent-encoded."""

    method: str
    path: str
    query: Mapping[str, str]
    query_string: str
    headers: Message
    body: bytes = b""

    @classmethod
    def parse(cls, method: str, target: str, headers: Message, body: bytes = b"") -> "Request":
        """Take the target of a request line apart."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method, parts.path, query, parts.query, headers, body)


@dataclass
class Response:
    """An HTTP response with its whole body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: Mapping[str, Any], status: int = 200) -> "Response":
        """Make a response of JSON."""
        return cls(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


class FakeError(Exception):
    """Becomes an error response."""

    status = 500
    reason = "backendError"

    def to_json(self) -> Response:
        """Return the JSON API's form."""
        detail = {"message": str(self), "reason": self.reason, "domain": "global"}
        return Response.json(
            {"error": {"code": self.status, "message": str(self), "errors": [detail]}}, self.status
        )

    def to_xml(self) -> Response:
        """Return the XML API's form."""
        text = f"<?xml version='1.0'?><Error><Code>{self.reason}</Code><Message>{self}</Message></Error>"
        return Response(self.status, text.encode(), {"Content-Type": "application/xml"})


class BadRequestError(FakeError):
    """A request that makes no sense."""

    status = 400
    reason = "invalid"


class ExpiredError(BadRequestError):
    """A signed link after its time."""

    reason = "ExpiredToken"


class UnauthorizedError(FakeError):
    """A request without a token that this server gave out."""

    status = 401
    reason = "authError"


class ForbiddenError(FakeError):
    """A signature that does not fit the request."""

    status = 403
    reason = "SignatureDoesNotMatch"


class MissingError(FakeError):
    """No such object, bucket, session or route."""

    status = 404
    reason = "notFound"


class PreconditionError(FakeError):
    """A generation or metageneration that does not match."""

    status = 412
    reason = "conditionNotMet"


class NotModifiedError(FakeError):
    """A reader has this generation already."""

    status = 304
    reason = "notModified"


class RangeError(FakeError):
    """A range that begins after the end."""

    status = 416
    reason = "requestedRangeNotSatisfiable"
