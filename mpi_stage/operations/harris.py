"""Corners: ``harris``, and the two stencils that it carries out inside itself.

Source: C. Harris and M. Stephens, "A Combined Corner and Edge Detector", Alvey Vision Conference
(1988); scaled as ``cv2.cornerHarris`` scales it, so that the response does not depend on the type.
"""

from dataclasses import replace

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import crop
from mpi_stage.operations.arithmetic.inner import inner_block_rows, inner_working_bytes
from mpi_stage.operations.arithmetic.window_sums import window_sums
from mpi_stage.operations.declaring.declaration import (
    Border,
    Channels,
    Kind,
    Operation,
    Parameter,
    Params,
    Pattern,
)
from mpi_stage.operations.declaring.traffic import halo
from mpi_stage.operations.declaring.values import integer, number

RESPONSE = "response"

_RESPONSE_BYTES = 4
_MARKED_BYTES = _RESPONSE_BYTES + 1

_BLOCK = Parameter(
    "block",
    Kind.INT,
    "Side of the neighbourhood whose gradients are summed up.",
    default=2,
    minimum=1,
    maximum=255,
    unit="px",
)
_SIZE = Parameter(
    "size", Kind.INT, "Side of the Sobel kernel.", default=3, minimum=3, maximum=7, unit="px", odd=True
)
_K = Parameter(
    "k", Kind.FLOAT, "Harris's constant: the larger, the fewer edges pass for corners.", 0.04, 0.0, 1.0
)


def inner_steps(params: Params, spec: ImageSpec) -> tuple[tuple[str, Params], ...]:
    """Return the steps, by name, that turn a picture into its response."""
    border = {"border": params["border"], "fill": params["fill"]}
    gradients: Params = {"size": params["size"], **border}
    # Outside a constant border the gradients are 0, as ``cv2.cornerHarris`` has it.
    response: Params = {
        "block": params["block"],
        "k": params["k"],
        "scale": 1.0 / (2 ** (integer(params, "size") - 1) * integer(params, "block") * spec.value_range),
        **border,
        "fill": 0.0,
    }
    gray: tuple[tuple[str, Params], ...] = (("grayscale", {}),) if spec.channels != 1 else ()
    return (*gray, ("harris_gradients", gradients), ("harris_response", response))


def _gradients(block: Pixels, params: Params) -> Pixels:
    """Return the derivatives across and down as two channels of float32; exact for ``uint8``."""
    size = integer(params, "size")
    depth = cv2.CV_64F if block.dtype == np.uint16 else cv2.CV_32F
    pair = [cv2.Sobel(block, depth, 1 - axis, axis, ksize=size) for axis in (0, 1)]
    return crop(cv2.merge(pair).astype(np.float32, copy=False), size // 2)


def _response(block: Pixels, params: Params) -> Pixels:
    """Return det − k · trace² of the summed products of gradients, in the order that all blocks share."""
    side, scale = integer(params, "block"), number(params, "scale")
    halo = side // 2
    rows, columns = block.shape[0] - 2 * halo, block.shape[1] - 2 * halo
    with np.errstate(over="ignore", invalid="ignore"):
        across, down = block[..., 0].astype(np.float64) * scale, block[..., 1].astype(np.float64) * scale
        products = (across * across, across * down, down * down)
        sums = (window_sums(window_sums(one, side, 0)[:rows], side, 1)[:, :columns] for one in products)
        xx, xy, yy = sums
        trace = xx + yy
        response = (xx * yy - xy * xy) - number(params, "k") * (trace * trace)
        return np.ascontiguousarray(response[..., np.newaxis].astype(np.float32))


def inner_halo(params: Params) -> int:
    """Return the rows that the inner steps need together."""
    return integer(params, "size") // 2 + integer(params, "block") // 2


def _output(spec: ImageSpec, params: Params) -> ImageSpec:
    return replace(spec, channels=1, dtype="float32") if params["output"] == RESPONSE else spec


def _working_bytes(params: Params, spec: ImageSpec, slab_rows: int, _ranks: int) -> int:
    return inner_working_bytes(spec, inner_halo(params), slab_rows)


def _slab_bytes(_params: Params, spec: ImageSpec, slab_rows: int, _ranks: int) -> int:
    return slab_rows * spec.columns * _RESPONSE_BYTES


def _reading_bytes(params: Params, spec: ImageSpec, slab_rows: int, _ranks: int) -> int:
    if params["output"] == RESPONSE:
        return 0
    return min(inner_block_rows(spec, inner_halo(params)), slab_rows) * spec.columns * _MARKED_BYTES


def _cost(params: Params, _spec: ImageSpec) -> float:
    return 20.0 + 30.0 * integer(params, "block").bit_length()


HARRIS = Operation(
    name="harris",
    label="Harris corners",
    help="Finds corners on the gray picture. Marks, red on colour and white on gray, each pixel whose "
    "response is above a share of the strongest; or returns the response itself, one channel of float32.",
    family="edges",
    pattern=Pattern.GLOBAL,
    reference="cv2.cornerHarris of the whole gray picture, within 1e-5 relative; without IPP, which "
    "shifts even blocks for border nearest",
    parameters=(
        _BLOCK,
        _SIZE,
        _K,
        Parameter(
            "threshold",
            Kind.FLOAT,
            "Share of the strongest response above which a pixel is marked.",
            default=0.01,
            minimum=0.0,
            maximum=1.0,
        ),
        Parameter(
            "output",
            Kind.CHOICE,
            "mark: the picture with its corners marked; response: the response of each pixel.",
            default="mark",
            choices=("mark", RESPONSE),
        ),
    ),
    channels=Channels.GRAY_OR_COLOUR,
    border=Border.MIRROR,
    cost=_cost,
    output=_output,
    collective="harris",
    working_bytes=_working_bytes,
    slab_bytes=_slab_bytes,
    ends_in_slab=lambda params: params["output"] == RESPONSE,
    reading_bytes=_reading_bytes,
    traffic=lambda params, spec, _rows, _ranks: halo(spec, inner_halo(params)),
)

HARRIS_GRADIENTS = Operation(
    name="harris_gradients",
    label="Harris's gradients",
    help="The derivatives across and down, as two channels: the first stencil inside harris.",
    family="edges",
    pattern=Pattern.STENCIL,
    reference="cv2.Sobel",
    parameters=(_SIZE,),
    border=Border.MIRROR,
    cost=lambda _params, _spec: 3.0,
    output=lambda spec, _params: replace(spec, channels=2, dtype="float32"),
    halo=lambda params, _spec: integer(params, "size") // 2,
    stencil=_gradients,
)

HARRIS_RESPONSE = Operation(
    name="harris_response",
    label="Harris's response",
    help="The response of each pixel, from its neighbours' gradients: the second stencil inside harris.",
    family="edges",
    pattern=Pattern.STENCIL,
    reference="cv2.cornerHarris",
    parameters=(
        _BLOCK,
        _K,
        Parameter("scale", Kind.FLOAT, "What the gradients are multiplied by.", default=1.0, minimum=0.0),
    ),
    types=("float32",),
    border=Border.MIRROR,
    cost=_cost,
    output=lambda spec, _params: replace(spec, channels=1),
    halo=lambda params, _spec: integer(params, "block") // 2,
    stencil=_response,
)
