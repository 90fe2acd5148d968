"""The form of one step: an input for each parameter, filled with what was entered."""

from typing import Any

import streamlit as st

from mpi_stage.operations.declaring.declaration import Value
from mpi_stage.operations.index import find
from ui.drafts import state
from ui.drafts.builder import Draft
from ui.drafts.forms import Field, Widget, fields_of
from ui.drafts.number_lists import as_numbers, as_text

_PER_ROW = 3


def step_form(draft: Draft) -> None:
    """Draw the inputs for a step's own parameters."""
    plain = [field for field in fields_of(find(draft.op)) if not field.further]
    for first in range(0, len(plain), _PER_ROW):
        for column, field in zip(st.columns(_PER_ROW), plain[first : first + _PER_ROW], strict=False):
            with column:
                _input(draft, field)


def border_form(draft: Draft) -> None:
    """Draw the button behind which are the settings that few people need, where there are any."""
    further = [field for field in fields_of(find(draft.op)) if field.further]
    if further:
        with st.popover("Border", type="tertiary", help="What the operation sees outside the image"):
            for field in further:
                _input(draft, field)


def _take(uid: int, name: str, key: str) -> None:
    """Take a value over from its input into the pipeline.

    Streamlit also calls this with the value that the input was filled with, where the drawing that filled
    it was interrupted: a text that was entered at the same time must not be thrown away with its field.
    """
    value: Value = st.session_state[key]
    if isinstance(value, str) and _is_numbers(uid, name):
        value = as_numbers(value)
    if any(draft.uid == uid and draft.value(name) != value for draft in state.pipeline().drafts):
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
