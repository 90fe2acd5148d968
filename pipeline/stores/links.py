"""Signed links to objects of a local store: who holds one may do one thing with one object for a while.

A link is ``{base}/files/{key}?method=GET&expires=1767225600&filename=cat.tif&signature=…``. The
signature is an HMAC-SHA256 (RFC 2104) over method, key, expiry and file name, so none of them can be
altered. A link may be a user's: then it names them, and what is done with it is done in their name. No
link to a file is such a link, and no such link is one to a file. All functions here are pure: the time is
passed in.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from pipeline.errors import LinkError

LINK_METHODS = ("GET", "PUT")
"""What a link to a file can allow; a link for GET also answers HEAD."""

USER_LINK_METHODS = ("GET", "POST", "PATCH", "DELETE")
"""What a user's link can allow."""

MAX_LINK_LIFE_S = 7 * 24 * 3600
"""Seven days, the longest life of a V4 signed link on Google Cloud Storage; the same for all stores."""

_VERSION = "halorow-link-1"
_USER_VERSION = "halorow-user-link-1"
_FIELDS = ("method", "expires", "user", "filename", "signature")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_DIGITS = re.compile("[0-9]{1,12}")


@dataclass(frozen=True)
class Link:
    """What a verified link allows.

    Attributes
    ----------
    key: the object, or what else the link is to.
    method: one of :data:`LINK_METHODS`, of :data:`USER_LINK_METHODS` for a user's.
    expires_at: Unix time in whole seconds; the link holds before it.
    filename: the name to save a download under, None where the link gives none.
    user: in whose name the link acts, None for a link to a file.

    """

    key: str
    method: str
    expires_at: int
    filename: str | None = None
    user: str | None = None


def check_link_request(method: str, life_s: int, filename: str | None = None) -> None:
    """Check what somebody asks a link for.

    Raises
    ------
    LinkError
        If the method cannot be allowed by a link, the life is not positive or too long, or the file
        name has control characters.

    """
    if method not in LINK_METHODS:
        raise LinkError(f"a link cannot allow {method!r}; ask for one of {', '.join(LINK_METHODS)}")
    if not 0 < life_s <= MAX_LINK_LIFE_S:
        raise LinkError(f"a link cannot live {life_s} s; ask for 1 to {MAX_LINK_LIFE_S} s (7 days)")
    if filename is not None and _CONTROL.search(filename):
        raise LinkError(f"the file name {filename!r} of a link has control characters; remove them")


def sign_link(
    secret: bytes, key: str, *, method: str = "GET", expires_at: int, filename: str | None = None
) -> str:
    """Return the query string that allows ``method`` on ``key`` until ``expires_at`` (Unix time, s).

    Raises
    ------
    LinkError
        If the method cannot be allowed by a link, the file name has control characters, or the
        secret is empty.

    """
    check_link_request(method, 1, filename)
    fields = {"method": method, "expires": str(int(expires_at))}
    if filename:
        fields["filename"] = filename
    fields["signature"] = _signature(secret, Link(key, method, int(expires_at), filename or None))
    return urlencode(fields, quote_via=quote, safe="")


def sign_user_link(secret: bytes, key: str, user: str, *, method: str, expires_at: int) -> str:
    """Return the query string that allows ``user`` one ``method`` on ``key``, until ``expires_at`` (Unix, s).

    Raises
    ------
    LinkError
        If the method cannot be allowed by such a link, the user has no name or one with control
        characters, or the secret is empty.

    """
    if method not in USER_LINK_METHODS:
        known = ", ".join(USER_LINK_METHODS)
        raise LinkError(f"a user's link cannot allow {method!r}; ask for one of {known}")
    if not user or _CONTROL.search(user):
        raise LinkError(
            f"{user!r} is no name of a user that a link could be for; use one without control characters"
        )
    link = Link(key, method, int(expires_at), user=user)
    fields = {"method": method, "expires": str(link.expires_at), "user": user}
    return urlencode({**fields, "signature": _signature(secret, link)}, quote_via=quote, safe="")


def verify_user_link(secret: bytes, key: str, query: str, *, method: str, now: float) -> str:
    """Return the user whom a link allows ``method`` on ``key`` at the time ``now`` (Unix time, s).

    Raises LinkError as :func:`verify_link`, and for a link to a file.
    """
    link = _verified(secret, key, query, method=method, now=now)
    if link.user is None:
        raise LinkError("the link is to a file, and no user's; reload the page for another")
    return link.user


def verify_link(secret: bytes, key: str, query: str, *, method: str, now: float) -> Link:
    """Return what a link allows, if it allows ``method`` on ``key`` at the time ``now`` (Unix time, s).

    Parameters
    ----------
    secret: the secret that the link was signed with.
    key: the object that is asked for, percent-decoded.
    query: the link's query string, as received.
    method: the method of the request; ``HEAD`` counts as ``GET``.
    now: the present Unix time in seconds.

    Raises
    ------
    LinkError
        If the link is malformed, altered, expired, for another method, or not one to a file.

    """
    link = _verified(secret, key, query, method=method, now=now)
    if link.user is not None:
        raise LinkError("the link is a user's, and not to a file; ask for one to the file")
    return link


def _verified(secret: bytes, key: str, query: str, *, method: str, now: float) -> Link:
    link, signature = _parse(key, query)
    expected = _signature(secret, link)
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        raise LinkError("the link has been altered or was signed with another secret; ask for a new one")
    if now >= link.expires_at:
        raise LinkError(f"the link expired {int(now - link.expires_at)} s ago; ask for a new one")
    asked = "GET" if method == "HEAD" else method
    if asked != link.method:
        raise LinkError(f"the link allows {link.method}, not {method}; ask for a link for {asked}")
    return link


def link_url(base_url: str, key: str, query: str) -> str:
    """Join the base of all links, a key and a query string to a link."""
    return f"{base_url.removesuffix('/')}/files/{quote(key, safe='/')}?{query}"


def _parse(key: str, query: str) -> tuple[Link, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=len(_FIELDS))
    except ValueError as error:
        raise LinkError("the link is not a signed link; copy it whole, or ask for a new one") from error
    fields = dict(pairs)
    known = len(fields) == len(pairs) and fields.keys() <= set(_FIELDS)
    if not known or not fields.keys() >= {"method", "expires", "signature"}:
        raise LinkError("the link lacks parts or has parts twice; copy it whole, or ask for a new one")
    if not _DIGITS.fullmatch(fields["expires"]):
        raise LinkError("the link's expiry is not a number; copy it whole, or ask for a new one")
    link = Link(
        key, fields["method"], int(fields["expires"]), fields.get("filename") or None, fields.get("user")
    )
    return link, fields["signature"]


def _signature(secret: bytes, link: Link) -> str:
    if not secret:
        raise LinkError("links cannot be signed without a secret; set one")
    # The file name comes last: it is the only part that could hold a line break.
    parts = (link.method, link.key, str(link.expires_at), link.filename or "")
    text = "\n".join((_VERSION, *parts) if link.user is None else (_USER_VERSION, link.user, *parts))
    return hmac.new(secret, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
