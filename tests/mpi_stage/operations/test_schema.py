"""The JSON Schema accepts what the grammar reads, and refuses what it refuses."""

import jsonschema
import pytest
from hypothesis import given
from test_grammar import pipelines

from mpi_stage.errors import PipelineError
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.spelling.grammar import parse_json, to_json
from mpi_stage.operations.spelling.schema import pipeline_schema

VALIDATOR = jsonschema.Draft202012Validator(pipeline_schema())


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(pipeline_schema())


@given(pipeline=pipelines)
def test_every_readable_pipeline_is_valid(pipeline):
    VALIDATOR.validate(pipeline)
    VALIDATOR.validate(to_json(parse_json(pipeline)))


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [{"op": "gausian"}],
        [{"op": "gaussian", "sigma": 0.01}],
        [{"op": "gaussian", "sigma": "2"}],
        [{"op": "gaussian", "sigmas": 2}],
        [{"op": "box", "size": 4}],
        [{"op": "box", "size": True}],
        [{"op": "box", "border": "outside"}],
        [{"op": "threshold"}],
        [{"op": "threshold", "value": None}],
        [{"op": "canny", "l2": 1}],
        [{"op": "canny_maps"}],
        [{}],
        [3],
        {"op": "box"},
        [{"op": "invert"}] * 101,
    ],
)
def test_schema_and_grammar_refuse_the_same(steps):
    assert not VALIDATOR.is_valid(steps)
    with pytest.raises(PipelineError):
        parse_json(steps)


@pytest.mark.parametrize(
    "steps",
    [
        [{"op": "blur"}],
        [{"op": "box", "size": None}],
        [{"op": "box", "size": 5.0}],
        [{"op": "box", "border": "reflect101"}],
    ],
)
def test_schema_and_grammar_accept_the_same(steps):
    VALIDATOR.validate(steps)
    parse_json(steps)


def test_every_operation_is_described():
    schema = pipeline_schema()
    assert list(schema["$defs"]) == [*(operation.name for operation in OPERATIONS), "preset"]
    for described in schema["$defs"].values():
        assert described["description"]
        assert all(part.get("description") for name, part in described["properties"].items() if name != "op")
