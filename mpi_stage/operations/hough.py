"""Straight lines: ``hough``."""

import math

from mpi_stage.image import ImageSpec
from mpi_stage.operations.arithmetic.inner import inner_working_bytes
from mpi_stage.operations.declaring.declaration import (
    Channels,
    Kind,
    Moved,
    Operation,
    Parameter,
    Params,
    Pattern,
)
from mpi_stage.operations.declaring.traffic import halo, seams
from mpi_stage.operations.declaring.values import number

BAND_BYTES = 8 << 20
"""The votes of so many angles are counted at once; more angles take more looks at the edges."""

EDGES_AT_ONCE = 1 << 15
"""Edge pixels vote in portions of at least this many."""

LABELLED_PIXELS = 1 << 19
"""Pixels of a block whose edges are joined at once."""

SEEN_PIXELS = 1 << 16
"""Pixels whose edges are packed or unpacked at once."""

_HALO = 2
_CANNY_BYTES_PER_PIXEL = {"uint8": 40, "uint16": 160, "float32": 160}
"""Gray, gradients, and the thinning's temporaries: of bytes all are in 16 bits."""
_LABEL_BYTES = 24
_SEAM_BYTES = 32
_VOTE_BYTES = 64
_COPIES = 3
_EDGE_BYTES = 1.125
_DRAWN_BYTES = 64
"""For each pixel of a line that is drawn: its place, and what that is found by."""


def edge_params(params: Params) -> Params:
    """Return the parameters of the ``canny`` step whose edges vote."""
    return {"low": params["low"], "high": params["high"]}


def band_angles(distances: int) -> int:
    """Return how many angles are counted at once."""
    return max(1, BAND_BYTES // (4 * (distances + 2)))


def rows_of(pixels: int, spec: ImageSpec) -> int:
    """Return how many rows have about so many pixels."""
    return max(1, min(spec.rows, pixels // spec.columns))


def _working_bytes(params: Params, spec: ImageSpec, slab_rows: int, _ranks: int) -> int:
    distances = 2 * (spec.rows + spec.columns) / number(params, "rho") + 3
    angles = min(band_angles(int(distances)), 180 / number(params, "theta_degrees") + 1)
    band = 4 * (distances + 2) * (angles + 2)
    rows = min(slab_rows, rows_of(LABELLED_PIXELS, spec))
    joining = rows * spec.columns * _LABEL_BYTES + math.ceil(slab_rows / rows) * spec.columns * _SEAM_BYTES
    seen = min(slab_rows, rows_of(SEEN_PIXELS, spec)) * spec.columns
    voting = (min(EDGES_AT_ONCE, slab_rows * spec.columns) + seen) * _VOTE_BYTES
    inner = inner_working_bytes(spec, _HALO, slab_rows, _CANNY_BYTES_PER_PIXEL[spec.dtype])
    return int(max(inner, joining, _COPIES * band + voting))


def _traffic(params: Params, spec: ImageSpec, slab_rows: int, ranks: int) -> Moved:
    swapped, joined = halo(spec, _HALO), seams(params, spec, slab_rows, ranks)
    return Moved(*map(sum, zip(swapped, joined, strict=True)))


def _slab_bytes(_params: Params, spec: ImageSpec, slab_rows: int, _ranks: int) -> int:
    return int(slab_rows * spec.columns * _EDGE_BYTES) + slab_rows


HOUGH = Operation(
    name="hough",
    label="Hough lines",
    help="Finds straight lines in the edges that canny sees and draws them over the picture, red on colour "
    "and white on gray. The report lists them, best first: distance from the top left in px, angle in "
    "radians, votes.",
    family="edges",
    pattern=Pattern.GLOBAL,
    reference="cv2.HoughLines on canny's edges of the whole picture: the same lines",
    parameters=(
        Parameter(
            "rho", Kind.FLOAT, "Step of the distance.", default=1.0, minimum=0.1, maximum=1000, unit="px"
        ),
        Parameter(
            "theta_degrees", Kind.FLOAT, "Step of the angle.", default=1.0, minimum=0.05, maximum=90, unit="°"
        ),
        Parameter(
            "threshold",
            Kind.INT,
            "A line needs more edge pixels than this.",
            default=150,
            minimum=1,
            maximum=2**31 - 1,
            unit="px",
        ),
        Parameter(
            "low",
            Kind.FLOAT,
            "canny's low threshold, in the image's own values; the default suits uint8 only.",
            default=50.0,
            minimum=0,
        ),
        Parameter(
            "high",
            Kind.FLOAT,
            "canny's high threshold, in the image's own values; the default suits uint8 only.",
            default=150.0,
            minimum=0,
        ),
        Parameter(
            "max_lines", Kind.INT, "At most this many, the best ones.", default=100, minimum=1, maximum=1000
        ),
    ),
    channels=Channels.GRAY_OR_COLOUR,
    cost=lambda _params, _spec: 200.0,
    collective="hough",
    working_bytes=_working_bytes,
    slab_bytes=_slab_bytes,
    reading_bytes=lambda _params, spec, rows, _ranks: max(spec.columns, rows) * _DRAWN_BYTES,
    traffic=_traffic,
)
