"""Presets, and the Python spelling."""

import pytest

from mpi_stage.errors import UnknownOperationError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse, to_json
from mpi_stage.operations.spelling.presets import PRESETS
from mpi_stage.planning.planned_steps import check_step
from pipeline import ops


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
def test_a_preset_stands_for_its_steps_in_text_and_json(preset):
    expected = parse(preset.text)
    assert parse(f"@{preset.name}") == expected
    assert parse([{"preset": preset.name}]) == expected
    assert parse(f"grayscale @{preset.name} invert")[1:-1] == expected


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_preset_takes_a_photograph(preset, dtype):
    spec = ImageSpec(100, 100, 3, dtype)
    for step in parse(preset.text):
        spec = check_step(step, spec)


def test_an_unknown_preset_is_answered_with_the_closest():
    with pytest.raises(UnknownOperationError, match="did you mean 'edges'"):
        parse("@edge")


def test_python_spells_the_same_pipeline():
    spelled = [ops.gaussian(sigma=2), ops.grayscale(), ops.canny(low=50, high=150)]
    assert to_json(parse(spelled)) == to_json(parse("gaussian:sigma=2 grayscale canny:low=50,high=150"))


def test_python_knows_aliases_and_lists_its_names():
    assert to_json([ops.blur(size=3)]) == to_json(parse("box:size=3"))
    assert {"gaussian", "blur", "resize"} <= set(dir(ops))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = ops.nonsense
