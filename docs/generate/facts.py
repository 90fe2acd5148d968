"""What the plan says of an operation: its cost, and what comes out."""

from contextlib import suppress
from dataclasses import fields

from docs.generate.examples import example_of
from mpi_stage.errors import ParameterError, UnsupportedImageError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Channels, Operation
from mpi_stage.operations.spelling.grammar import Step, make_step
from mpi_stage.planning.plan import PlannedStep
from mpi_stage.planning.planned_steps import check_step, plan_steps

SIDE_PX = 4096
"""Rows and columns of the picture for which costs are given."""


def complete_step(operation: Operation) -> Step:
    """Return the operation with its defaults, or with its example's parameters where some must be given."""
    try:
        step = make_step(operation.name, {})
        _planned(step)
    except ParameterError:
        return make_step(operation.name, example_of(operation).params)
    return step


def cost_ns(operation: Operation) -> float:
    """Return the predicted nanoseconds per pixel on one core, with the steps that the plan puts before."""
    planned = _planned(complete_step(operation))
    return sum(one.cost_s for one in planned) / planned[0].before.pixels * 1e9


def results(operation: Operation) -> list[tuple[ImageSpec, ImageSpec]]:
    """Return pictures that the operation takes, gray and RGB, each with what becomes of it."""
    step, pairs = complete_step(operation), []
    for channels in (1, 3):
        before = ImageSpec(SIDE_PX, SIDE_PX, channels, "uint8")
        with suppress(UnsupportedImageError, ParameterError):
            pairs.append((before, check_step(step, before)))
    return pairs


def states_output(operation: Operation) -> bool:
    """Whether the operation declares what comes out, because it may differ from what goes in."""
    return operation.output is not next(one.default for one in fields(Operation) if one.name == "output")


def picture(operation: Operation) -> ImageSpec:
    """Return the picture for which costs are given: RGB, or gray where nothing else is taken."""
    return ImageSpec(SIDE_PX, SIDE_PX, 1 if operation.channels is Channels.GRAY else 3, "uint8")


def _planned(step: Step) -> list[PlannedStep]:
    return list(plan_steps([step], picture(step.operation)))
