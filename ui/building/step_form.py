"""The form of one step: an input for each parameter, filled with what was entered."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from mpi_stage.operations.declaring.declaration import Value
from mpi_stage.operations.index import find
from ui.drafts.builder import Draft
from ui.drafts.forms import Field, Widget, fields_of
from ui.drafts.number_lists import as_numbers, as_text
from ui.drafts.workbench import Workbench

_PER_ROW = 3


def step_form(bench: Workbench, draft: Draft) -> None:
    """Draw the inputs for a step's own parameters."""
    plain = [field for field in fields_of(find(draft.op)) if not field.further]
    for first in range(0, len(plain), _PER_ROW):
        for column, field in zip(st.columns(_PER_ROW), plain[first : first + _PER_ROW], strict=False):
            with column:
                _input(bench, draft, field)


def border_form(bench: Workbench, draft: Draft) -> None:
    """Draw the button behind which are the settings that few people need, where there are any."""
    further = [field for field in fields_of(find(draft.op)) if field.further]
    if further:
        with st.popover("Border", type="tertiary", help="What the operation sees outside the image"):
            for field in further:
                _input(bench, draft, field)


def _input(bench: Workbench, draft: Draft, field: Field) -> None:
    """Draw the input for one parameter, filled with its present value, and take over what it has."""
    key = f"{draft.uid}_{field.name}"

    def take(entered: Any) -> bool:  # noqa: ANN401  (whatever the input gives)
        """Take a value over; return whether it is another one."""
        value = as_numbers(entered) if field.widget is Widget.TEXT else entered
        return bench.enter(draft.uid, field.name, value)

    entered = _widget(field, draft.value(field.name), key, lambda: take(st.session_state[key]))
    if take(entered):  # Streamlit leaves callbacks out where a drawing was interrupted
        st.rerun()


def _widget(field: Field, value: Value, key: str, changed: Callable[[], object]) -> Any:  # noqa: ANN401  (as above)
    """Draw what suits a parameter; return what is in it."""
    more: dict[str, Any] = {
        "key": key,
        "help": field.help,
        "on_change": changed,
    }
    if field.widget is Widget.WHOLE_NUMBER:
        return _number(field, value, int, more)
    if field.widget is Widget.NUMBER:
        return _number(field, value, float, more)
    if field.widget is Widget.BUTTONS:
        return st.segmented_control(field.label, field.choices, default=str(value), required=True, **more)
    if field.widget is Widget.LIST:
        return st.selectbox(field.label, field.choices, index=field.choices.index(str(value)), **more)
    if field.widget is Widget.SWITCH:
        return st.toggle(field.label, value=bool(value), **more)
    return st.text_input(field.label, value=as_text(value), placeholder="numbers with commas", **more)


def _number(field: Field, value: Value, kind: type[int] | type[float], more: dict[str, Any]) -> Any:  # noqa: ANN401  (as above)
    """Draw a number input; what the page hands over has all to be of one kind."""
    numbers: dict[str, Any] = {
        "min_value": None if field.minimum is None else kind(field.minimum),
        "max_value": None if field.maximum is None else kind(field.maximum),
        "value": kind(value) if isinstance(value, int | float) else None,
        "step": kind(field.step),
        "format": None if kind is int else "%g",
    }
    return st.number_input(field.label, placeholder=field.placeholder, **numbers, **more)
