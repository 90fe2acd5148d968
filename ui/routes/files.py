"""Routes beside the page: files of the local store behind signed links, and a sign of life."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.access.refusals import log_refusal
from pipeline.errors import (
    HalorowError,
    KeyRefusedError,
    LinkError,
    ObjectNotFoundError,
    StoreUnavailableError,
)
from pipeline.stores.links import Link, verify_link

FILES_PREFIX = "/files/"
_AS_THEY_ARE = (FILES_PREFIX, "/live/archive/", "/tiles/")
_HEADERS = {
    "cache-control": "private, no-transform",
    # What people upload is never to be run in the page's origin, whatever a browser takes it for.
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
}
_STATUS = {LinkError: 403, KeyRefusedError: 404, ObjectNotFoundError: 404, StoreUnavailableError: 503}


def file_routes(
    secret: Callable[[], bytes],
    find: Callable[[str], Path | None],
    archive: Callable[[str], Iterator[bytes]],
) -> list[Route]:
    """Return the routes ``GET|HEAD /files/{key}`` and ``GET /healthz``.

    Parameters
    ----------
    secret: gives the secret that links are signed with.
    find: gives the local file of an object's key, None where it is not on this machine; raises
        ObjectNotFoundError, KeyRefusedError, StoreUnavailableError.
    archive: gives the archive of an image of many objects, for whose key ``find`` gives a folder.

    """

    def send(request: Request) -> Response:
        """Send an object, or the range asked for, to whoever holds a valid link for it."""
        key = request.path_params["key"]
        try:
            link = verify_link(secret(), key, request.url.query, method=request.method, now=time.time())
            path = find(key)
        except HalorowError as error:
            if isinstance(error, LinkError | KeyRefusedError):
                log_refusal("link", error, key=key, method=request.method, client=_client(request))
            status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), None)
            return _sorry(error.public_message, status) if status else _sorry("it cannot be read now", 500)
        if path is not None and path.is_dir():
            pieces = archive(key) if request.method == "GET" else ()
            return StreamingResponse(pieces, media_type="application/zip", headers=_sent_as(link, key))
        if path is None or not path.is_file():
            return _sorry("there is no such file any more", 404)
        return FileResponse(path, filename=link.filename or Path(key).name, headers=_HEADERS)

    return [
        Route(FILES_PREFIX + "{key:path}", send, methods=["GET", "HEAD"]),
        Route("/healthz", _healthz, methods=["GET", "HEAD"]),
    ]


def _sent_as(link: Link, key: str) -> dict[str, str]:
    """Return the headers of an archive, by which it is saved and never shown."""
    name = link.filename or f"{Path(key).name}.zip"
    return {**_HEADERS, "content-disposition": f"attachment; filename*=utf-8''{quote(name)}"}


def _healthz(_request: Request) -> Response:
    """Answer that the page's process is alive."""
    return PlainTextResponse("ok\n")


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _sorry(text: str, status: int) -> Response:
    """Return a short plain page that says why there is no file."""
    return PlainTextResponse(f"{status}: {text}\n", status, headers=_HEADERS)


class UncompressedFiles:
    """Middleware that keeps files from being compressed on the fly.

    Compressing gigabytes of image data takes the server's time for nothing, and loses the length
    by which a browser shows how far a download is.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; one for a file without its ``Accept-Encoding``."""
        if scope["type"] == "http" and scope["path"].startswith(_AS_THEY_ARE):
            scope = {**scope, "headers": list(scope["headers"])}
            del MutableHeaders(scope=scope)["accept-encoding"]
        await self._app(scope, receive, send)
