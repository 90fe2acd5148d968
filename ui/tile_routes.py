"""Routes for tiles of jobs' images, on behalf of whom their ticket names, and for what is shipped along."""

import base64
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mpi_stage.contract import Tile
from mpi_stage.errors import StageError
from pipeline.client import Client
from pipeline.errors import HalorowError
from pipeline.previews.tiles import TileReaders
from ui.live_routes import sorry
from ui.parts import STATIC
from ui.tickets import check_ticket, path_for, ticket

SIDE_PX = 512
SIDES = ("before", "after")
SHIPPED = {"openseadragon-6.1.1.min.js": STATIC / "openseadragon-6.1.1.min.js"}
"""What browsers load by itself; its names change with what it holds."""

_KEPT = {"cache-control": "private, max-age=86400", "x-content-type-options": "nosniff"}
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


def tile_routes(
    secret: Callable[[], bytes], readers: Callable[[], TileReaders], client_of: Callable[[str], Client]
) -> list[Route]:
    """Return ``GET /tiles/{viewer}/{job}/{side}/…`` and ``GET /shipped/{name}``.

    Of a side, ``before`` or ``after``, there are ``survey.json`` and ``{factor}/{column}_{row}.png``.

    Parameters
    ----------
    secret: gives the secret that tickets are signed with.
    readers: gives what makes the tiles.
    client_of: gives the client of a viewer. Raises HalorowError.

    """

    def asked(request: Request) -> tuple[Any, str]:
        """Return what the stage is to be asked, for a holder of a ticket. Raises HalorowError."""
        given = request.path_params
        path = path_for(given["viewer"], "tiles", given["job"], given["side"])
        check_ticket(secret(), path, request.url.query)
        return client_of(given["viewer"]).tile_request(given["job"], after=given["side"] == "after")

    def answer(request: Request, make: Callable[[Any, str], Response]) -> Response:
        try:
            return make(*asked(request))
        except HalorowError as error:
            return sorry(error, request.url.path, request)
        except StageError as error:
            return PlainTextResponse(f"{error.public_message}\n", 422)

    def survey(request: Request) -> Response:
        """Tell what is known of a whole image."""
        return answer(
            request,
            lambda job, generation: JSONResponse(
                readers().ask(job, Tile(generation, side=SIDE_PX)), headers=_KEPT
            ),
        )

    def tile(request: Request) -> Response:
        """Send a tile."""
        given = request.path_params
        if given["factor"] < 1:  # what the stage takes for the survey
            return PlainTextResponse("404: there is no such tile\n", 404)

        def make(job: Any, generation: str) -> Response:  # noqa: ANN401  (the stage's request)
            whole = readers().ask(job, Tile(generation, side=SIDE_PX))
            low, high = whole["stretch"] or (0.0, 0.0)
            place = given["factor"], given["column"], given["row"]
            made = readers().ask(job, Tile(generation, *place, SIDE_PX, low, high))
            return Response(base64.b64decode(made["png"]), media_type="image/png", headers=_KEPT)

        return answer(request, make)

    return [
        Route("/tiles/{viewer}/{job}/{side}/survey.json", survey),
        Route("/tiles/{viewer}/{job}/{side}/{factor:int}/{column:int}_{row:int}.png", tile),
        Route("/shipped/{name}", _shipped),
    ]


def tiles_of(secret: bytes, viewer: str, job_id: str, side: str) -> dict[str, Any]:
    """Return where a browser finds the tiles of a side of a job."""
    path = path_for(viewer, "tiles", job_id, side)
    return {"url": f"/{path}", "ticket": ticket(secret, path), "side_px": SIDE_PX}


def _shipped(request: Request) -> Response:
    """Send a file that came with the package."""
    path = SHIPPED.get(request.path_params["name"])
    if path is None:
        return PlainTextResponse("404: there is no such file\n", 404)
    return FileResponse(path, headers=_FOR_EVER)
