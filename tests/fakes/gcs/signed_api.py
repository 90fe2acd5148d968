"""Signed links: GET, HEAD and PUT of an object in the manner of the XML API, and resumable sessions."""

from collections.abc import Callable
from urllib.parse import unquote

from fakes.gcs.answers import BadRequestError, Request, Response
from fakes.gcs.checksums import Checksums, stated_in
from fakes.gcs.media import media
from fakes.gcs.objects import Objects
from fakes.gcs.uploads import Sessions


class SignedApi:
    """Routes below ``/bucket/object``; the caller has verified the signature."""

    def __init__(self, objects: Objects, sessions: Sessions, address: Callable[[], str]) -> None:
        """Answer from ``objects``; sessions get links below ``address()``."""
        self._objects = objects
        self._sessions = sessions
        self._address = address

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        bucket, _, name = unquote(request.path.removeprefix("/")).partition("/")
        if request.method in {"GET", "HEAD"}:
            return self._get(request, bucket, name)
        if request.method == "PUT":
            return self._put(request, bucket, name)
        if request.method == "POST" and request.headers.get("x-goog-resumable") == "start":
            session_id = self._sessions.start(bucket, name, request, {})
            path = f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={session_id}"
            return Response(201, headers={"Location": f"{self._address()}{path}"})
        raise BadRequestError(f"{request.method} is not for signed links here.")

    def _get(self, request: Request, bucket: str, name: str) -> Response:
        response = media(self._objects.get(bucket, name, request.query), request)
        for header in ("content-disposition", "content-type"):
            if f"response-{header}" in request.query:
                response.headers[header.title()] = request.query[f"response-{header}"]
        return response

    def _put(self, request: Request, bucket: str, name: str) -> Response:
        Checksums.of(request.body).check(stated_in(request.headers))
        generation = request.headers.get("x-goog-if-generation-match")
        made = self._objects.put(
            bucket,
            name,
            request.body,
            {"ifGenerationMatch": generation} if generation is not None else {},
            content_type=request.headers.get("content-type", "application/octet-stream"),
        )
        return Response(200, headers=made.headers())
