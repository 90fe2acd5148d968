"""Turning values into the bytes of a TIFF segment, through imagecodecs."""

import threading
from typing import Any

import imagecodecs
import numpy as np

from mpi_stage.formats.tiff import codes
from mpi_stage.formats.tiff.coding import LERC_INNER
from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.tiff.lerc import encode_lerc
from mpi_stage.image import Pixels

_codecs: Any = imagecodecs  # its stubs know of no memoryviews


class SegmentEncoder:
    """Encodes the segments of one layout, in any number of threads at once."""

    def __init__(self, layout: TiffLayout) -> None:
        """Encode as ``layout`` has it."""
        self._layout = layout
        self._spare = threading.local()

    def encode(self, segment: Pixels) -> bytes | bytearray:
        """Encode a segment (rows × columns × channels, C-contiguous)."""
        layout = self._layout
        if layout.compression == "none":
            return segment.tobytes()
        if layout.compression == "jpeg":
            return _encode_jpeg(segment, layout.quality)
        if layout.compression in LERC_INNER:
            return encode_lerc(segment, layout.compression, layout.effort)
        values = self._predicted(segment)
        data: bytes | bytearray
        if layout.compression == "deflate":
            data = _codecs.deflate_encode(values, level=int(layout.effort))
        elif layout.compression == "lzw":
            data = _codecs.lzw_encode(values)
        else:
            data = _codecs.zstd_encode(values, level=int(layout.effort))
        return data

    def _predicted(self, segment: Pixels) -> Pixels:
        """Return the segment's differences in a buffer of this thread."""
        out: Pixels | None = getattr(self._spare, "values", None)
        if out is None or out.shape != segment.shape:
            out = self._spare.values = np.empty_like(segment)
        if self._layout.predictor == codes.FLOATING:
            _codecs.floatpred_encode(segment, axis=-2, out=out)
        elif self._layout.predictor == codes.HORIZONTAL:
            # What imagecodecs' delta_encode gives, about five times as fast.
            out[:, 0] = segment[:, 0]
            np.subtract(segment[:, 1:], segment[:, :-1], out=out[:, 1:])
        else:
            return segment
        return out


def _encode_jpeg(segment: Pixels, quality: int) -> bytes | bytearray:
    """Encode gray, or RGB as YCbCr with half the colour resolution."""
    data: bytes | bytearray
    if segment.shape[2] == 1:
        data = _codecs.jpeg8_encode(segment[..., 0], level=quality)
    else:
        data = _codecs.jpeg8_encode(
            segment, level=quality, colorspace="RGB", outcolorspace="YCBCR", subsampling="420"
        )
    return data
