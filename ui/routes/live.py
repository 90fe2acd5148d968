"""Routes by which browsers follow jobs and fetch results, on behalf of whom their ticket names."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from pipeline.access.refusals import log_refusal
from pipeline.client import Client
from pipeline.errors import HalorowError, JobNotFoundError, LinkError, ObjectNotFoundError
from ui.following.book import Asked
from ui.following.feed import JobFeed
from ui.service.tickets import check_ticket, path_for, ticket

TICKET_HEADER = "x-halorow-ticket"
"""Where a browser puts its ticket when a script asks; addresses are written down in many places."""

MOST_SHOWN = 500
_PRIVATE = {"cache-control": "private, no-store"}


def live_routes(
    secret: Callable[[], bytes], feed: Callable[[], JobFeed], client_of: Callable[[str], Client]
) -> list[Route]:
    """Return the routes ``GET /live/…``.

    They are ``jobs/{viewer}``, ``download/{viewer}/{job}`` and ``archive/{viewer}/{batch}``.

    Parameters
    ----------
    secret: gives the secret that tickets are signed with.
    feed: gives what knows the jobs.
    client_of: gives the client of a viewer. Raises HalorowError.

    """

    def jobs(request: Request) -> Response:
        """Tell what has changed of a viewer's jobs."""
        viewer, query = request.path_params["viewer"], request.query_params
        path = path_for(viewer, "live/jobs")
        try:
            check_ticket(secret(), path, request.headers.get(TICKET_HEADER, ""))
            most = _number(query.get("most"), MOST_SHOWN)
            asked = Asked(query.get("state", ""), query.get("text", ""), most)
            seen = feed().look(viewer, asked, query.get("epoch", ""), _number(query.get("since")))
        except HalorowError as error:
            return sorry(error, path, request)
        return JSONResponse(with_downloads(secret(), viewer, seen), headers=_PRIVATE)

    def download(request: Request) -> Response:
        """Lead to a job's result, by a link that is made when it is needed."""
        viewer, job_id = request.path_params["viewer"], request.path_params["job"]
        path = path_for(viewer, "live/download", job_id)
        try:
            check_ticket(secret(), path, request.url.query)
            return RedirectResponse(client_of(viewer).link(job_id), headers=_PRIVATE)
        except HalorowError as error:
            return sorry(error, path, request)

    def archive(request: Request) -> Response:
        """Send all results of a batch."""
        viewer, batch = request.path_params["viewer"], request.path_params["batch"]
        path = path_for(viewer, "live/archive", batch)
        try:
            check_ticket(secret(), path, request.url.query)
            pieces = client_of(viewer).archive_of_batch(batch)
        except HalorowError as error:
            return sorry(error, path, request)
        named = f"attachment; filename*=utf-8''{quote(batch)}.zip"
        headers = {**_PRIVATE, "content-disposition": named}
        return StreamingResponse(pieces, media_type="application/zip", headers=headers)

    return [
        Route("/live/archive/{viewer}/{batch}", archive),
        Route("/live/jobs/{viewer}", jobs),
        Route("/live/download/{viewer}/{job}", download),
    ]


def with_downloads(secret: bytes, viewer: str, seen: dict[str, Any]) -> dict[str, Any]:
    """Return what a look has given, the cards of finished jobs with the address of their results."""
    cards = [
        {**one, "download": _download(secret, viewer, one["id"]) if one["has_result"] else ""}
        for one in seen["cards"]
    ]
    return {**seen, "cards": cards}


def sorry(error: HalorowError, path: str, request: Request) -> Response:
    """Return why there is no answer, and log what looks like an attempt at somebody else's."""
    if isinstance(error, LinkError):
        client = request.client.host if request.client else "unknown"
        log_refusal("ticket", error, key=path, method=request.method, client=client)
        status = 403
    else:
        status = 404 if isinstance(error, JobNotFoundError | ObjectNotFoundError) else 503
    return PlainTextResponse(f"{status}: {error.public_message}\n", status, headers=_PRIVATE)


def _download(secret: bytes, viewer: str, job_id: str) -> str:
    path = path_for(viewer, "live/download", job_id)
    return f"/{path}?{ticket(secret, path)}"


def _number(text: str | None, most: int | None = None) -> int:
    """Return a number from an address, -1 where there is none."""
    number = int(text) if text is not None and text.isdecimal() and len(text) < 12 else -1  # noqa: PLR2004  (no more digits are needed)
    return number if most is None else min(max(number, 1), most)
