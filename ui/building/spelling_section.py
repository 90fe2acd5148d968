"""The pipeline as text and as JSON, each to be edited, and what is wrong with it."""

import re

import streamlit as st

from ui import words
from ui.drafts.workbench import Spelling, Workbench

_LINE_PX = 26
_LEAST_PX, _MOST_PX = 68, 320
_SPELLINGS: list[Spelling] = ["Text", "JSON"]
_TEXT_KEY = "pipeline_text"
_PLACED = re.compile(r"step (\d+) \(([^)]*)\): (.*)")


def spelling_section(bench: Workbench) -> None:
    """Draw the choice of the spelling, the field, and its faults below it."""
    spelling: Spelling = st.segmented_control(
        "Spelling",
        _SPELLINGS,
        default="Text",
        required=True,
        label_visibility="collapsed",
        key="spelling",
    )
    as_json = spelling == "JSON"
    text = bench.text(spelling)
    version = bench.version
    key = f"{_TEXT_KEY}_{version}"
    lines = text.count("\n") + 2 if as_json else 2
    written = st.text_area(
        "As JSON" if as_json else "As text",
        value=text,
        key=key,
        on_change=lambda: bench.take_text(version, st.session_state[key]),
        height=min(_MOST_PX, max(_LEAST_PX, lines * _LINE_PX)),
        placeholder="gaussian:sigma=2 grayscale canny:low=50,high=150",
        help="The same pipeline in the spelling of the client and of job files; edit it here, or paste one."
        if as_json
        else "The same pipeline in the spelling of the command line; edit it here, or paste one.",
    )
    if bench.is_unread(written):  # Streamlit leaves callbacks out where a drawing was interrupted
        bench.take_text(version, written)
        st.rerun()
    fault = bench.text_fault or _of_all(bench)
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


def _of_all(bench: Workbench) -> str | None:
    """Return what is wrong with the pipeline as a whole, and with none of its steps alone."""
    return None if bench.pipeline.faults() else bench.fault()
