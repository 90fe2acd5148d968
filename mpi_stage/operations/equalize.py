"""Spreading values over the whole range by their ranks: ``equalize``."""

from dataclasses import dataclass, replace

import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic import histogram, luma
from mpi_stage.operations.arithmetic.look_up import each_looked_up, looked_up
from mpi_stage.operations.declaring.declaration import (
    Measured,
    Operation,
    Params,
    Pattern,
    Reduction,
    Round,
)
from mpi_stage.operations.declaring.scratch import by_type

_UINT16_WHITE = 65535
_AS_IT_IS = np.arange(256, dtype=np.uint8)


@dataclass(frozen=True)
class Tables:
    """The new value of each bin, per measured channel; None where the channel stays as it is."""

    channels: tuple[Pixels | None, ...]
    span: histogram.Span | None


def _rounds(spec: ImageSpec, _params: Params) -> tuple[Round, ...]:
    """Return the histogram's sweeps, the last of which ends with the tables instead."""
    *before, last = histogram.rounds(spec, luma.planes, luma.width)
    finish_histogram = last.finish

    def finish(state: Pixels, spec: ImageSpec, params: Params, previous: Measured) -> Tables:
        measured: histogram.Histogram = finish_histogram(state, spec, params, previous)
        return Tables(tuple(table(counts, spec.dtype) for counts in measured.counts), measured.span)

    return (*before, replace(last, finish=finish))


def table(counts: Pixels, dtype: str) -> Pixels | None:
    """Return the new value of each bin, or None where all values lie in one bin and stay.

    ``uint8``: exactly that of ``cv2.equalizeHist``, products in float32. ``uint16`` and ``float32``:
    the same rule in double precision; floats to 0–1.
    """
    total = int(counts.sum())
    occupied = np.flatnonzero(counts)
    if len(occupied) <= 1:
        return None
    least = int(counts[occupied[0]])
    sums: Pixels = np.maximum(np.cumsum(counts) - least, 0)
    if dtype == "uint8":
        scale = np.float32(255) / np.float32(total - least)
        products: Pixels = sums.astype(np.float32) * scale
        return np.clip(np.rint(products), 0, 255).astype(np.uint8)
    if dtype == "uint16":
        # The product is exact, so that the quotient is rounded once.
        return np.rint(sums * float(_UINT16_WHITE) / (total - least)).astype(np.uint16)
    return (sums / (total - least)).astype(np.float32)


def _apply(rows: Pixels, _first_row: int, params: Params, measured: Measured) -> Pixels:
    """Return the rows with each measured channel looked up in its table."""
    found: Tables = measured
    if rows.dtype == np.uint8 and not luma.is_luma(params, rows.shape[2]):
        return each_looked_up(rows, [_AS_IT_IS if known is None else known for known in found.channels])
    planes = luma.Planes(rows, params)
    for channel, known in enumerate(found.channels):
        if known is not None:
            planes[channel] = _translate(planes[channel], known, found.span)
    return planes.joined()


def _translate(values: Pixels, known: Pixels, span: histogram.Span | None) -> Pixels:
    """Look one channel up; a NaN stays one, infinities are the range's ends."""
    if span is None:
        return looked_up(values, known)
    result = looked_up(span.bins(values), known)
    np.copyto(result, values, where=np.isnan(values))
    return result


EQUALIZE = Operation(
    name="equalize",
    label="Equalize the histogram",
    help="Spreads the values over the whole range, so that each part of it holds as many pixels. Of "
    "floats, NaN and infinities are not measured; NaN stays.",
    family="threshold",
    pattern=Pattern.REDUCE,
    reference="cv2.equalizeHist, of Y of YCrCb or of each channel; wider types over 65,536 bins",
    parameters=(luma.CHANNELS,),
    cost=lambda params, spec: luma.cost(params, spec, {"uint8": 0.7, "uint16": 3.5, "float32": 9.0}),
    check=lambda params, spec: luma.check("equalize", params, spec),
    reduction=Reduction(rounds=_rounds, apply=_apply),
    scratch=by_type(uint8=1, uint16=2, float32=4),
)
