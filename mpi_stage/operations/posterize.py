"""The effects of the darkroom: ``posterize`` and ``solarize``."""

import math

import numpy as np

from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.blocks import per_channel
from mpi_stage.operations.arithmetic.look_up import by_curve, in_chunks
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import integer, number


def _posterize(rows: Pixels, params: Params) -> Pixels:
    """Keep the highest ``bits`` bits of integers, or as many levels of 0 to 1 of floats."""
    bits = integer(params, "bits")
    if rows.dtype == np.float32:
        levels = np.float32(1 << bits)
        # Multiplying by powers of two rounds nothing.
        return in_chunks(
            rows, lambda values: np.minimum(np.floor(np.clip(values, 0, 1) * levels), levels - 1) / levels
        )
    dropped = rows.dtype.itemsize * 8 - bits
    mask = rows.dtype.type(np.iinfo(rows.dtype).max >> dropped << dropped)
    masked: Pixels = np.bitwise_and(rows, mask)
    return masked


def _solarize(rows: Pixels, params: Params) -> Pixels:
    """Turn light into dark from the threshold on; a NaN stays one."""
    if rows.dtype != np.float32:
        return by_curve(rows, params, _solarized)
    threshold = 0.5 if params["threshold"] is None else number(params, "threshold")
    start = np.float32(threshold)
    return in_chunks(rows, lambda values: np.where(values < start, values, np.float32(1) - values))


def _solarized(values: Pixels, params: Params, white: float) -> Pixels:
    """Return the same for every value of an integer type."""
    threshold = math.ceil(white / 2) if params["threshold"] is None else number(params, "threshold")
    return np.where(values < threshold, values, white - values)


POSTERIZE = Operation(
    name="posterize",
    label="Posterize",
    help="Leaves only a few levels of each channel, as a poster is printed: keeps the highest bits of "
    "integers; of floats, 0 to 1 is cut into as many levels (2 to the power of bits), the rest is clipped.",
    family="colour",
    pattern=Pattern.POINT,
    reference="PIL.ImageOps.posterize; the same bits of wider integers",
    parameters=(
        Parameter(
            "bits",
            Kind.INT,
            "How many bits are kept: 1 leaves 2 levels, 8 leaves 256.",
            default=4,
            minimum=1,
            maximum=8,
            unit="bits",
        ),
    ),
    cost=lambda _params, spec: per_channel(spec, 0.05 if spec.dtype != "float32" else 1.0),
    point=_posterize,
)

SOLARIZE = Operation(
    name="solarize",
    label="Solarize",
    help="Turns light into dark, but only what is at least as light as a threshold: white minus the value.",
    family="colour",
    pattern=Pattern.POINT,
    reference="PIL.ImageOps.solarize; the same rule for wider types",
    parameters=(
        Parameter(
            "threshold",
            Kind.FLOAT,
            "Values from here on are inverted, in the image's own values (uint8 to 255, uint16 to 65535, "
            "floats as they are); if left out the middle of the range: 128, 32768 or 0.5.",
        ),
    ),
    cost=lambda _params, spec: per_channel(spec, 0.4 if spec.dtype != "float32" else 0.8),
    point=_solarize,
)
