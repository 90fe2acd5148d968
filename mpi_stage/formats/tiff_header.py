"""What a TIFF file says of its first page, checked before anything is read by it."""

import struct
from typing import Literal

import numpy as np

from mpi_stage.errors import DamagedInputError, UnsupportedFormatError
from mpi_stage.formats.base import Header, Layout
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.tiff_directory import TiffFile
from mpi_stage.formats.tiff_fields import Fields
from mpi_stage.formats.tiff_kinds import (
    COMPRESSIONS,
    MAX_SIDE_PX,
    check_jpeg,
    conversion_of,
    jpeg_colour,
    palette_of,
    value_type,
)
from mpi_stage.formats.tiff_metadata import page_metadata
from mpi_stage.formats.tiff_page import TiffPage
from mpi_stage.image import ImageSpec

_BITS_PER_BYTE = 8
_SEPARATE = 2
_REVERSED = 2
_FLOATING = 3
_CODEC_BYTES = 2 << 20
_BYTES_PER_ENTRY = 64  # of the tables: two 64-bit arrays, and what checking them takes
_CONVERT_BYTES = 1 << 20
_PARSE_ERRORS = (
    struct.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ZeroDivisionError,
    OverflowError,
    MemoryError,
    OSError,
)


def parse_tiff(data: ByteSource) -> tuple[Header, TiffPage]:
    """Read the first page's tags; no pixel is touched.

    Raises DamagedInputError where they contradict one another or the file's size, and
    UnsupportedFormatError for kinds of TIFF that are not read.
    """
    path, stored_bytes = data.name, data.size_bytes
    try:
        file = TiffFile(data)
        directory = file.first
        fields = Fields(directory)
        page, spec = _page(path, file.order, fields)
        metadata = page_metadata(fields, further_pages=bool(directory.following))
    except _PARSE_ERRORS as error:
        said = str(error) or type(error).__name__
        raise DamagedInputError(
            f"{path} begins like a TIFF, but its directory cannot be read ({said}). "
            "The file is damaged or cut short; get a fresh copy."
        ) from error
    _check_tables(page, stored_bytes)
    tile = (page.segment_rows, fields.tilewidth) if page.tiled else None
    header = Header(
        spec=spec,
        layout=Layout("tiff", tile, page.compression, file.big),
        metadata=metadata,
        divisible=page.plain or page.down > 1,
        row_unit=1 if page.plain else min(page.segment_rows, page.rows),
        decode_bytes=_decode_bytes(page, spec),
        stored_bytes=stored_bytes,
    )
    return header, page


