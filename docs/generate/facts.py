"""What the plan says of an operation: its cost, and what comes out."""

from docs.generate.examples import EXAMPLES
from mpi_stage.errors import ParameterError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaration import Channels, Operation
from mpi_stage.operations.grammar import Step, make_step
from mpi_stage.plan import PlannedStep, plan_steps

SIDE_PX = 4096
"""Rows and columns of the picture for which costs are given."""


def complete_step(operation: Operation) -> Step:
    """Return the operation with its defaults, or with its example's parameters where some must be given."""
    try:
        step = make_step(operation.name, {})
        _planned(step)
    except ParameterError:
        return make_step(operation.name, EXAMPLES[operation.name].params)
    return step


def cost_ns(operation: Operation) -> float:
    """Return the predicted nanoseconds per pixel on one core, with the steps that the plan puts before."""
    planned = _planned(complete_step(operation))
    return sum(one.cost_s for one in planned) / planned[0].before.pixels * 1e9


def result(operation: Operation) -> ImageSpec:
    """Return what becomes of the picture for which costs are given."""
    return _planned(complete_step(operation))[-1].after


def picture(operation: Operation) -> ImageSpec:
    """Return the picture for which costs are given: RGB, or gray where nothing else is taken."""
    return ImageSpec(SIDE_PX, SIDE_PX, 1 if operation.channels is Channels.GRAY else 3, "uint8")


def _planned(step: Step) -> list[PlannedStep]:
    return list(plan_steps([step], picture(step.operation)))
