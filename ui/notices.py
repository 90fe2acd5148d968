"""What the notifier has to tell, shown in passing."""

import streamlit as st

from pipeline.errors import HalorowError
from ui import service, words

_SEEN_KEY = "notices_seen"
_LAST_KEY = "last_notice"


def show_notices() -> None:
    """Show the notices that have come since the last drawing; those from before the visit are old news."""
    try:
        fresh = service.client().notices(service.user(), st.session_state.get(_LAST_KEY))
    except HalorowError:
        return
    if st.session_state.get(_SEEN_KEY):
        for notice in fresh:
            st.toast(words.plain(notice.text), icon=":material/notifications:")
    st.session_state[_SEEN_KEY] = True
    if fresh:
        st.session_state[_LAST_KEY] = fresh[-1].id
