"""The signed links by which a browser begins an upload and goes on with it."""

from pipeline.stores.links import sign_user_link

PREFIX = "/uploads"
BEGIN_KEY = "uploads"

BEGIN_LIFE_S = 24 * 3600
"""A page that stays open gets another link long before (see ``ui.uploads.part``)."""

UPLOAD_LIFE_S = 24 * 3600
"""An upload that takes longer is given further links by beginning it again under its id."""


def key_of(upload_id: str) -> str:
    """Return what the links of an upload are to."""
    return f"{BEGIN_KEY}/{upload_id}"


def begin_link(secret: bytes, user: str, now: float) -> str:
    """Return where a user begins uploads, for a day from the Unix time ``now``."""
    expires_at = int(now) + BEGIN_LIFE_S
    return f"{PREFIX}?{sign_user_link(secret, BEGIN_KEY, user, method='POST', expires_at=expires_at)}"


def upload_links(secret: bytes, user: str, upload_id: str, now: float) -> dict[str, str]:
    """Return the links by which a user asks for an upload's state, sends, ends and cancels it, by method."""
    key, expires_at = key_of(upload_id), int(now) + UPLOAD_LIFE_S
    return {
        method: f"{PREFIX}/{upload_id}?"
        + sign_user_link(secret, key, user, method=method, expires_at=expires_at)
        for method in ("GET", "PATCH", "POST", "DELETE")
    }
