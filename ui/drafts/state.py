"""What the page remembers of one visitor between two drawings.

A browser sends the values of all its inputs with each of them that changes, also of inputs for which a
new value is still on its way to it. Inputs whose value the page itself sets anew therefore get a new
key each time: what comes late under an old key changes nothing.
"""

from typing import Literal

import streamlit as st

from mpi_stage.errors import StageError
from ui.drafts.builder import Pipeline

Spelling = Literal["Text", "JSON"]

LINKED = "pipeline"
"""The query parameter in which a link holds a pipeline."""

_PIPELINE_KEY = "pipeline"
_PAST_KEY = "pipeline_past"
_TEXT_KEY = "pipeline_text"
_DRAWN_KEY = "text_version"
_SPELLING_KEY = "spelling"
_FAULT_KEY = "pipeline_fault"
_FLASH_KEY = "flash"
_READ_KEY = "text_read"
_SPELT_KEY = "text_spelling"
_MOST_PAST = 50


def pipeline() -> Pipeline:
    """Return the pipeline as built so far; at first that of the link by which the visitor came."""
    if _PIPELINE_KEY not in st.session_state:
        _begin(st.query_params.get(LINKED, ""))
    held: Pipeline = st.session_state[_PIPELINE_KEY]
    return held


def _begin(linked: str) -> None:
    st.session_state[_PIPELINE_KEY] = Pipeline()
    st.session_state[_FAULT_KEY] = None
    st.session_state[_DRAWN_KEY] = (0, linked)
    try:
        st.session_state[_PIPELINE_KEY] = Pipeline().rewritten(linked)
    except StageError as error:
        st.session_state[_FAULT_KEY] = error.public_message
    else:
        st.session_state[_DRAWN_KEY] = (0, _spelled())


def keep(changed: Pipeline) -> None:
    """Remember a pipeline changed by its forms, and have a fresh text field spell it out."""
    _remember(changed)
    redraw_text()


def undo() -> None:
    """Go back to the pipeline before the last change; without one, do nothing."""
    past: list[Pipeline] = st.session_state.get(_PAST_KEY, [])
    if past:
        st.session_state[_PIPELINE_KEY] = pipeline().restored(past.pop())
        redraw_text()


def can_undo() -> bool:
    """Whether there is a change to be taken back."""
    return bool(st.session_state.get(_PAST_KEY))


def respell() -> None:
    """Have a fresh text field spell out the pipeline if the present one has the other spelling."""
    if spelling() != st.session_state.get(_SPELT_KEY, "Text"):
        redraw_text()


def redraw_text() -> None:
    """Have a fresh text field spell out the pipeline."""
    version, _ = text_field()
    st.session_state[_SPELT_KEY] = spelling()
    st.session_state[_DRAWN_KEY] = (version + 1, _spelled())
    st.session_state[_FAULT_KEY] = None


def spelling() -> Spelling:
    """Return in which spelling the pipeline is shown."""
    chosen: Spelling = st.session_state.get(_SPELLING_KEY) or "Text"
    return chosen


def text_field() -> tuple[int, str]:
    """Return which text field it is, and what stood in it at first."""
    pipeline()
    held: tuple[int, str] = st.session_state[_DRAWN_KEY]
    return held


def text_key() -> str:
    """Return the key of the present text field."""
    return f"{_TEXT_KEY}_{text_field()[0]}"


def keep_text(key: str) -> None:
    """Take the pipeline over from a text field, or remember what is wrong with the text."""
    if key != text_key():
        return
    text = st.session_state[key]
    st.session_state[_READ_KEY] = (key, text)
    if spelling() == "JSON" and text.strip() and not text.lstrip().startswith("["):
        st.session_state[_FAULT_KEY] = "a pipeline in JSON is a list: it begins with [ and ends with ]"
        return
    try:
        changed = pipeline().rewritten(text)
    except StageError as error:
        st.session_state[_FAULT_KEY] = error.public_message
    else:
        _remember(changed)
        st.session_state[_FAULT_KEY] = None


def has_unread_text(key: str) -> bool:
    """Whether there is a text in the field that :func:`keep_text` was not told of."""
    held, read = st.session_state.get(key), st.session_state.get(_READ_KEY)
    known = read[1] if read is not None and read[0] == key else text_field()[1]
    return held is not None and held != known


def text_fault() -> str | None:
    """Return what is wrong with the text as it stands there, which the pipeline has not become."""
    pipeline()
    remembered: str | None = st.session_state[_FAULT_KEY]
    return remembered


def fault() -> str | None:
    """Return what is wrong with the pipeline or its text, None if it can run (or is empty)."""
    if text_fault() is not None or not pipeline().active:
        return text_fault()
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


def _remember(changed: Pipeline) -> None:
    """Put a pipeline in the place of the present one, which can be had back."""
    before = pipeline()
    if changed.drafts != before.drafts:
        past: list[Pipeline] = st.session_state.setdefault(_PAST_KEY, [])
        past.append(before)
        del past[:-_MOST_PAST]
    st.session_state[_PIPELINE_KEY] = changed


def _spelled() -> str:
    return pipeline().to_json_text() if spelling() == "JSON" else pipeline().to_text()
