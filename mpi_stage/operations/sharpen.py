"""Sharpening with the Laplacian: ``sharpen``."""

import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.correlation import correlated, small_cost
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import number


def _halo(_params: Params, _spec: ImageSpec) -> int:
    return 1


def _sharpen(block: Pixels, params: Params) -> Pixels:
    """Return the image plus ``amount`` times what it differs from its four neighbours."""
    a = number(params, "amount")
    return correlated(block, np.array([[0, -a, 0], [-a, 1 + 4 * a, -a], [0, -a, 0]]))


SHARPEN = Operation(
    name="sharpen",
    label="Sharpen",
    help="Adds what each pixel differs from its four neighbours. Amount 0 changes nothing.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.filter2D with [0 -a 0; -a 1+4a -a; 0 -a 0], a = amount",
    parameters=(Parameter("amount", Kind.FLOAT, "How much is added.", default=1.0, minimum=0, maximum=10),),
    border=Border.MIRROR,
    cost=lambda _params, spec: small_cost(spec),
    halo=_halo,
    stencil=_sharpen,
)
