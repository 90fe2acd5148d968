"""Spreading values over the whole range by their ranks: ``equalize``."""

from dataclasses import dataclass

import cv2
import numpy as np

from mpi_stage.errors import UnsupportedImageError
from mpi_stage.image import COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations import histogram
from mpi_stage.operations.blocks import measured_channels, per_channel
from mpi_stage.operations.declaration import (
    Kind,
    Measured,
    Operation,
    Parameter,
    Params,
    Pattern,
    Reduction,
    Round,
)

_UINT16_WHITE = 65535


@dataclass(frozen=True)
class Tables:
    """The new value of each bin, per measured channel; None where the channel stays as it is."""

    channels: tuple[Pixels | None, ...]
    span: histogram.Span | None


def _is_luma(params: Params, channels: int) -> bool:
    """Whether Y of YCrCb is treated instead of each channel; for gray the two are the same."""
    return params["channels"] == "luma" and channels == COLOUR_CHANNELS


def _check(params: Params, spec: ImageSpec) -> None:
    channels = measured_channels(spec)
    if params["channels"] == "luma" and channels not in {1, COLOUR_CHANNELS}:
        message = (
            f"equalize:channels=luma takes 1, 3 or 4 channels, the image has {spec.channels}; "
            "use equalize:channels=each"
        )
        raise UnsupportedImageError(message)


def _planes(rows: Pixels, params: Params) -> Pixels:
    """Return what is measured: luma as one channel, or all of them."""
    if _is_luma(params, rows.shape[2]):
        return cv2.cvtColor(rows, cv2.COLOR_RGB2YCrCb)[:, :, :1]
    return rows


def _width(spec: ImageSpec, params: Params) -> int:
    channels = measured_channels(spec)
    return 1 if _is_luma(params, channels) else channels


def _rounds(spec: ImageSpec) -> tuple[Round, ...]:
    """Return the histogram's sweeps, the last of which ends with the tables instead."""
    *before, last = histogram.rounds(spec, _planes, _width)
    finish_histogram = last.finish

    def finish(state: Pixels, spec: ImageSpec, params: Params, previous: Measured) -> Tables:
        measured: histogram.Histogram = finish_histogram(state, spec, params, previous)
        return Tables(tuple(table(counts, spec.dtype) for counts in measured.counts), measured.span)

    return (*before, Round(start=last.start, update=last.update, combine=last.combine, finish=finish))


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
    if not _is_luma(params, rows.shape[2]):
        return _looked_up(rows, found)
    luma = cv2.cvtColor(rows, cv2.COLOR_RGB2YCrCb)
    luma[:, :, :1] = _looked_up(luma[:, :, :1], found)
    return cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB)


def _looked_up(rows: Pixels, tables: Tables) -> Pixels:
    result = np.empty(rows.shape, rows.dtype)
    for channel, known in enumerate(tables.channels):
        values = rows[:, :, channel]
        result[:, :, channel] = values if known is None else _translate(values, known, tables.span)
    return result


def _translate(values: Pixels, known: Pixels, span: histogram.Span | None) -> Pixels:
    """Look one channel up; a NaN stays one, infinities are the range's ends."""
    if span is None:
        if values.dtype == np.uint8:
            return cv2.LUT(np.ascontiguousarray(values), known)
        return known[values]
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(values), values, known[span.bins(values)])


def _cost(params: Params, spec: ImageSpec) -> float:
    conversion = 2.0 if _is_luma(params, measured_channels(spec)) else 0.0
    return conversion * (1 if spec.dtype == "uint8" else 3) + per_channel(spec, 1.0)


EQUALIZE = Operation(
    name="equalize",
    label="Equalize the histogram",
    help="Spreads the values over the whole range, so that each part of it holds as many pixels. Of "
    "floats, NaN and infinities are not measured; NaN stays.",
    family="threshold",
    pattern=Pattern.REDUCE,
    reference="cv2.equalizeHist, of Y of YCrCb or of each channel; wider types over 65,536 bins",
    parameters=(
        Parameter(
            "channels",
            Kind.CHOICE,
            "luma: the brightness of colour pictures, colours stay; each: every channel by itself.",
            default="luma",
            choices=("luma", "each"),
        ),
    ),
    cost=_cost,
    check=_check,
    reduction=Reduction(rounds=_rounds, apply=_apply),
)
