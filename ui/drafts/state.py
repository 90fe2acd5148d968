"""What the page remembers of one visitor between two drawings."""

import streamlit as st

from ui.drafts.workbench import Workbench

LINKED = "pipeline"
"""The query parameter in which a link holds a pipeline."""

_WORKBENCH_KEY = "workbench"
_FLASH_KEY = "flash"


def workbench() -> Workbench:
    """Return the visitor's pipeline; at first that of the link by which they came."""
    held: Workbench | None = st.session_state.get(_WORKBENCH_KEY)
    if held is None:
        held = st.session_state[_WORKBENCH_KEY] = Workbench.begun_with(st.query_params.get(LINKED, ""))
    return held


def flash(text: str) -> None:
    """Have ``text`` shown once, at the next drawing."""
    st.session_state.setdefault(_FLASH_KEY, []).append(text)


def flashes() -> list[str]:
    """Return, once, what is to be shown."""
    texts: list[str] = st.session_state.pop(_FLASH_KEY, [])
    return texts
