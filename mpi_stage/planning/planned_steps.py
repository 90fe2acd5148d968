"""Steps compiled for the images that they get: what each takes, and what the plan puts before it."""

from collections.abc import Iterator, Sequence

from mpi_stage.errors import UnsupportedImageError
from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS, ImageSpec
from mpi_stage.operations.declaring.declaration import Channels, Operation, Pattern
from mpi_stage.operations.index import find
from mpi_stage.operations.spelling.grammar import Step
from mpi_stage.planning.plan import PlannedStep

_CHANNELS_TAKEN = {
    Channels.GRAY: (1,),
    Channels.GRAY_OR_COLOUR: (1, COLOUR_CHANNELS, ALPHA_CHANNELS),
    Channels.COLOUR: (COLOUR_CHANNELS, ALPHA_CHANNELS),
}


def check_step(step: Step, spec: ImageSpec) -> ImageSpec:
    """Return the image after one step. Raises UnsupportedImageError if the step cannot take ``spec``."""
    *_, last = plan_steps([step], spec)
    return last.after


def plan_steps(steps: Sequence[Step], spec: ImageSpec) -> Iterator[PlannedStep]:
    """Yield the steps with those that the plan puts before them, and their images.

    Raises UnsupportedImageError where a step cannot take what it would get.
    """
    for step in steps:
        operation = step.operation
        result = operation.output(spec, step.params)
        _check(operation, spec)
        for inner in _before(step, spec):
            yield _plan_one(inner, spec)
            spec = inner.operation.output(spec, inner.params)
        operation.check(step.params, spec)
        yield _plan_one(step, spec, result)
        spec = result


def _before(step: Step, spec: ImageSpec) -> Iterator[Step]:
    operation = step.operation
    if operation.gray_inside and spec.channels != 1:
        yield Step(find("grayscale"), {})
        spec = spec.with_channels(1)
    for name, params in operation.prepare(step.params, spec):
        yield Step(find(name), dict(params))


def _plan_one(step: Step, before: ImageSpec, after: ImageSpec | None = None) -> PlannedStep:
    operation = step.operation
    after = after or operation.output(before, step.params)
    neighbours = operation.pattern is not Pattern.GLOBAL
    keeps_alpha = before.has_alpha and after.has_alpha and neighbours and not operation.sees_alpha
    halo = operation.halo(step.params, before) if operation.pattern is Pattern.STENCIL else 0
    return PlannedStep(step, before, after, halo, keeps_alpha)


def _check(operation: Operation, spec: ImageSpec) -> None:
    """Raise UnsupportedImageError unless the operation takes the image."""
    if spec.dtype not in operation.types:
        raise UnsupportedImageError(
            f"{operation.name} takes {', '.join(operation.types)}; it would get {spec.dtype}; "
            "place it before the step that makes these"
        )
    taken = _CHANNELS_TAKEN.get(
        Channels.GRAY_OR_COLOUR
        if operation.gray_inside and operation.channels is Channels.ANY
        else operation.channels
    )
    if taken and spec.channels not in taken:
        counts = " or ".join(str(count) for count in taken)
        remedy = "grayscale or channels" if 1 in taken else "rgb or channels"
        raise UnsupportedImageError(
            f"{operation.name} takes {counts} channels; it would get {spec.channels}; put {remedy} before it"
        )
