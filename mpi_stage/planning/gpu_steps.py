"""The steps of a pass as the GPU's kernels are told of them; see ``gpu_kernels``."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.step import Step
from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.borders import border_index
from mpi_stage.operations.declaring.declaration import Measured
from mpi_stage.planning.plan import PlannedStep


def gpu_steps(steps: Sequence[PlannedStep], measured: Sequence[Measured] | None) -> list[Step]:
    """Return the steps for the GPU; ``measured`` is None while planning, before anything is known."""
    return [_gpu_step(one, measured) for one in steps]


def _gpu_step(one: PlannedStep, measured: Sequence[Measured] | None) -> Step:
    stencil = one.operation.stencil is not None
    return Step(
        name=one.operation.name,
        params=one.step.params,
        rows=one.before.rows,
        columns=one.before.columns,
        channels=one.before.channels,
        dtype=one.before.dtype,
        channels_after=one.after.channels,
        dtype_after=one.after.dtype,
        halo=one.halo,
        keeps_alpha=one.keeps_alpha,
        cpu=_cpu(one, measured),
        border=_border(one) if stencil else None,
        fill=one.fill if stencil else 0.0,
        nodata=one.nodata,
        found=None if measured is None or one.applies is None else measured[one.applies],
    )


def _cpu(one: PlannedStep, measured: Sequence[Measured] | None) -> Callable[[Pixels], Pixels]:
    operation, params = one.operation, one.step.params
    if one.applies is not None and operation.reduction is not None:
        apply, number = operation.reduction.apply, one.applies
        if measured is None:
            return lambda rows: rows  # only whether there is a kernel matters now
        return lambda rows: apply(rows, 0, params, measured[number])
    kernel = operation.stencil or operation.point
    if kernel is None:
        message = f"{operation.name} is neither a stencil nor a point operation"
        raise TypeError(message)
    return lambda rows: kernel(rows, params)


def _border(one: PlannedStep) -> Callable[[int], NDArray[np.intp]]:
    return lambda length: border_index(length, one.halo, one.halo, one.border)
