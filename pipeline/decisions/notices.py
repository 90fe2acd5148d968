"""Which notices somebody has not had yet: pure."""

from pipeline.models import Notice


def notices_after(notices: list[Notice], after: str | None) -> list[Notice]:
    """Return what follows the notice with the id ``after``; everything where it is not among them."""
    ids = [notice.id for notice in notices]
    return notices[ids.index(after) + 1 :] if after in ids else notices
