"""The threshold that separates an image's two classes best: ``otsu``.

Source: N. Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE SMC 9 (1979).
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic import histogram
from mpi_stage.operations.arithmetic.blocks import to_gray
from mpi_stage.operations.declaring.declaration import (
    Channels,
    Kind,
    Measured,
    Operation,
    Parameter,
    Params,
    Pattern,
    Reduction,
    Round,
)
from mpi_stage.operations.declaring.scratch import by_type

_FLT_EPSILON = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Threshold:
    """Above bin ``level`` is white. ``span`` says which values the bins of floats hold."""

    level: int
    span: histogram.Span | None


def best_level(counts: Pixels) -> int:
    """Return the bin that splits ``counts`` into the two classes furthest apart; 0 if there is one class.

    One addition after the other, in the order of ``cv2.threshold``, so that the same bin wins where
    two are nearly as good. All in double precision.
    """
    listed = [int(n) for n in counts]
    total = sum(listed)
    if total == 0:
        return 0
    scale = 1.0 / total
    mean = float(sum(value * n for value, n in enumerate(listed))) * scale
    mean_below = share_below = widest = 0.0
    best = 0
    # Empty bins before the first class and after the last change nothing.
    occupied = np.flatnonzero(counts)
    for value in range(int(occupied[0]), int(occupied[-1]) + 1):
        n = listed[value]
        share = n * scale
        mean_below *= share_below
        share_below += share
        share_above = 1.0 - share_below
        if min(share_below, share_above) < _FLT_EPSILON or max(share_below, share_above) > 1.0 - _FLT_EPSILON:
            continue
        mean_below = (mean_below + value * share) / share_below
        mean_above = (mean - share_below * mean_below) / share_above
        between = share_below * share_above * (mean_below - mean_above) * (mean_below - mean_above)
        if between > widest:
            widest, best = between, value
    return best


def _gray(rows: Pixels, _params: Params) -> Pixels:
    return rows


def _one(_spec: ImageSpec, _params: Params) -> int:
    return 1


def _rounds(spec: ImageSpec, _params: Params) -> tuple[Round, ...]:
    """Return the histogram's sweeps, the last of which ends with the threshold instead."""
    *before, last = histogram.rounds(spec, _gray, _one)
    finish_histogram = last.finish

    def finish(state: Pixels, spec: ImageSpec, params: Params, previous: Measured) -> Threshold:
        measured: histogram.Histogram = finish_histogram(state, spec, params, previous)
        return Threshold(best_level(measured.counts[0]), measured.span)

    return (*before, replace(last, finish=finish))


def _apply(rows: Pixels, _first_row: int, _params: Params, measured: Measured) -> Pixels:
    """Return the type's white where a value lies above the threshold, 0 elsewhere and for NaN."""
    found: Threshold = measured
    if found.span is not None:
        with np.errstate(invalid="ignore"):
            return (found.span.positions(rows) >= found.level + 1).astype(np.float32)
    white = float(np.iinfo(rows.dtype).max)
    return cv2.threshold(rows[:, :, 0], found.level, white, cv2.THRESH_BINARY)[1][:, :, np.newaxis]


def _tell(measured: Measured, _params: Params) -> dict[str, float]:
    """Return the threshold in the image's own values: what lies above is white; nothing if all was NaN."""
    found: Threshold = measured
    if found.span is None:
        return {"threshold": found.level}
    threshold = found.span.value(found.level + 1)
    return {"threshold": threshold} if math.isfinite(threshold) else {}


OTSU = Operation(
    name="otsu",
    label="Otsu's threshold",
    help="Finds the threshold that separates dark and light best, over the whole gray picture: above it "
    "white, else black. Of floats, NaN and infinities are not measured; NaN becomes black.",
    family="threshold",
    pattern=Pattern.REDUCE,
    reference="cv2.threshold(…, cv2.THRESH_OTSU); float32 over 65,536 bins of the measured range",
    parameters=(
        Parameter("classes", Kind.INT, "Number of classes; two for now.", default=2, minimum=2, maximum=2),
    ),
    channels=Channels.GRAY_OR_COLOUR,
    gray_inside=True,
    cost=lambda _params, spec: {"uint8": 0.5, "uint16": 2.0}.get(spec.dtype, 5.0),
    output=to_gray,
    reduction=Reduction(rounds=_rounds, apply=_apply, tell=_tell),
    scratch=by_type(uint8=0.5, uint16=2.5, float32=1),
)
