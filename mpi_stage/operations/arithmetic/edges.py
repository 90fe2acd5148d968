"""What the operations that measure steepness share: magnitude, saturation, and their declaration."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.arithmetic.blocks import crop, to_gray
from mpi_stage.operations.arithmetic.nans import one_nan
from mpi_stage.operations.declaring.declaration import (
    Border,
    Channels,
    IntoKernel,
    Kind,
    Operation,
    Parameter,
    Params,
    Pattern,
    Scratch,
    StencilKernel,
)
from mpi_stage.operations.declaring.scratch import by_type

Derivative = Callable[[Pixels, Params, str], Pixels]
"""(one-channel block, parameters, ``x`` or ``y``) → the derivative as float32, halo included."""

Halo = Callable[[Params, ImageSpec], int]

Weights = Callable[[Params], tuple[int, int] | None]
"""The sums' outer and middle weight, where a derivative is the difference of neighbours in one direction,
summed over three pixels in the other."""


def _no_weights(_params: Params) -> None:
    """Say that a derivative is something else."""


def magnitude(across: Pixels, down: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Return ``hypot(across, down)`` of float32 gradients as float32.

    For ``uint8`` single precision is enough: sums of squares below 2²⁴ are exact, and larger ones
    saturate. Else the squares, exact in double precision, are added, rooted and rounded there, as
    the C library's ``hypotf`` does; no order of instructions can change the result.
    """
    if dtype == np.uint8:
        return cv2.magnitude(across, down)
    return cv2.magnitude(across.astype(np.float64), down.astype(np.float64)).astype(np.float32)


def saturate(values: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Round non-negative float32 values, halves to even, and clip them to ``dtype``; floats pass."""
    if dtype == np.float32:
        return one_nan(values)
    if dtype == np.uint8:
        return cv2.convertScaleAbs(values)
    return np.minimum(np.rint(values), np.float32(np.iinfo(dtype).max)).astype(dtype)


def edge_operation(
    *,
    name: str,
    label: str,
    help_text: str,
    reference: str,
    axes: str,
    derivative: Derivative,
    halo: Halo,
    weights: Weights = _no_weights,
    parameters: tuple[Parameter, ...] = (),
) -> Operation:
    """Declare an operation that returns a gradient's magnitude, or the absolute value of one part.

    Parameters
    ----------
    name, label, help_text, reference: as in :class:`Operation`.
    axes: what ``x`` and ``y`` measure, in words.
    derivative: one part of the gradient.
    halo: rows and columns that it needs on each side.
    weights: what a compiled kernel needs to know, where there is one.
    parameters: its own, before ``output``.

    """
    output = Parameter(
        "output",
        Kind.CHOICE,
        f"magnitude, or the absolute value of the change {axes}; "
        "rounded and saturated to the type, floats as they are.",
        default="magnitude",
        choices=("magnitude", "x", "y"),
    )
    return Operation(
        name=name,
        label=label,
        help=help_text,
        family="edges",
        pattern=Pattern.STENCIL,
        reference=reference,
        parameters=(*parameters, output),
        channels=Channels.GRAY_OR_COLOUR,
        gray_inside=True,
        border=Border.MIRROR,
        cost=lambda params, spec: 4.0 if spec.dtype != "uint8" else 0.5 if weights(params) else 1.2,
        output=to_gray,
        halo=halo,
        stencil=_stencil(derivative, halo, _into(weights)),
        into=_into(weights),
        scratch=_scratch(weights),
    )


def _is_compiled(known: Any, params: Params, dtype: str) -> bool:  # noqa: ANN401  (what weights return)
    return kernels is not None and known is not None and params["output"] == "magnitude" and dtype == "uint8"


def _into(weights: Weights) -> IntoKernel:
    def steepness_into(block: Pixels, params: Params, out: Pixels) -> bool:
        known = weights(params)
        if kernels is None or known is None or not _is_compiled(known, params, str(block.dtype)):
            return False
        kernels.steepness_uint8(block, out, *known)
        return True

    return steepness_into


def _scratch(weights: Weights) -> Scratch:
    """Return the temporaries of a gradient: the derivatives in float64, but none in a compiled kernel."""
    library = by_type(uint8=16, uint16=34, float32=31)

    def scratch(params: Params, spec: ImageSpec) -> float:
        if _is_compiled(weights(params), params, spec.dtype):
            return 0.0
        return library(params, spec) * (1.0 if params["output"] == "magnitude" else 0.6)

    return scratch


def _stencil(derivative: Derivative, halo: Halo, into: IntoKernel) -> StencilKernel:
    def steepness(block: Pixels, params: Params) -> Pixels:
        output = str(params["output"])
        spec = ImageSpec(block.shape[0], block.shape[1], 1, str(block.dtype))
        reach = halo(params, spec)
        result = np.empty((block.shape[0] - 2 * reach, block.shape[1] - 2 * reach, 1), block.dtype)
        if into(block, params, result):
            return result
        with np.errstate(invalid="ignore", over="ignore"):
            if output == "magnitude":
                across, down = derivative(block, params, "x"), derivative(block, params, "y")
                steep = magnitude(across, down, block.dtype)
            else:
                steep = np.abs(derivative(block, params, output))
        return crop(saturate(steep, block.dtype)[:, :, np.newaxis], reach)

    return steepness
