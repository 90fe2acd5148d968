"""Mathematical morphology: ``erode``, ``dilate``, and the five that are made of them.

OpenCV's default border never wins a comparison. For shapes that hold, with any pixel, all those between it
and their middle lines, as its rectangles, ellipses and crosses do, that is the same as repeating the
nearest pixel: whatever is repeated is in the neighbourhood anyway. ``nearest`` therefore is the default.

Source: J. Serra, "Image Analysis and Mathematical Morphology", 1982.
"""

from collections.abc import Callable

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.morphology_parameters import (
    PARAMETERS,
    Steps,
    cost,
    halo,
    steps,
    together,
)
from mpi_stage.operations.arithmetic.nans import one_nan
from mpi_stage.operations.declaring.declaration import (
    Border,
    Operation,
    Params,
    Pattern,
    Scratch,
    StencilKernel,
)
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.morphology_pairs import halves, side_by_side, work

_NOTE = "With the default border what is outside never wins. A NaN spreads over the shape."


def _erode(block: Pixels, params: Params) -> Pixels:
    return work(block, params, "erode")


def _dilate(block: Pixels, params: Params) -> Pixels:
    return work(block, params, "dilate")


def _gradient(block: Pixels, params: Params) -> Pixels:
    """Return the dilation minus the erosion; the steps before may have begun both."""
    if together(params):
        return _difference(_dilate(block, params), _erode(block, params))
    first, alpha, second = halves(block)
    difference = _difference(_dilate(first, params), _erode(second, params))
    return side_by_side(difference, work(alpha, params, "keep"))


def _tophat(block: Pixels, params: Params) -> Pixels:
    """Return the picture minus its opening, of which the last half is still to do."""
    first, alpha, second = halves(block)
    difference = _difference(work(first, params, "keep"), _dilate(second, params))
    return side_by_side(difference, work(alpha, params, "keep"))


def _blackhat(block: Pixels, params: Params) -> Pixels:
    """Return the picture's closing, of which the last half is still to do, minus the picture."""
    first, alpha, second = halves(block)
    difference = _difference(_erode(second, params), work(first, params, "keep"))
    return side_by_side(difference, work(alpha, params, "keep"))


def _difference(one: Pixels, other: Pixels) -> Pixels:
    """Subtract; integers stop at 0."""
    if one.dtype != np.float32:
        return cv2.subtract(one, other).reshape(one.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        return one_nan(one - other)


def _before_gradient(params: Params, _spec: ImageSpec) -> Steps:
    both = {**params, "first": "dilate", "second": "erode"}
    return () if together(params) else _forked(steps("morphology_both", both, but_last=True))


def _before_comparison(one: str, other: str) -> Callable[[Params, ImageSpec], Steps]:
    """Return the steps before the last half of a comparison with an opening or a closing."""

    def before(params: Params, _spec: ImageSpec) -> Steps:
        first = steps("morphology_both", {**params, "first": "keep", "second": one})
        second = steps("morphology_both", {**params, "first": "keep", "second": other}, but_last=True)
        return _forked((*first, *second))

    return before


def _forked(chain: Steps) -> Steps:
    """Let the first step of a chain on pairs begin with one picture."""
    (_, params), *rest = chain
    return (("morphology_fork", params), *rest)


def _operation(
    *,
    name: str,
    label: str,
    help_text: str,
    kernel: StencilKernel,
    prepare: Callable[[Params, ImageSpec], Steps],
    cost_factor: int = 1,
    scratch: Scratch | None = None,
) -> Operation:
    return Operation(
        name=name,
        label=label,
        help=f"{help_text} {_NOTE}",
        family="morphology",
        pattern=Pattern.STENCIL,
        reference="cv2.morphologyEx with OpenCV's default border",
        parameters=PARAMETERS,
        border=Border.NEAREST,
        cost=lambda params, spec: cost_factor * cost(params, spec),
        halo=halo,
        prepare=prepare,
        stencil=kernel,
        scratch=scratch,
    )


ERODE = _operation(
    name="erode",
    label="Erode",
    help_text="The least value of a neighbourhood: dark parts grow, bright specks vanish.",
    kernel=_erode,
    prepare=lambda params, _spec: steps("erode", params, but_last=True),
)

DILATE = _operation(
    name="dilate",
    label="Dilate",
    help_text="The greatest value of a neighbourhood: bright parts grow, dark specks vanish.",
    kernel=_dilate,
    prepare=lambda params, _spec: steps("dilate", params, but_last=True),
)

OPENING = _operation(
    name="opening",
    label="Opening",
    help_text="Erode, then dilate: removes bright specks smaller than the shape and keeps the rest.",
    kernel=_dilate,
    prepare=lambda params, _spec: (*steps("erode", params), *steps("dilate", params, but_last=True)),
)

CLOSING = _operation(
    name="closing",
    label="Closing",
    help_text="Dilate, then erode: fills dark gaps smaller than the shape and keeps the rest.",
    kernel=_erode,
    prepare=lambda params, _spec: (*steps("dilate", params), *steps("erode", params, but_last=True)),
)

GRADIENT = _operation(
    name="gradient",
    label="Morphological gradient",
    help_text="The greatest minus the least value of a neighbourhood: outlines.",
    kernel=_gradient,
    prepare=_before_gradient,
    cost_factor=2,
    scratch=by_type(uint8=1.6, uint16=3.4, float32=8),
)

TOPHAT = _operation(
    name="tophat",
    label="Top hat",
    help_text="The picture minus its opening: bright specks smaller than the shape.",
    kernel=_tophat,
    prepare=_before_comparison("erode", "dilate"),
    scratch=by_type(uint8=3.3, uint16=6.8, float32=13.5),
)

BLACKHAT = _operation(
    name="blackhat",
    label="Black hat",
    help_text="The closing minus the picture: dark gaps smaller than the shape.",
    kernel=_blackhat,
    prepare=_before_comparison("dilate", "erode"),
    scratch=by_type(uint8=3.3, uint16=6.8, float32=13.5),
)

MORPHOLOGY = (ERODE, DILATE, OPENING, CLOSING, GRADIENT, TOPHAT, BLACKHAT)
