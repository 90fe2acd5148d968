"""What the page remembers of one visitor between two drawings."""

import streamlit as st

from mpi_stage.errors import StageError
from ui.builder import Pipeline

TEXT_KEY = "pipeline_text"
_PIPELINE_KEY = "pipeline"
_FAULT_KEY = "pipeline_fault"
_FLASH_KEY = "flash"


def pipeline() -> Pipeline:
    """Return the pipeline as built so far."""
    held: Pipeline = st.session_state.setdefault(_PIPELINE_KEY, Pipeline())
    return held


def keep(changed: Pipeline) -> None:
    """Remember a changed pipeline and spell it out in the text field; to be called from callbacks."""
    st.session_state[_PIPELINE_KEY] = changed
    st.session_state[TEXT_KEY] = changed.to_text()
    st.session_state[_FAULT_KEY] = None


def keep_text() -> None:
    """Take the pipeline over from the text field, or remember what is wrong with the text."""
    try:
        changed = pipeline().rewritten(st.session_state[TEXT_KEY])
    except StageError as error:
        st.session_state[_FAULT_KEY] = error.public_message
    else:
        st.session_state[_PIPELINE_KEY] = changed
        st.session_state[_FAULT_KEY] = None


def fault() -> str | None:
    """Return what is wrong with the pipeline, None if it can run (or is empty)."""
    remembered: str | None = st.session_state.get(_FAULT_KEY)
    if remembered is not None or not pipeline().drafts:
        return remembered
    try:
        pipeline().check()
    except StageError as error:
        return error.public_message
    return None


def flash(text: str) -> None:
    """Have ``text`` shown once, at the next drawing."""
    st.session_state.setdefault(_FLASH_KEY, []).append(text)


def flashes() -> list[str]:
    """Return, once, what is to be shown."""
    texts: list[str] = st.session_state.pop(_FLASH_KEY, [])
    return texts
