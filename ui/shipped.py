"""What browsers load beside the page: the scripts of its parts, as they came with the package.

Their address has a digest of them all in it, so that browsers keep them for good, and a newer release has
others. What one script imports of its folder is below the same digest.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

ROOT = Path(__file__).parent
_PREFIX = "/shipped"
_DIGITS = 16
_HEADERS = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


@cache
def scripts() -> dict[str, Path]:
    """Return the scripts by their paths below the package."""
    return {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.js"))}


def address(script: str) -> str:
    """Return where a browser finds a script, which is named by its path below the package."""
    return f"{_PREFIX}/{_digest()}/{script}"


def shipped_routes() -> list[Route]:
    """Return ``GET /shipped/{digest}/{script}``, which anybody may ask."""
    return [Route(_PREFIX + "/{digest}/{script:path}", _send)]


@cache
def _digest() -> str:
    digest = sha256()
    for name, path in scripts().items():
        digest.update(f"{name}\n{path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _send(request: Request) -> Response:
    path = scripts().get(request.path_params["script"])
    if path is None or request.path_params["digest"] != _digest():
        return PlainTextResponse("404: there is no such file; reload the page\n", 404)
    return FileResponse(path, media_type="text/javascript", headers=_HEADERS)
