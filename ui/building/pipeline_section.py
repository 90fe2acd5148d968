"""The part of the page where a pipeline is built: its steps, the catalogue, presets, and the spellings."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.index import find
from ui import words
from ui.building.catalogue_view import entry
from ui.building.presets_section import link_button, presets_button
from ui.building.spelling_section import spelling_section
from ui.building.step_form import border_form, step_form
from ui.drafts import state
from ui.drafts.builder import Draft
from ui.drafts.workbench import Workbench

_ADD_KEY = "add_operation"


def pipeline_section() -> None:
    """Draw the steps with their forms, the choice of a further one, and the spellings."""
    st.subheader("Pipeline", anchor=False, divider="gray")
    bench = state.workbench()
    _tools(bench)
    drafts, faults = bench.pipeline.drafts, bench.pipeline.faults()
    for place, draft in enumerate(drafts):
        _step(bench, place, draft, faults.get(draft.uid))
    _catalogue(bench)
    spelling_section(bench)


def _catalogue(bench: Workbench) -> None:
    """Draw the choice of a further operation: a fresh one for every step."""
    number = bench.pipeline.next_uid
    key = f"{_ADD_KEY}_{number}"
    picked = st.selectbox(
        "Add an operation",
        [operation.name for operation in OPERATIONS],
        index=None,
        format_func=entry,
        placeholder="Add an operation: type to search",
        label_visibility="collapsed",
        key=key,
        on_change=partial(_picked, bench, number, key),
    )
    # Streamlit leaves callbacks out where a drawing was interrupted.
    if picked is not None and bench.pick(number, picked):
        st.rerun()


def _picked(bench: Workbench, number: int, key: str) -> None:
    """Take over what has been picked in a list."""
    bench.pick(number, st.session_state[key])


def _tools(bench: Workbench) -> None:
    """Draw what can be done with the pipeline as a whole."""
    with st.container(horizontal=True, gap="small", key="pipeline_tools"):
        presets_button()
        link_button()
        st.button(
            "Undo",
            icon=":material/undo:",
            type="tertiary",
            key="undo",
            help="Take the last change of the pipeline back",
            disabled=not bench.can_undo,
            on_click=bench.undo,
        )


def _step(bench: Workbench, place: int, draft: Draft, fault: str | None) -> None:
    """Draw one step: its name, what can be done with it, its form, and what is wrong with it."""
    operation, uid = find(draft.op), draft.uid
    with st.container(border=True, key=f"step_{uid}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            title = f"{place + 1} · {operation.label}"
            shown = f"**{title}**" if draft.on else f":gray[{title} · off]"
            st.markdown(shown, help=operation.help, width="stretch")
            if draft.on:
                border_form(bench, draft)
            _icon(
                "visibility" if draft.on else "visibility_off",
                "Switch off" if draft.on else "Switch on",
                f"switch_{uid}",
                partial(bench.switch, uid, on=not draft.on),
            )
            _icon("arrow_upward", "Move up", f"up_{uid}", partial(bench.move, uid, -1), disabled=place == 0)
            _icon(
                "arrow_downward",
                "Move down",
                f"down_{uid}",
                partial(bench.move, uid, 1),
                disabled=draft is bench.pipeline.drafts[-1],
            )
            _icon("delete", "Remove", f"remove_{uid}", partial(bench.remove, uid))
        if draft.on:
            step_form(bench, draft)
        if fault:
            st.error(words.plain(fault), icon=":material/edit_off:")


def _icon(icon: str, tip: str, key: str, action: Callable[[], None], *, disabled: bool = False) -> None:
    """Draw a button that is only an icon to the eye (see ``look``), and has its name for screen readers."""
    st.button(
        tip,
        icon=f":material/{icon}:",
        help=tip,
        key=key,
        type="tertiary",
        disabled=disabled,
        on_click=action,
    )
