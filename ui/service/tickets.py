"""Signed leave to ask one route for one thing for a while, made for who looks at the page.

It is a user's link of ``pipeline.stores.links`` over the path, which names the viewer: what a path leads to
is worked out on behalf of that viewer alone. No link to a file is a ticket, whatever the file's key is.
"""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote

from pipeline.stores.links import sign_user_link, verify_user_link

LIFE_S = 24 * 3600
_STEP_S = 3600
_PERSON = "u-"
_HOLDER = "viewer"
NOBODY = "program"
"""The viewer where there is no login."""


def viewer_of(name: str | None) -> str:
    """Return how paths name who has logged in; :data:`NOBODY` where there is no login."""
    return NOBODY if name is None else _PERSON + urlsafe_b64encode(name.encode()).decode()


def name_of(viewer: str) -> str | None:
    """Return the name that :func:`viewer_of` was given."""
    if not viewer.startswith(_PERSON):
        return None
    return urlsafe_b64decode(viewer.removeprefix(_PERSON)).decode()


def path_for(viewer: str, kind: str, *parts: str) -> str:
    """Return the path of a route of a kind, for a viewer; a part may have any characters."""
    return "/".join((kind, *(quote(part, safe="") for part in (viewer, *parts))))


def ticket(secret: bytes, path: str, *, life_s: int = LIFE_S) -> str:
    """Return the query that lets its holder ask for ``path``; the same one for about an hour."""
    expires_at = (int(time.time()) // _STEP_S + 1) * _STEP_S + life_s
    return sign_user_link(secret, path, _HOLDER, method="GET", expires_at=expires_at)


def check_ticket(secret: bytes, path: str, query: str) -> None:
    """Raise LinkError unless ``query`` is a ticket for ``path`` that holds now."""
    verify_user_link(secret, path, query, method="GET", now=time.time())
