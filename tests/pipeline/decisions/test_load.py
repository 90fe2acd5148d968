"""How much work a job is taken for before anybody has opened its file."""

import pytest

from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.spelling.grammar import parse, to_json
from mpi_stage.operations.spelling.presets import PRESETS
from pipeline.decisions.load import estimated, planned
from pipeline.models import Lane, Load, Manifest, ObjectRef


def manifest(steps, name="a.tif", size_bytes=3_000_000, pixels=1):
    return Manifest(
        id="a",
        input=ObjectRef(key="k", size_bytes=size_bytes, generation="1"),
        input_name=name,
        pixels=pixels,
        steps=to_json(parse(steps)),
        output_key="o",
        output_name=name,
        lane=Lane.SINGLE,
        memory_bytes=1 << 30,
    )


def test_a_file_has_the_pixels_that_it_declares():
    assert estimated(manifest("invert", "a.jpg", pixels=500_000)).pixels == 500_000


def test_a_file_that_is_counted_by_its_bytes_has_as_many_pixels_as_its_kind_holds():
    assert estimated(manifest("invert", "a.webp", pixels=3_000_000)).pixels == 18_000_000


def test_a_plain_file_of_three_bytes_per_pixel_has_a_third_of_its_bytes_as_pixels():
    assert estimated(manifest("invert")).pixels == 1_000_000


def test_a_compressed_photograph_has_more_pixels_than_bytes():
    assert estimated(manifest("invert", "a.JPG")).pixels == 12_000_000


def test_twice_the_file_and_dearer_steps_are_more_work():
    once = estimated(manifest("gaussian:sigma=2"))
    assert estimated(manifest("gaussian:sigma=2", size_bytes=6_000_000)).core_s == pytest.approx(
        2 * once.core_s
    )
    assert estimated(manifest("gaussian:sigma=2 denoise")).core_s > once.core_s


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
def test_every_preset_has_a_cost(preset):
    assert estimated(manifest(preset.text)).core_s > estimated(manifest("invert")).core_s * 0.9


def test_every_operation_that_needs_no_parameter_can_be_estimated():
    free = [one for one in OPERATIONS if not any(parameter.required for parameter in one.parameters)]
    assert len(free) > len(OPERATIONS) / 2
    assert all(estimated(manifest(one.name)).core_s > 0 for one in free)


def test_a_plan_says_exactly_how_much_work_a_job_is():
    plan = {"input": {"rows": 100, "columns": 200}, "cost_core_s": 3.5, "divisible": True}
    assert planned(plan) == Load(pixels=20_000, core_s=3.5)