def _page(path: str, order: Literal["<", ">"], fields: Fields) -> tuple[TiffPage, ImageSpec]:
    """Turn a directory's fields into our page and the image's size and type."""
    rows, columns, samples = fields.imagelength, fields.imagewidth, fields.samplesperpixel
    if min(rows, columns, samples) < 1 or max(rows, columns) > MAX_SIDE_PX:
        raise DamagedInputError(
            f"{path} says that it is {columns} × {rows} px with {samples} channels, which no image is."
        )
    if fields.imagedepth != 1 or fields.tiledepth > 1:
        raise UnsupportedFormatError(
            f"{path} is a volume of {fields.imagedepth} layers; only flat images are read."
        )
    compression = COMPRESSIONS.get(fields.compression)
    if compression is None:
        raise UnsupportedFormatError(
            f"{path} is compressed with TIFF method {fields.compression}; "
            f"{', '.join(sorted(set(COMPRESSIONS.values())))} are read. Convert it, to deflate for example."
        )
    stored = value_type(path, fields)
    conversion = conversion_of(path, fields, compression)
    palette = palette_of(path, fields) if conversion == "palette" else None
    tiled = fields.is_tiled
    segment_rows = fields.tilelength if tiled else min(fields.rowsperstrip, rows)
    segment_columns = fields.tilewidth if tiled else columns
    if min(segment_rows, segment_columns) < 1 or max(segment_rows, segment_columns) > MAX_SIDE_PX:
        raise DamagedInputError(
            f"{path} says that its {'tiles' if tiled else 'strips'} are {segment_columns} × {segment_rows}."
        )
    packed = "bits" in conversion
    planes = samples if fields.planarconfig == _SEPARATE and samples > 1 else 1
    page = TiffPage(
        path=path,
        rows=rows,
        columns=-(-columns // _BITS_PER_BYTE) if packed else columns,
        samples=samples,
        dtype=np.dtype(stored).newbyteorder(order),
        planes=planes,
        tiled=tiled,
        segment_rows=segment_rows,
        segment_columns=-(-segment_columns // _BITS_PER_BYTE) if packed else segment_columns,
        compression=compression,
        predictor=fields.predictor if compression not in ("none", "jpeg") else 1,
        reversed_bits=fields.fillorder == _REVERSED and compression != "jpeg",
        colour=jpeg_colour(fields, planes),
        conversion=conversion,
        offsets=fields.dataoffsets,
        counts=fields.databytecounts,
        jpeg_tables=fields.jpegtables,
        palette=palette,
    )
    if compression == "jpeg":
        check_jpeg(page)
    channels = 3 if conversion == "palette" else samples
    return page, ImageSpec(rows, columns, channels, stored)


def _check_tables(page: TiffPage, stored_bytes: int) -> None:
    """Hold the segments' places against the image's size and the file's."""
    expected = page.planes * page.down * page.across
    for name, table in (("offsets", page.offsets), ("byte counts", page.counts)):
        if len(table) != expected:
            raise DamagedInputError(
                f"{page.path} needs {expected} {'tiles' if page.tiled else 'strips'} for its size and lists "
                f"{len(table)} {name}. The file is damaged; get a fresh copy."
            )
    bad = (page.offsets < 0) | (page.counts < 0) | (page.counts > stored_bytes - page.offsets)
    bad &= page.counts != 0
    if bad.any():
        index = int(np.argmax(bad))
        offset, count = int(page.offsets[index]), int(page.counts[index])
        raise DamagedInputError(
            f"{page.path} is cut short: {page.name(index)} should have {count} bytes from byte {offset} on, "
            f"{max(0, stored_bytes - offset)} are there (the file has {stored_bytes} bytes)."
        )
    if page.compression == "none":
        _check_plain_counts(page)


def _check_plain_counts(page: TiffPage) -> None:
    """Hold the byte counts of uncompressed segments against the rows they store."""
    rows = np.full((page.planes, page.down, page.across), page.segment_rows, np.int64)
    rows[:, -1] = page.rows_in(page.down - 1)
    needed = rows.reshape(-1) * page.segment_row_bytes
    bad = (page.counts < needed) & (page.counts != 0)
    if bad.any():
        index = int(np.argmax(bad))
        raise DamagedInputError(
            f"{page.path}: {page.name(index)} should have {needed[index]} bytes, not {page.counts[index]}. "
            "The file is damaged; get a fresh copy."
        )


def _decode_bytes(page: TiffPage, spec: ImageSpec) -> int:
    """Bound of the memory that reading needs beside the rows asked for."""
    total = _BYTES_PER_ENTRY * len(page.offsets)
    if page.conversion != "none":
        total += _CONVERT_BYTES + 4 * page.row_bytes + 2 * spec.row_bytes
    segment_bytes = page.segment_rows * page.segment_row_bytes
    if page.plain:
        return total + (segment_bytes if page.tiled or page.planes > 1 else 0)
    kept = min(page.segment_rows, page.rows) * page.row_bytes
    whole_rows = not page.tiled and page.planes == 1
    buffers = (
        int(not whole_rows)  # a segment decoded beside its place
        + int(page.predictor == _FLOATING)
        + int(page.compression == "jpeg")
        + int(not page.tiled and page.down > 1)  # a last strip that was filled up
    )
    stored = int(page.counts.max()) * (2 if page.reversed_bits else 1)
    return total + kept + buffers * segment_bytes + stored + _CODEC_BYTES
