"""Forms, worked out from declarations."""

import pytest

from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Pattern
from mpi_stage.operations.declaring.parameters import parameters_of
from mpi_stage.operations.index import find
from ui.drafts.forms import Widget, fields_of


def form(*parameters):
    operation = Operation("op", "Op", "help", "family", Pattern.POINT, "reference", parameters)
    return fields_of(operation)


@pytest.mark.parametrize(
    ("parameter", "widget"),
    [
        (Parameter("a", Kind.INT, "help"), Widget.WHOLE_NUMBER),
        (Parameter("a", Kind.FLOAT, "help"), Widget.NUMBER),
        (Parameter("a", Kind.BOOL, "help", default=False), Widget.SWITCH),
        (Parameter("a", Kind.NUMBERS, "help"), Widget.TEXT),
        (Parameter("a", Kind.CHOICE, "help", default="x", choices=("x", "y")), Widget.BUTTONS),
        (Parameter("a", Kind.CHOICE, "help", default="1", choices=tuple("12345")), Widget.LIST),
        (Parameter("a", Kind.CHOICE, "help", default="x", choices=("magnitude", "x", "y")), Widget.LIST),
    ],
)
def test_every_kind_of_value_has_its_widget(parameter, widget):
    assert [field.widget for field in form(parameter)] == [widget]


def test_the_help_names_the_bounds_and_that_only_odd_numbers_go():
    (field,) = form(Parameter("size", Kind.INT, "The side.", default=5, minimum=1, maximum=255, odd=True))
    assert field.help == "The side. From 1 to 255, odd."
    assert field.step == 2


def test_the_label_has_the_unit():
    (field,) = form(Parameter("theta_degrees", Kind.FLOAT, "An angle", default=1.0, unit="degrees"))
    assert field.label == "Theta degrees (degrees)"


def test_an_optional_value_says_that_it_is_derived_and_a_needed_one_that_it_is_needed():
    optional, needed = form(
        Parameter("sigma", Kind.FLOAT, "Width"), Parameter("value", Kind.FLOAT, "Limit", required=True)
    )
    assert (optional.placeholder, needed.placeholder) == ("derived", "needed")
    assert optional.help == "Width. Left empty, it is derived."
    assert needed.help == "Limit. Needed."


def test_neighbourhood_operations_offer_the_border_among_the_further_settings():
    further = [field.name for field in fields_of(find("gaussian")) if field.further]
    assert further == ["border", "fill"]
    assert not [field for field in fields_of(find("invert")) if field.further]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_form_of_every_operation_has_all_its_parameters(operation):
    fields = fields_of(operation)
    assert [field.name for field in fields] == [parameter.name for parameter in parameters_of(operation)]
    assert all(field.help and field.label for field in fields)
    assert all(field.default in field.choices for field in fields if field.choices)
