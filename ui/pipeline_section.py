"""The part of the page where a pipeline is built, by forms or as text."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaration import Value
from mpi_stage.operations.index import find
from ui import state, words
from ui.builder import Draft
from ui.forms import Field, Widget, fields_of
from ui.number_lists import as_numbers, as_text

_ADD_KEY = "add_operation"
_PER_ROW = 3


def pipeline_section() -> None:
    """Draw the steps with their forms, the choice of a further one, and the text."""
    st.subheader("Pipeline", anchor=False, divider="gray")
    drafts = state.pipeline().drafts
    for place, draft in enumerate(drafts):
        _step(place, len(drafts), draft)
    add_key = _add_key()
    st.selectbox(
        "Add an operation",
        [operation.name for operation in OPERATIONS],
        index=None,
        format_func=_entry,
        placeholder="Add an operation: type to search",
        label_visibility="collapsed",
        key=add_key,
        on_change=_add,
        args=(add_key,),
    )
    _text()


def _entry(name: str) -> str:
    """Return how the catalogue's list shows an operation."""
    operation = find(name)
    return f"{operation.label} ({operation.name}) · {operation.family}"


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


def _step(place: int, steps: int, draft: Draft) -> None:
    """Draw one step: its name, the buttons to move and remove it, and its form."""
    operation = find(draft.op)
    fields = fields_of(operation)
    with st.container(border=True, key=f"step_{draft.uid}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
            st.markdown(f"**{place + 1} · {operation.label}**", help=operation.help, width="stretch")
            further = [field for field in fields if field.further]
            if further:
                with st.popover("Border", type="tertiary", help="What the operation sees outside the image"):
                    for field in further:
                        _input(draft, field)
            uid = draft.uid
            _icon("arrow_upward", "Move up", f"up_{uid}", partial(_move, uid, -1), disabled=place == 0)
            _icon(
                "arrow_downward",
                "Move down",
                f"down_{uid}",
                partial(_move, uid, 1),
                disabled=place == steps - 1,
            )
            _icon("delete", "Remove", f"remove_{uid}", partial(_remove, uid))
        plain = [field for field in fields if not field.further]
        for first in range(0, len(plain), _PER_ROW):
            for column, field in zip(st.columns(_PER_ROW), plain[first : first + _PER_ROW], strict=False):
                with column:
                    _input(draft, field)


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


def _take(uid: int, name: str, key: str) -> None:
    """Take a value over from its input into the pipeline."""
    value: Value = st.session_state[key]
    if isinstance(value, str) and _is_numbers(uid, name):
        value = as_numbers(value)
    state.keep(state.pipeline().enter(uid, name, value))


def _is_numbers(uid: int, name: str) -> bool:
    """Whether a step's parameter is a list of numbers, entered as text."""
    ops = [draft.op for draft in state.pipeline().drafts if draft.uid == uid]
    fields = [field for op in ops for field in fields_of(find(op)) if field.name == name]
    return any(field.widget is Widget.TEXT for field in fields)


def _input(draft: Draft, field: Field) -> None:
    """Draw the input for one parameter, filled with its present value."""
    key = f"{draft.uid}_{field.name}"
    value = draft.value(field.name)
    more: dict[str, Any] = {
        "key": key,
        "help": field.help,
        "on_change": _take,
        "args": (draft.uid, field.name, key),
    }
    if field.widget is Widget.WHOLE_NUMBER:
        _number(field, value, int, more)
    elif field.widget is Widget.NUMBER:
        _number(field, value, float, more)
    elif field.widget is Widget.BUTTONS:
        st.segmented_control(field.label, field.choices, default=str(value), required=True, **more)
    elif field.widget is Widget.LIST:
        st.selectbox(field.label, field.choices, index=field.choices.index(str(value)), **more)
    elif field.widget is Widget.SWITCH:
        st.toggle(field.label, value=bool(value), **more)
    else:
        st.text_input(field.label, value=as_text(value), placeholder="numbers with commas", **more)


def _number(field: Field, value: Value, kind: type[int] | type[float], more: dict[str, Any]) -> None:
    """Draw a number input; what the page hands over has all to be of one kind."""
    numbers: dict[str, Any] = {
        "min_value": None if field.minimum is None else kind(field.minimum),
        "max_value": None if field.maximum is None else kind(field.maximum),
        "value": kind(value) if isinstance(value, int | float) else None,
        "step": kind(field.step),
        "format": None if kind is int else "%g",
    }
    st.number_input(field.label, placeholder=field.placeholder, **numbers, **more)


def _text() -> None:
    """Draw the pipeline as text, to be edited, and what is wrong with it."""
    key = state.text_key()
    st.text_area(
        "As text",
        value=state.text_field()[1],
        key=key,
        on_change=state.keep_text,
        args=(key,),
        height=68,
        placeholder="gaussian:sigma=2 grayscale canny:low=50,high=150",
        help="The same pipeline in the spelling of the command line; edit it here, or paste one.",
    )
    fault = state.fault()
    if fault:
        st.error(words.plain(fault), icon=":material/edit_off:")
