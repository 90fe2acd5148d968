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

_ADD_KEY = "add_operation"


def pipeline_section() -> None:
    """Draw the steps with their forms, the choice of a further one, and the spellings."""
    st.subheader("Pipeline", anchor=False, divider="gray")
    _tools()
    drafts = state.pipeline().drafts
    faults = state.pipeline().faults()
    for place, draft in enumerate(drafts):
        _step(place, len(drafts), draft, faults.get(draft.uid))
    add_key = _add_key()
    picked = st.selectbox(
        "Add an operation",
        [operation.name for operation in OPERATIONS],
        index=None,
        format_func=entry,
        placeholder="Add an operation: type to search",
        label_visibility="collapsed",
        key=add_key,
        on_change=_add,
        args=(add_key,),
    )
    if picked is not None:  # Streamlit leaves callbacks out where a drawing was interrupted
        _add(add_key)
        st.rerun()
    spelling_section()


def _tools() -> None:
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
            disabled=not state.can_undo(),
            on_click=state.undo,
        )


def _add_key() -> str:
    """Return the key of the present choice: there is a fresh one for every step."""
    return f"{_ADD_KEY}_{state.pipeline().next_uid}"


def _add(key: str) -> None:
    """Append the operation that was picked, once."""
    name = st.session_state[key]
    if name is not None and key == _add_key():
        state.keep(state.pipeline().add(name))


def _remove(uid: int) -> None:
    state.keep(state.pipeline().remove(uid))


def _move(uid: int, by: int) -> None:
    state.keep(state.pipeline().move(uid, by))


def _switch(uid: int, on: bool) -> None:
    state.keep(state.pipeline().switch(uid, on=on))


def _step(place: int, steps: int, draft: Draft, fault: str | None) -> None:
    """Draw one step: its name, what can be done with it, its form, and what is wrong with it."""
    operation, uid = find(draft.op), draft.uid
    with st.container(border=True, key=f"step_{uid}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            title = f"{place + 1} · {operation.label}"
            shown = f"**{title}**" if draft.on else f":gray[{title} · off]"
            st.markdown(shown, help=operation.help, width="stretch")
            if draft.on:
                border_form(draft)
            _icon(
                "visibility" if draft.on else "visibility_off",
                "Switch off" if draft.on else "Switch on",
                f"switch_{uid}",
                partial(_switch, uid, not draft.on),
            )
            _icon("arrow_upward", "Move up", f"up_{uid}", partial(_move, uid, -1), disabled=place == 0)
            _icon(
                "arrow_downward",
                "Move down",
                f"down_{uid}",
                partial(_move, uid, 1),
                disabled=place == steps - 1,
            )
            _icon("delete", "Remove", f"remove_{uid}", partial(_remove, uid))
        if draft.on:
            step_form(draft)
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
