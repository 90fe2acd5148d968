"""The part of the page that sends files straight to the store; its scripts are in ``browser``."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from ui.parts import listened, part
from ui.service import connection as service
from ui.uploads.links import begin_link

_KEY = "uploads"
_NEW_LINK_S = 6 * 3600
"""An open page gets a new link so often, long before the one before expires."""


_draw = part("uploads/browser")


@dataclass(frozen=True)
class Arrived:
    """What the browser says: the ids of uploads that have arrived, and how many files are on their way."""

    ids: tuple[str, ...] = ()
    sending: int = 0


def uploads_part(types: Sequence[str], hint: str, gone: Sequence[str]) -> Arrived:
    """Draw the place to drop files and those that are there; return what the browser says of them.

    Parameters
    ----------
    types: suffixes of the files that are taken, in small letters.
    hint: a line about them.
    gone: ids that the browser has named and that are no uploads (any more).

    """
    known = st.session_state.get(_KEY)
    said = _arrived(known.files) if known is not None and "files" in known else Arrived()
    result = _draw(
        key=_KEY,
        data={
            "begin": _link(service.user(), int(time.time()) // _NEW_LINK_S),
            "user": service.user(),
            "types": list(types),
            "hint": hint,
            "known": {"done": list(said.ids), "sending": said.sending},
            "gone": list(gone),
        },
        default={"files": None},
        on_files_change=listened,
    )
    return _arrived(result.files)


def _link(user: str, number: int) -> str:
    """Return the link by which uploads begin, the same one until there is a further ``number``."""
    return begin_link(service.link_secret(), user, number * _NEW_LINK_S)


def _arrived(said: object) -> Arrived:
    """Return what the browser says, as far as it makes sense: whoever sends it can send anything."""
    if not isinstance(said, dict):
        return Arrived()
    done, sending = said.get("done"), said.get("sending")
    ids = [one.get("id") for one in done if isinstance(one, dict)] if isinstance(done, list) else []
    return Arrived(
        tuple(one for one in ids if isinstance(one, str)), sending if isinstance(sending, int) else 0
    )
