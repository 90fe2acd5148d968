"""Uploads: in one multipart request, or in a resumable session."""

import json
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

from fakes.gcs.answers import BadRequestError, MissingError, Request, Response
from fakes.gcs.checksums import Checksums, stated_about, stated_in
from fakes.gcs.objects import Objects, StoredObject

CHUNK_BYTES = 256 << 10
"""A session keeps whole multiples of this of every request but the last."""

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_RESUME_INCOMPLETE = 308
_GONE = 499


def multipart(objects: Objects, bucket: str, request: Request) -> StoredObject:
    """Take an upload of metadata and bytes in one request (``multipart/related``)."""
    (_, described), (media_head, data) = _parts(request)
    resource = json.loads(described)
    name = _name(resource, request)
    Checksums.of(data).check(stated_about(resource) | stated_in(request.headers))
    return objects.put(
        bucket,
        name,
        data,
        request.query,
        content_type=media_head.get_content_type(),
        metadata=resource.get("metadata"),
    )


def _parts(request: Request) -> list[tuple[Message, bytes]]:
    """Cut a body of two parts, byte by byte: an e-mail parser would change the line ends."""
    boundary = request.headers.get_boundary()
    if boundary is None:
        raise BadRequestError("A multipart upload states its boundary.")
    delimiter = b"\r\n--" + boundary.encode()
    first, rest = (b"\r\n" + request.body).split(delimiter, 2)[1:]
    second, end = rest.rsplit(delimiter, 1)
    if not end.startswith(b"--"):
        raise BadRequestError("A multipart upload ends with its boundary.")
    cut = (part.removeprefix(b"\r\n").partition(b"\r\n\r\n") for part in (first, second))
    return [(BytesHeaderParser().parsebytes(head), content) for head, _, content in cut]


def _name(resource: Mapping[str, Any], request: Request) -> str:
    name = resource.get("name") or request.query.get("name")
    if not name:
        raise BadRequestError("An upload states the object's name.")
    return str(name)


@dataclass
class Session:
    """A resumable upload that has begun."""

    bucket: str
    name: str
    resource: Mapping[str, Any]
    query: Mapping[str, str]
    content_type: str
    origin: str | None = None
    data: bytearray = field(default_factory=bytearray)
    made: StoredObject | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Sessions:
    """All resumable uploads."""

    def __init__(self, objects: Objects) -> None:
        """Put finished uploads into ``objects``."""
        self._objects = objects
        self._sessions: dict[str, Session] = {}
        self.exposed = ["Content-Length", "Content-Type", "Date", "Range"]
        """Headers that a page may read of an answer about a session."""

    def start(self, bucket: str, name: str, request: Request, resource: Mapping[str, Any]) -> str:
        """Begin a session and return its id; its preconditions must hold now and in the end."""
        self._objects.check(bucket, name, request.query)
        content_type = request.headers.get("x-upload-content-type") or request.headers.get("content-type")
        session_id = uuid.uuid4().hex
        self._sessions[session_id] = Session(
            bucket,
            name,
            resource,
            request.query,
            content_type or "application/octet-stream",
            request.headers.get("origin"),
        )
        return session_id

    def cors(self, request: Request) -> dict[str, str]:
        """Return the headers of CORS: for pages of the origin that the session was begun for."""
        session = self._sessions.get(request.query.get("upload_id", ""))
        origin = request.headers.get("origin")
        if session is None or origin is None or origin != session.origin:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "PUT, DELETE",
            "Access-Control-Allow-Headers": "content-range, content-type",
            "Access-Control-Expose-Headers": ", ".join(self.exposed),
        }

    def start_json(self, bucket: str, request: Request) -> str:
        """Begin a session from the JSON API's request."""
        resource = json.loads(request.body or b"{}")
        return self.start(bucket, _name(resource, request), request, resource)

    def unfinished(self) -> int:
        """Return how many sessions have not become an object."""
        return sum(session.made is None for session in self._sessions.values())

    def cancel(self, session_id: str) -> Response:
        """Give a session up."""
        self._find(session_id)
        del self._sessions[session_id]
        return Response(_GONE)

    def take(self, session_id: str, request: Request) -> Response:
        """Take the next bytes, or answer how many there are."""
        session = self._find(session_id)
        start, total = _range_of(request)
        with session.lock:
            if session.made is None:
                self._append(session, request, start, total)
            if session.made is None:
                return _incomplete(session)
            return Response.json(session.made.resource())

    def _append(self, session: Session, request: Request, start: int | None, total: int | None) -> None:
        have = len(session.data)
        if start is not None:
            if start > have:
                raise BadRequestError(f"The upload has {have} bytes, and the request starts at {start}.")
            end = start + len(request.body)
            if total is None or end < total:
                end -= end % CHUNK_BYTES
            session.data += request.body[have - start : max(end - start, have - start)]
        if total is not None and len(session.data) == total:
            self._finish(session, request)

    def _finish(self, session: Session, request: Request) -> None:
        data = bytes(session.data)
        Checksums.of(data).check(stated_about(session.resource) | stated_in(request.headers))
        session.made = self._objects.put(
            session.bucket,
            session.name,
            data,
            session.query,
            content_type=session.content_type,
            metadata=session.resource.get("metadata"),
        )
        session.data.clear()

    def _find(self, session_id: str) -> Session:
        try:
            return self._sessions[session_id]
        except KeyError:
            raise MissingError("There is no such upload.") from None


def _range_of(request: Request) -> tuple[int | None, int | None]:
    """Return where the body starts and how long the object is; None for what is not said."""
    header = request.headers.get("content-range")
    if header is None:
        return 0, len(request.body)
    found = _CONTENT_RANGE.fullmatch(header)
    if found is None:
        raise BadRequestError(f"The range {header!r} cannot be understood.")
    first, last, total = found.groups()
    if first is not None and int(last) - int(first) + 1 != len(request.body):
        raise BadRequestError(f"The range {header!r} does not fit a body of {len(request.body)} bytes.")
    return None if first is None else int(first), None if total == "*" else int(total)


def _incomplete(session: Session) -> Response:
    have = len(session.data)
    return Response(_RESUME_INCOMPLETE, headers={"Range": f"bytes=0-{have - 1}"} if have else {})
