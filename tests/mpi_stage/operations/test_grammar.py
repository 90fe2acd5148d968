"""The spellings of a pipeline, and what is said about wrong ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.errors import ParameterError, PipelineError, UnknownOperationError
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Kind
from mpi_stage.operations.spelling.grammar import (
    MAX_STEPS,
    MAX_TEXT_CHARACTERS,
    make_step,
    parameters_of,
    parse,
    parse_json,
    parse_text,
    to_json,
    to_text,
)


def values_of(parameter):
    """Return a strategy for valid values of a parameter."""
    low = -1e6 if parameter.minimum is None else parameter.minimum
    high = 1e6 if parameter.maximum is None else parameter.maximum
    if parameter.kind is Kind.INT:
        integers = st.integers(int(low), int(high))
        return integers.filter(lambda value: value % 2) if parameter.odd else integers
    if parameter.kind is Kind.FLOAT:
        return st.floats(low, high)
    if parameter.kind is Kind.NUMBERS:
        number = st.integers(int(low), 100).map(float) if parameter.whole else st.floats(low, high)
        counts = st.sampled_from(parameter.counts or (1, 2, 9))
        return counts.flatmap(lambda count: st.lists(number, min_size=count, max_size=count))
    return st.booleans() if parameter.kind is Kind.BOOL else st.sampled_from(parameter.choices)


def entries_of(operation):
    """Return a strategy for JSON steps of an operation, some of its parameters left out."""
    parameters = parameters_of(operation)
    required = {p.name: values_of(p) for p in parameters if p.required}
    optional = {p.name: values_of(p) for p in parameters if not p.required}
    return st.fixed_dictionaries({"op": st.just(operation.name), **required}, optional=optional)


entries = st.one_of([entries_of(operation) for operation in OPERATIONS])
pipelines = st.lists(entries, min_size=1, max_size=6)


@given(pipeline=pipelines)
def test_what_is_written_reads_back(pipeline):
    steps = parse_json(pipeline)
    assert parse_json(to_json(steps)) == steps
    assert parse_text(to_text(steps)) == steps
    assert parse(json.dumps(to_json(steps))) == steps
    assert parse(to_text(steps).split()) == steps


@given(text=st.text(max_size=60))
def test_any_text_is_a_pipeline_or_a_pipeline_error(text):
    try:
        steps = parse(text)
    except PipelineError:
        return
    assert parse(to_text(steps)) == steps


def test_the_three_spellings_of_the_catalogue_are_one():
    text = parse("gaussian:sigma=2 grayscale canny:low=50,high=150")
    words = parse(["gaussian:sigma=2", "grayscale", "canny:low=50,high=150"])
    listed = parse(
        [{"op": "gaussian", "sigma": 2}, {"op": "grayscale"}, {"op": "canny", "low": 50, "high": 150}]
    )
    assert text == words == listed
    assert [step.operation.name for step in text] == ["gaussian", "grayscale", "canny"]


def test_parameters_are_complete_and_in_declared_order():
    (step,) = parse("gaussian:size=5")
    assert step.params == {"sigma": None, "size": 5, "border": "mirror", "fill": 0.0}
    assert list(step.params) == ["sigma", "size", "border", "fill"]


def test_canonical_json_leaves_out_what_is_derived():
    assert to_json(parse("gaussian:size=5")) == [
        {"op": "gaussian", "size": 5, "border": "mirror", "fill": 0.0}
    ]


def test_operations_without_neighbours_have_no_border():
    (step,) = parse("invert")
    assert step.params == {}
    with pytest.raises(ParameterError, match="no parameter 'border'"):
        parse("invert:border=wrap")


def test_aliases_are_the_operation_itself():
    assert parse("blur:size=7") == parse("box:size=7")


@pytest.mark.parametrize(
    ("given_name", "border"),
    [("reflect101", "mirror"), ("replicate", "nearest"), ("edge", "nearest"), ("symmetric", "reflect")],
)
def test_border_names_of_opencv_and_numpy_are_understood(given_name, border):
    assert parse(f"box:border={given_name}") == parse(f"box:border={border}")
    assert parse("box", given_name) == parse("box", border)


def test_a_default_border_goes_to_the_steps_that_take_one_and_state_none():
    steps = parse("invert box median:border=reflect canny", "wrap")
    assert [step.params.get("border") for step in steps] == [None, "wrap", "reflect", "wrap"]


def test_a_wrong_default_border_is_reported_once_with_the_note():
    with pytest.raises(ParameterError, match="numpy and SciPy mean different things") as caught:
        parse("box box", "reflekt")
    assert "'reflect'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_operation_is_answered_with_the_closest_names():
    with pytest.raises(UnknownOperationError, match=r"step 2 \(gausian\).*'gaussian'"):
        parse("invert gausian:sigma=2")


def test_an_internal_operation_is_unknown_to_a_pipeline():
    with pytest.raises(UnknownOperationError, match="did you mean 'canny'"):
        parse("canny_maps")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "gaussian:sigm=2",
            r"no parameter 'sigm' \(did you mean 'sigma'\?\); it takes sigma, size, border, fill",
        ),
        ("invert:x=2", "it takes none"),
        ("gaussian:sigma=0.01", r"sigma must be between 0\.1 and 100 px, got 0\.01"),
        ("gaussian:sigma=nan", "sigma must be a finite number, got nan"),
        ("gaussian:sigma=1e999", "sigma must be a finite number, got inf"),
        ("gaussian:sigma=two", "sigma must be a number, got 'two'"),
        ("box:size=4", "size must be odd, got 4"),
        ("box:size=257", r"size must be between 1 and 255 px, got 257"),
        ("box:size=5.5", "size must be an integer, got '5.5'"),
        ("canny:low=-1", "low must be at least 0, got -1"),
        ("canny:l2=maybe", "l2 must be true or false, got 'maybe'"),
        ("threshold", "value must be given"),
        ("threshold:value=1,mode=binery", "mode must be one of binary, .*did you mean 'binary'"),
        ("box:size=3,size=5", "'size' is given twice"),
        ("box:5", "expected key=value, got '5'"),
        ("box:", "nothing follows the colon"),
        ("otsu:classes=3", "classes must be between 2 and 2, got 3"),
    ],
)
def test_a_wrong_parameter_is_answered_with_what_is_allowed(text, message):
    with pytest.raises(ParameterError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"op": "box", "size": "5"}], "size must be an integer, got '5'"),
        ([{"op": "box", "size": True}], "size must be an integer, got True"),
        ([{"op": "gaussian", "sigma": True}], "sigma must be a number, got True"),
        ([{"op": "gaussian", "sigma": 10**400}], "sigma must be a finite number"),
        ([{"op": "canny", "l2": 1}], "l2 must be true or false, got 1"),
        ([{"op": "box", "border": 3}], "border must be a word, got 3"),
        ([{"sigma": 3}], 'a step needs "op"'),
        ([{"op": 3}], 'a step needs "op"'),
        ([3], "a step is an object"),
        ({"op": "box"}, "a pipeline is a list of steps"),
        ("[{]", "begins like JSON and is none"),
        ('[{"op": "gaussian", "sigma": NaN}]', "NaN is no number"),
        ("[" * 90_000, "begins like JSON and is none"),
    ],
)
def test_wrong_json_is_a_pipeline_error(steps, message):
    with pytest.raises(PipelineError, match=message):
        parse(steps) if isinstance(steps, str) else parse_json(steps)


def test_a_whole_float_is_an_integer_as_in_json_schema():
    assert parse_json([{"op": "box", "size": 5.0}])[0].params["size"] == 5


def test_null_is_not_given():
    assert parse_json([{"op": "box", "size": None}]) == parse("box")


def test_everything_that_is_wrong_is_reported_at_once():
    with pytest.raises(PipelineError) as caught:
        parse("gausian gaussian:sigma=0,sise=3,size=4 threshold")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "step 1 (gausian)",
        "step 2 (gaussian)",
        "step 2 (gaussian)",
        "step 2 (gaussian)",
        "step 3 (threshold)",
    ]


@pytest.mark.parametrize("empty", ["", "  ", [], "[]"])
def test_an_empty_pipeline_is_an_error(empty):
    with pytest.raises(PipelineError, match="no steps"):
        parse(empty)


def test_too_many_steps_are_refused_with_both_numbers():
    assert len(parse(["invert"] * MAX_STEPS)) == MAX_STEPS
    with pytest.raises(PipelineError, match=f"{MAX_STEPS} steps, this one has {MAX_STEPS + 1}"):
        parse(["invert"] * (MAX_STEPS + 1))


def test_too_long_a_text_is_refused_unread():
    with pytest.raises(PipelineError, match=f"{MAX_TEXT_CHARACTERS} characters"):
        parse("x" * (MAX_TEXT_CHARACTERS + 1))


def test_an_error_shows_only_the_beginning_of_a_long_value():
    with pytest.raises(PipelineError) as caught:
        parse("x" * 5000)
    assert len(str(caught.value)) < 300


def test_one_step_can_be_made_by_name():
    assert make_step("gaussian", {"sigma": 2}) == parse("gaussian:sigma=2")[0]
    with pytest.raises(ParameterError, match="sigma must be"):
        make_step("gaussian", {"sigma": "x"})
