"""Turning the bytes of a TIFF segment into values, through imagecodecs."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from mpi_stage.errors import DamagedInputError
from mpi_stage.formats.jpeg_markers import ends_whole, frame_size
from mpi_stage.formats.tiff import codes
from mpi_stage.formats.tiff.coding import LERC_INNER
from mpi_stage.formats.tiff.jpeg2000 import decode_jpeg2000
from mpi_stage.formats.tiff.lerc import decode_lerc
from mpi_stage.formats.tiff.page import TiffPage
from mpi_stage.formats.tiff.webp import decode_webp
from mpi_stage.image import Pixels

_codecs: Any = imagecodecs  # its stubs know of no memoryviews
Bytes = NDArray[np.uint8]

_MORE_PX = 64  # that some writers add to a JPEG segment, to have whole units
_DECODERS: dict[str, Callable[..., Any]] = {
    "deflate": _codecs.deflate_decode,
    "lzw": _codecs.lzw_decode,
    "zstd": _codecs.zstd_decode,
    "packbits": _codecs.packbits_decode,
}


class SegmentDecoder:
    """Decodes the segments of one page; keeps its buffers from one to the next."""

    def __init__(self, page: TiffPage) -> None:
        """Decode segments of ``page``."""
        self._page = page
        self._spare: Pixels | None = None
        self._native = page.dtype.newbyteorder("=")

    def decode(self, raw: memoryview, index: int, target: Pixels) -> None:
        """Decode ``raw`` into ``target`` (rows × columns × samples of the segment, C-contiguous).

        Raises DamagedInputError that names the file and the segment.
        """
        compression = self._page.compression
        if self._page.reversed_bits:
            raw = memoryview(_codecs.bitorder_decode(raw))
        try:
            if compression == "jpeg":
                self._decode_jpeg(raw, index, target)
            elif compression in LERC_INNER:
                decode_lerc(raw, compression, target)
            elif compression == "webp":
                decode_webp(raw, target)
            elif compression == "jpeg2000":
                decode_jpeg2000(raw, target)
            else:
                self._decode_flat(raw, index, target)
        except (RuntimeError, ValueError, TypeError, MemoryError) as error:
            raise DamagedInputError(
                f"{self._page.path}: {self._page.name(index)} ({len(raw)} bytes) does not decode as "
                f"{compression}: {error}. The file is damaged; get a fresh copy."
            ) from error

    def _decode_flat(self, raw: memoryview, index: int, target: Pixels) -> None:
        """Decode a byte stream and undo its predictor."""
        values = self._scratch(target.shape) if self._page.predictor == codes.FLOATING else target
        flat = values.reshape(-1).view(np.uint8)
        got = self._unpack(raw, flat)
        if got < flat.size:
            raise DamagedInputError(
                f"{self._page.path}: {self._page.name(index)} is cut short: {flat.size} decoded bytes "
                f"expected, {got} found in its {len(raw)} stored bytes."
            )
        if self._page.predictor == codes.FLOATING:
            _codecs.floatpred_decode(values, axis=-2, out=target)
            return
        if not self._page.dtype.isnative:
            target.byteswap(inplace=True)
        if self._page.predictor == codes.HORIZONTAL:
            _codecs.delta_decode(target, axis=-2, out=target)

    def _unpack(self, raw: memoryview, flat: Bytes) -> int:
        """Fill ``flat`` from ``raw``; return the bytes there were."""
        if self._page.compression == "none":
            found = np.frombuffer(raw, np.uint8)[: flat.size]
            flat[: found.size] = found
            return int(found.size)
        decoder = _DECODERS[self._page.compression]
        try:
            return len(decoder(raw, out=flat))
        except RuntimeError:
            # Some writers fill the last strip up to its full height: more comes out than is asked for.
            whole = self._page.segment_rows * self._page.segment_row_bytes
            if flat.size >= whole:
                raise
            found = decoder(raw, out=np.empty(whole, np.uint8))[: flat.size]
            flat[: found.size] = found
            return len(found)

    def _decode_jpeg(self, raw: memoryview, index: int, target: Pixels) -> None:
        """Decode a JPEG stream to gray or RGB."""
        if not ends_whole(raw):
            raise DamagedInputError(
                f"{self._page.path}: {self._page.name(index)} is cut short: its JPEG stream of {len(raw)} "
                "bytes has no end marker."
            )
        self._check_frame(raw, index)
        space = self._page.colour.upper()
        colours = {
            "tables": self._page.jpeg_tables,
            "colorspace": "GRAYSCALE" if space == "GRAY" else space,
            "outcolorspace": "GRAYSCALE" if space == "GRAY" else "RGB",
        }
        with suppress(ValueError):  # it is of another size
            _codecs.jpeg8_decode(raw, **colours, out=target[..., 0] if target.shape[2] == 1 else target)
            return
        found = _codecs.jpeg8_decode(raw, **colours)
        found = found.reshape(*found.shape[:2], -1)
        rows, columns, samples = target.shape
        if found.shape[0] < rows or found.shape[1] < columns or found.shape[2] != samples:
            raise DamagedInputError(
                f"{self._page.path}: {self._page.name(index)} holds a JPEG image of {found.shape[1]} × "
                f"{found.shape[0]} px and {found.shape[2]} channels; {columns} × {rows} and {samples} "
                "were expected."
            )
        target[:] = found[:rows, :columns]

    def _check_frame(self, raw: memoryview, index: int) -> None:
        """Refuse a stream that is much larger than its segment, before it is decoded."""
        page = self._page
        rows, columns = frame_size(raw)
        if rows > page.segment_rows + _MORE_PX or columns > page.segment_columns + _MORE_PX:
            raise DamagedInputError(
                f"{page.path}: {page.name(index)} holds a JPEG image of {columns} × {rows} px; "
                f"{page.segment_columns} × {page.segment_rows} were expected."
            )

    def _scratch(self, shape: tuple[int, ...]) -> Pixels:
        """Return a buffer of the shape, reused while the shape stays."""
        if self._spare is None or self._spare.shape != shape:
            self._spare = np.empty(shape, self._native)
        return self._spare
