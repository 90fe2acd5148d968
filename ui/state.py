"""What the page remembers of one visitor between two drawings.

A browser sends the values of all its inputs with each of them that changes, also of inputs for which a
new value is still on its way to it. Inputs whose value the page itself sets anew therefore get a new
key each time: what comes late under an old key changes nothing.
"""

import streamlit as st

from mpi_stage.errors import StageError
from ui.builder import Pipeline

_PIPELINE_KEY = "pipeline"
_TEXT_KEY = "pipeline_text"
_DRAWN_KEY = "text_version"
_FAULT_KEY = "pipeline_fault"
_FLASH_KEY = "flash"


def pipeline() -> Pipeline:
    """Return the pipeline as built so far."""
    held: Pipeline = st.session_state.setdefault(_PIPELINE_KEY, Pipeline())
    return held


def keep(changed: Pipeline) -> None:
    """Remember a pipeline changed by its forms, and have a fresh text field spell it out."""
    version, _ = text_field()
    st.session_state[_PIPELINE_KEY] = changed
    st.session_state[_DRAWN_KEY] = (version + 1, changed.to_text())
    st.session_state[_FAULT_KEY] = None


def text_field() -> tuple[int, str]:
    """Return which text field it is, and what stood in it at first."""
    held: tuple[int, str] = st.session_state.setdefault(_DRAWN_KEY, (0, pipeline().to_text()))
    return held


def text_key() -> str:
    """Return the key of the present text field."""
    return f"{_TEXT_KEY}_{text_field()[0]}"


def keep_text(key: str) -> None:
    """Take the pipeline over from a text field, or remember what is wrong with the text."""
    if key != text_key():
        return
    try:
        changed = pipeline().rewritten(st.session_state[key])
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
