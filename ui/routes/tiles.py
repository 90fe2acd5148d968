"""Routes for tiles of jobs' images, on behalf of whom their ticket names."""

import base64
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mpi_stage.contract import Tile
from mpi_stage.errors import StageError
from pipeline.client import Client
from pipeline.errors import HalorowError
from pipeline.previews.tiles import TileReaders
from ui.routes.live import sorry
from ui.service.tickets import check_ticket, path_for, ticket

SIDE_PX = 512
SIDES = ("before", "after")
_KEPT = {"cache-control": "private, max-age=86400", "x-content-type-options": "nosniff"}


def tile_routes(
    secret: Callable[[], bytes], readers: Callable[[], TileReaders], client_of: Callable[[str], Client]
) -> list[Route]:
    """Return ``GET /tiles/{viewer}/{job}/{side}/…``.

    Of a side, ``before`` or ``after``, there are ``survey.json`` and ``{factor}/{column}_{row}.png``.

    Parameters
    ----------
    secret: gives the secret that tickets are signed with.
    readers: gives what makes the tiles.
    client_of: gives the client of a viewer. Raises HalorowError.

    """
    tiles = _Tiles(secret, readers, client_of)
    return [
        Route("/tiles/{viewer}/{job}/{side}/survey.json", tiles.survey),
        Route("/tiles/{viewer}/{job}/{side}/{factor:int}/{column:int}_{row:int}.png", tiles.tile),
    ]


class _Tiles:
    """The handlers."""

    def __init__(
        self,
        secret: Callable[[], bytes],
        readers: Callable[[], TileReaders],
        client_of: Callable[[str], Client],
    ) -> None:
        self._secret, self._readers, self._client_of = secret, readers, client_of

    def survey(self, request: Request) -> Response:
        """Tell what is known of a whole image."""
        return self._answer(
            request, lambda job, generation: JSONResponse(self._known(job, generation), headers=_KEPT)
        )

    def tile(self, request: Request) -> Response:
        """Send a tile."""
        given = request.path_params
        if given["factor"] < 1:  # what the stage takes for the survey
            return PlainTextResponse("404: there is no such tile\n", 404)

        def make(job: Any, generation: str) -> Response:  # noqa: ANN401  (the stage's request)
            low, high = self._known(job, generation)["stretch"] or (0.0, 0.0)
            place = given["factor"], given["column"], given["row"]
            made = self._readers().ask(job, Tile(generation, *place, SIDE_PX, low, high))
            return Response(base64.b64decode(made["png"]), media_type="image/png", headers=_KEPT)

        return self._answer(request, make)

    def _known(self, job: Any, generation: str) -> dict[str, Any]:  # noqa: ANN401  (as above)
        return self._readers().ask(job, Tile(generation, side=SIDE_PX))

    def _answer(self, request: Request, make: Callable[[Any, str], Response]) -> Response:
        """Return what is made of what a holder of a ticket asks for, or why there is nothing."""
        try:
            return make(*self._asked(request))
        except HalorowError as error:
            return sorry(error, request.url.path, request)
        except StageError as error:
            return PlainTextResponse(f"{error.public_message}\n", 422)

    def _asked(self, request: Request) -> tuple[Any, str]:
        """Return what the stage is to be asked, for a holder of a ticket. Raises HalorowError."""
        given = request.path_params
        path = path_for(given["viewer"], "tiles", given["job"], given["side"])
        check_ticket(self._secret(), path, request.url.query)
        return self._client_of(given["viewer"]).tile_request(given["job"], after=given["side"] == "after")


def tiles_of(secret: bytes, viewer: str, job_id: str, side: str) -> dict[str, Any]:
    """Return where a browser finds the tiles of a side of a job."""
    path = path_for(viewer, "tiles", job_id, side)
    return {"url": f"/{path}", "ticket": ticket(secret, path), "side_px": SIDE_PX}
