"""Verification of V4 signed links, as Google documents the canonical request."""

import hashlib
from calendar import timegm
from collections.abc import Callable
from time import strptime
from urllib.parse import quote

from fakes.gcs.account import ServiceAccount
from fakes.gcs.answers import BadRequestError, ExpiredError, ForbiddenError, Request

ALGORITHM = "GOOG4-RSA-SHA256"
MAX_LIFE_S = 7 * 24 * 3600

_SIGNATURE = "X-Goog-Signature"
_REQUIRED = (
    "X-Goog-Algorithm",
    "X-Goog-Credential",
    "X-Goog-Date",
    "X-Goog-Expires",
    "X-Goog-SignedHeaders",
    _SIGNATURE,
)


def is_signed(request: Request) -> bool:
    """Whether a request claims to come by a signed link."""
    return "X-Goog-Algorithm" in request.query


def verify(request: Request, account: ServiceAccount, clock: Callable[[], float]) -> None:
    """Refuse a request whose link is altered, expired, or made for another method."""
    query = request.query
    missing = [name for name in _REQUIRED if name not in query]
    if missing or query["X-Goog-Algorithm"] != ALGORITHM:
        raise BadRequestError(f"The link lacks {missing} or is not of {ALGORITHM}.")
    email, _, scope = query["X-Goog-Credential"].partition("/")
    if email != account.email or scope != f"{query['X-Goog-Date'][:8]}/auto/storage/goog4_request":
        raise ForbiddenError("The credential is not one of this service.")
    if "host" not in query["X-Goog-SignedHeaders"].split(";"):
        raise BadRequestError("The link does not sign the host.")
    _check_time(query["X-Goog-Date"], query["X-Goog-Expires"], clock())
    digest = hashlib.sha256(_canonical(request).encode()).hexdigest()
    message = "\n".join((ALGORITHM, query["X-Goog-Date"], scope, digest))
    try:
        signature = bytes.fromhex(query[_SIGNATURE])
    except ValueError:
        raise ForbiddenError("The signature is not hexadecimal.") from None
    if not account.verify(signature, message.encode()):
        raise ForbiddenError("The signature is not that of this request.")


def _check_time(date: str, expires: str, now: float) -> None:
    try:
        made_at, life_s = timegm(strptime(date, "%Y%m%dT%H%M%SZ")), int(expires)
    except ValueError:
        raise BadRequestError("The link's date or life cannot be understood.") from None
    if not 0 < life_s <= MAX_LIFE_S:
        raise BadRequestError(f"A link lives 1 to {MAX_LIFE_S} seconds.")
    if now >= made_at + life_s:
        raise ExpiredError("The link has expired.")


def _canonical(request: Request) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.query.items()
        if name != _SIGNATURE
    )
    signed = request.query["X-Goog-SignedHeaders"].split(";")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed)
    payload = request.headers["x-goog-content-sha256"] if "x-goog-content-sha256" in signed else None
    return "\n".join(
        (
            request.method,
            request.path,
            "&".join(f"{name}={value}" for name, value in pairs),
            headers,
            ";".join(signed),
            payload or "UNSIGNED-PAYLOAD",
        )
    )
