"""The JSON API: the part of it that the service uses."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from fakes.gcs.answers import BadRequestError, MissingError, Request, Response
from fakes.gcs.listing import list_objects
from fakes.gcs.media import media
from fakes.gcs.objects import Objects
from fakes.gcs.uploads import Sessions, multipart

MAX_COMPOSED = 32

_BUCKET = r"/storage/v1/b/(?P<bucket>[^/]+)"
_OBJECT = rf"{_BUCKET}/o/(?P<name>[^/]+)"


class JsonApi:
    """Routes of objects and uploads; the caller has checked the token."""

    def __init__(self, objects: Objects, sessions: Sessions, address: Callable[[], str]) -> None:
        """Answer from ``objects``; sessions get links below ``address()``."""
        self._objects = objects
        self._sessions = sessions
        self._address = address
        self.page_size = 1000
        self._routes: list[tuple[str, str, Callable[..., Response]]] = [
            ("POST", rf"/upload{_BUCKET}/o", self._upload),
            ("PUT", rf"/upload{_BUCKET}/o", self._continue),
            ("DELETE", rf"/upload{_BUCKET}/o", self._cancel),
            ("GET", rf"(?:/download)?{_OBJECT}", self._get),
            ("DELETE", _OBJECT, self._delete),
            ("POST", rf"{_OBJECT}/compose", self._compose),
            ("GET", rf"{_BUCKET}/o", self._list),
            ("GET", _BUCKET, self._get_bucket),
        ]

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        for method, pattern, answer in self._routes:
            found = re.fullmatch(pattern, request.path) if method == request.method else None
            if found:
                return answer(request, **{name: unquote(value) for name, value in found.groupdict().items()})
        raise MissingError(f"There is no {request.method} {request.path} here.")

    def _upload(self, request: Request, bucket: str) -> Response:
        kind = request.query.get("uploadType")
        if kind == "multipart":
            return Response.json(multipart(self._objects, bucket, request).resource())
        if kind == "resumable":
            session_id = self._sessions.start_json(bucket, request)
            link = f"{self._address()}{request.path}?uploadType=resumable&upload_id={session_id}"
            return Response(200, headers={"Location": link, "X-GUploader-UploadID": session_id})
        raise BadRequestError(f"The upload type {kind!r} is not known here.")

    def _continue(self, request: Request, bucket: str) -> Response:
        del bucket
        return self._sessions.take(request.query.get("upload_id", ""), request)

    def _cancel(self, request: Request, bucket: str) -> Response:
        del bucket
        return self._sessions.cancel(request.query.get("upload_id", ""))

    def _get(self, request: Request, bucket: str, name: str) -> Response:
        found = self._objects.get(bucket, name, request.query)
        if request.query.get("alt") == "media":
            return media(found, request)
        return Response.json(found.resource())

    def _delete(self, request: Request, bucket: str, name: str) -> Response:
        self._objects.delete(bucket, name, request.query)
        return Response(204)

    def _compose(self, request: Request, bucket: str, name: str) -> Response:
        wanted = json.loads(request.body)
        sources = wanted.get("sourceObjects", [])
        if not 1 <= len(sources) <= MAX_COMPOSED:
            raise BadRequestError(
                f"There are {len(sources)} source objects; 1 to {MAX_COMPOSED} can be composed."
            )
        parts = [self._objects.get(bucket, source["name"], _conditions(source)) for source in sources]
        destination = wanted.get("destination", {})
        made = self._objects.put(
            bucket,
            name,
            b"".join(part.data for part in parts),
            request.query,
            content_type=destination.get("contentType", parts[0].content_type),
            metadata=destination.get("metadata"),
            component_count=sum(part.component_count or 1 for part in parts),
        )
        return Response.json(made.resource())

    def _list(self, request: Request, bucket: str) -> Response:
        return list_objects(self._objects, bucket, request.query, self.page_size)

    def _get_bucket(self, request: Request, bucket: str) -> Response:
        del request
        self._objects.names(bucket)
        return Response.json({"kind": "storage#bucket", "name": bucket, "projectNumber": "1"})


def _conditions(source: Mapping[str, Any]) -> dict[str, str]:
    """Return what a source of a composition demands, in the words of a query."""
    demands = {
        "generation": source.get("generation"),
        "ifGenerationMatch": source.get("objectPreconditions", {}).get("ifGenerationMatch"),
    }
    return {name: str(value) for name, value in demands.items() if value is not None}
