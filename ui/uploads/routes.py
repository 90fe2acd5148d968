"""The routes beside the page by which a browser uploads.

::

    POST   /uploads        {"name", "size_bytes", "resume"?} → 201 {"id", "links", "session", "offset", …}
    HEAD   /uploads/{id}   → 200, Upload-Offset, Upload-Length, Upload-Crc32c where it is known
    PATCH  /uploads/{id}   Upload-Offset, bytes → 204, Upload-Offset; 409 with the right one
    POST   /uploads/{id}   {"crc32c"} → 200 {"id", "name", "size_bytes"}; 422 if other bytes have arrived
    DELETE /uploads/{id}   → 204

Every request has a link that the service has signed: for one method, one upload, one user, for a day. Where
``session`` is given the bytes go there, by the protocol of Google Cloud Storage, and not by ``PATCH``.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.access.refusals import log_refusal
from pipeline.desks.uploads import NOTHING_YET, Progress, Uploads
from pipeline.errors import (
    ChecksumError,
    HalorowError,
    InvalidJobError,
    KeyRefusedError,
    LinkError,
    ObjectNotFoundError,
    OffsetError,
    QueueUnavailableError,
    StoreUnavailableError,
)
from pipeline.records.uploads import Upload
from pipeline.stores.links import verify_user_link
from pipeline.uploads.staged_file import StagedFile
from ui.uploads.links import BEGIN_KEY, PREFIX, key_of, upload_links

PIECE_BYTES = 1 << 20
"""What of an upload is in memory until it is written."""

SILENCE_S = 60.0
"""A sender that is silent for so long has lost its connection, and will come back by another."""

_MOST_WORDS_BYTES = 16 << 10
_DIGITS = re.compile("[0-9]{1,18}")
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_STATUS: tuple[tuple[type[HalorowError], HTTPStatus], ...] = (
    (LinkError, HTTPStatus.FORBIDDEN),
    (KeyRefusedError, HTTPStatus.NOT_FOUND),
    (ObjectNotFoundError, HTTPStatus.NOT_FOUND),
    (InvalidJobError, HTTPStatus.BAD_REQUEST),
    (OffsetError, HTTPStatus.CONFLICT),
    (ChecksumError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StoreUnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (QueueUnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
)

Handler = Callable[[Request], Awaitable[Response]]


def upload_routes(secret: Callable[[], bytes], uploads_of: Callable[[str], Uploads]) -> list[Route]:
    """Return the routes.

    Parameters
    ----------
    secret: gives the secret that links are signed with.
    uploads_of: gives a user's uploads; raises HalorowError where the service cannot be reached.

    """
    desk = _Desk(secret, uploads_of)
    return [
        Route(PREFIX, _answered(desk.begin), methods=["POST"]),
        Route(PREFIX + "/{id}", _answered(desk.state), methods=["HEAD", "GET"]),
        Route(PREFIX + "/{id}", _answered(desk.append), methods=["PATCH"]),
        Route(PREFIX + "/{id}", _answered(desk.finish), methods=["POST"]),
        Route(PREFIX + "/{id}", _answered(desk.cancel), methods=["DELETE"]),
    ]


class _Desk:
    """The handlers; whatever waits for the store does so in a thread."""

    def __init__(self, secret: Callable[[], bytes], uploads_of: Callable[[str], Uploads]) -> None:
        self._secret = secret
        self._uploads_of = uploads_of

    async def begin(self, request: Request) -> Response:
        """Begin an upload, or go on with one that was begun before."""
        user = self._user(request, BEGIN_KEY)
        words = await _words(request)
        name, size_bytes, resume = words.get("name"), words.get("size_bytes"), words.get("resume")
        if not isinstance(name, str) or not isinstance(size_bytes, int) or isinstance(size_bytes, bool):
            raise InvalidJobError("an upload states its name and its size_bytes; reload the page")

        def work() -> tuple[Upload, Progress]:
            uploads = self._uploads_of(user)
            upload = uploads.begin(
                name,
                size_bytes,
                resume=resume if isinstance(resume, str) else None,
                origin=request.headers.get("origin"),
            )
            return upload, uploads.progress(upload) if upload.id == resume else NOTHING_YET

        upload, progress = await run_in_threadpool(work)
        return JSONResponse(
            {
                "id": upload.id,
                "links": upload_links(self._secret(), user, upload.id, time.time()),
                "session": upload.session,
                "offset": progress.offset,
                "crc32c": progress.crc32c,
                "finished": progress.finished,
            },
            HTTPStatus.CREATED,
            headers=_HEADERS,
        )

    async def state(self, request: Request) -> Response:
        """Say how many bytes there are."""
        uploads, upload = await self._upload(request)
        progress = await run_in_threadpool(uploads.progress, upload)
        headers = {"upload-offset": str(progress.offset), "upload-length": str(upload.size_bytes)}
        if progress.crc32c:
            headers["upload-crc32c"] = progress.crc32c
        return Response(headers={**_HEADERS, **headers})

    async def append(self, request: Request) -> Response:
        """Write the bytes of the request behind those that there are."""
        uploads, upload = await self._upload(request)
        stated = request.headers.get("upload-offset", "")
        if not _DIGITS.fullmatch(stated):
            raise InvalidJobError("a request with bytes states their Upload-Offset; reload the page")
        file = await run_in_threadpool(uploads.staged, upload)
        offset = await _take_all(request, file, int(stated))
        return Response(None, HTTPStatus.NO_CONTENT, headers={**_HEADERS, "upload-offset": str(offset)})

    async def finish(self, request: Request) -> Response:
        """Make an input of the bytes, if they are those that the browser has read."""
        uploads, upload = await self._upload(request)
        crc32c = (await _words(request)).get("crc32c")
        if not isinstance(crc32c, str):
            raise InvalidJobError("an upload ends with its crc32c; reload the page")
        await run_in_threadpool(uploads.finish, upload, crc32c)
        done = {"id": upload.id, "name": upload.name, "size_bytes": upload.size_bytes}
        return JSONResponse(done, headers=_HEADERS)

    async def cancel(self, request: Request) -> Response:
        """Remove what there is."""
        uploads, upload = await self._upload(request)
        await run_in_threadpool(uploads.cancel, upload)
        return Response(None, HTTPStatus.NO_CONTENT, headers=_HEADERS)

    async def _upload(self, request: Request) -> tuple[Uploads, Upload]:
        """Return the upload that a request is about, and where it is gone on with."""
        upload_id = request.path_params["id"]
        user = self._user(request, key_of(upload_id))

        def work() -> tuple[Uploads, Upload]:
            uploads = self._uploads_of(user)
            return uploads, uploads.find(upload_id)

        return await run_in_threadpool(work)

    def _user(self, request: Request, key: str) -> str:
        """Return in whose name a request is made. Raises LinkError."""
        method = request.method
        return verify_user_link(self._secret(), key, request.url.query, method=method, now=time.time())


async def _take_all(request: Request, file: StagedFile, offset: int) -> int:
    """Write what a request brings, piece by piece; return how many bytes the file has then.

    What came before a connection was cut is kept.
    """
    turn = await run_in_threadpool(file.take_turn, offset)
    waiting: list[bytes] = []
    waiting_bytes = 0
    stream = request.stream()
    whole = False
    while not whole:
        try:
            async with asyncio.timeout(SILENCE_S):
                piece = await anext(stream, None)
        except (ClientDisconnect, TimeoutError):
            piece = None
        whole = piece is None
        if piece:
            waiting.append(piece)
            waiting_bytes += len(piece)
        if waiting and (whole or waiting_bytes >= PIECE_BYTES):
            offset = await run_in_threadpool(file.write, turn, b"".join(waiting))
            waiting.clear()
            waiting_bytes = 0
    return offset


async def _words(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request. Raises InvalidJobError."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_WORDS_BYTES:
            raise InvalidJobError(f"the request has more than {_MOST_WORDS_BYTES} bytes; reload the page")
    try:
        words = json.loads(body)
    except (ValueError, RecursionError):  # brackets in brackets, thousands deep
        words = None
    if not isinstance(words, dict):
        raise InvalidJobError("the request is no JSON object; reload the page")
    return words


def _answered(handler: Handler) -> Handler:
    """Turn the service's errors into answers, and log what was refused."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except HalorowError as error:
            if isinstance(error, LinkError | KeyRefusedError | InvalidJobError):
                client = request.client.host if request.client else "unknown"
                log_refusal("upload", error, path=request.url.path, method=request.method, client=client)
            return _sorry(error)

    return answer


def _sorry(error: HalorowError) -> Response:
    """Return a sentence that says why something was not done, and where an upload stands."""
    status = next(
        (code for kind, code in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR
    )
    headers = {"upload-offset": str(error.offset)} if isinstance(error, OffsetError) else {}
    return JSONResponse({"error": error.public_message}, status, headers={**_HEADERS, **headers})
