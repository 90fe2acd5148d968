"""The pipeline as text and as JSON, each to be edited, and what is wrong with it."""

import re

import streamlit as st

from ui import words
from ui.drafts import state

_LINE_PX = 26
_LEAST_PX, _MOST_PX = 68, 320
_PLACED = re.compile(r"step (\d+) \(([^)]*)\): (.*)")


def spelling_section() -> None:
    """Draw the choice of the spelling, the field, and its faults below it."""
    st.segmented_control(
        "Spelling",
        ["Text", "JSON"],
        default="Text",
        required=True,
        label_visibility="collapsed",
        key="spelling",
        on_change=state.respell,
    )
    key, (_, text), as_json = state.text_key(), state.text_field(), state.spelling() == "JSON"
    lines = text.count("\n") + 2 if as_json else 2
    st.text_area(
        "As JSON" if as_json else "As text",
        value=text,
        key=key,
        on_change=state.keep_text,
        args=(key,),
        height=min(_MOST_PX, max(_LEAST_PX, lines * _LINE_PX)),
        placeholder="gaussian:sigma=2 grayscale canny:low=50,high=150",
        help="The same pipeline in the spelling of the client and of job files; edit it here, or paste one."
        if as_json
        else "The same pipeline in the spelling of the command line; edit it here, or paste one.",
    )
    if state.has_unread_text(key):  # Streamlit leaves callbacks out where a drawing was interrupted
        state.keep_text(key)
        st.rerun()
    fault = state.text_fault() or _of_all()
    if fault:
        st.error(fault_text(fault), icon=":material/edit_off:")


def fault_text(fault: str) -> str:
    """Return what is wrong, one line for each step, as Markdown that begins with which step it is."""
    lines = []
    for line in fault.splitlines():
        found = _PLACED.fullmatch(line)
        if found:
            number, name, what = found.groups()
            lines.append(f"**Step {number}, {words.plain(name)}** · {words.plain(what)}")
        else:
            lines.append(words.plain(line[:1].upper() + line[1:]))
    return "  \n".join(lines)


def _of_all() -> str | None:
    """Return what is wrong with the pipeline as a whole, and with none of its steps alone."""
    return None if state.pipeline().faults() else state.fault()
