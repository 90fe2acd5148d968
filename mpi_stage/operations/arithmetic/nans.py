"""Making all NaNs alike, so that floats are the same to the last bit."""

import numpy as np

from mpi_stage.image import Pixels


def one_nan(values: Pixels) -> Pixels:
    """Return float ``values`` with the same NaN wherever one is; changes them in place if need be.

    NaNs have a sign and a payload. Which of two comes out of a sum or a comparison depends on the order
    of the operands in the processor, and so on a value's place in its block.
    """
    damaged = np.isnan(values)
    if damaged.any():
        values[damaged] = np.nan
    return values
