"""Draws the bell, and keeps what a visit knows of its notices."""

import time
from datetime import datetime

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pipeline.channels.models import Choices
from pipeline.errors import HalorowError
from ui import words
from ui.bell import notices
from ui.parts import listened, part
from ui.service import connection as service

REDRAW_S = 2.0
_KEPT_S = 30.0
"""How long what is in the store is not asked for again; changes of this visit count at once."""

_KNOWN_KEY = "notices_known"
_STORE_KEY = "notices_of_store"


_ring = part("bell/ring")
_ask = part("bell/ask")


@st.fragment(run_every=REDRAW_S)
def bell(page: StreamlitPage) -> None:
    """Draw the bell, which leads to ``page``; show what has come since the last drawing in passing."""
    try:
        choices, seen = _of_store()
        found = service.client().desk().notices()
    except HalorowError:
        return
    fresh = notices.fresh(found, st.session_state.get(_KNOWN_KEY))
    st.session_state[_KNOWN_KEY] = {notice.id for notice in found}
    for notice in notices.chosen(fresh, choices.page):
        st.toast(words.plain(notice.text), icon=":material/notifications:")
    unread = notices.unread(found, seen)
    with st.container(key="bell", width="content"):
        st.page_link(page, label=notices.badge(unread), icon=":material/notifications:")
    shown = notices.chosen(fresh, choices.browser)
    _ring(
        key="ring",
        data={"unread": unread, "show": [{"id": one.id, "text": one.text} for one in shown]},
    )


def ask_part() -> None:
    """Draw the button by which the browser is asked whether it may show notifications."""
    _ask(key="ask", default={"permission": None}, on_permission_change=listened)


def forget() -> None:
    """Have the store asked again: something was changed."""
    st.session_state.pop(_STORE_KEY, None)


def _of_store() -> tuple[Choices, datetime | None]:
    """Return the visitor's choices, and up to when they have looked; raises HalorowError."""
    held = st.session_state.get(_STORE_KEY)
    if held is None or time.monotonic() - held[0] > _KEPT_S:
        desk = service.client().desk()
        held = (time.monotonic(), desk.choices(), desk.seen())
        st.session_state[_STORE_KEY] = held
    return held[1], held[2]
