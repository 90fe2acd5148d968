"""What a TIFF file says of one of its images, checked before anything is read by it."""

from typing import Literal

import numpy as np

from mpi_stage.errors import DamagedInputError, UnsupportedFormatError
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.headers import Header, Layout
from mpi_stage.formats.options import SourceOptions
from mpi_stage.formats.tiff import codes
from mpi_stage.formats.tiff.directory import TiffFile
from mpi_stage.formats.tiff.fields import Fields
from mpi_stage.formats.tiff.kinds import (
    MAX_SIDE_PX,
    UNPREDICTED,
    check_codec,
    compression_of,
    conversion_of,
    jpeg_colour,
    palette_of,
    value_type,
)
from mpi_stage.formats.tiff.metadata import page_metadata, scaled
from mpi_stage.formats.tiff.page import TiffPage
from mpi_stage.formats.tiff.pages import find_image, unreadable_directories
from mpi_stage.formats.tiff.ranges import bytes_behind
from mpi_stage.image import ImageSpec

_BITS_PER_BYTE = 8
_TURNED = ("none", "deflate", "lzw", "zstd", "packbits")  # where FillOrder can turn the bits of a byte
_CODEC_BYTES = 2 << 20
_BESIDE = {"jpeg": 1, "webp": 1, "jpeg2000": 12, "lerc": 3, "lerc-deflate": 5, "lerc-zstd": 5}
"""Segments that a codec decodes beside the one asked for, masks and inner streams included."""

_BYTES_PER_ENTRY = 64  # of the tables: two 64-bit arrays, and what checking them takes
_CONVERT_BYTES = 1 << 20


def parse_tiff(data: ByteSource, options: SourceOptions) -> tuple[Header, TiffPage]:
    """Read the tags of the image that ``options`` ask for; no pixel is touched.

    Raises DamagedInputError where they contradict one another or the file's size,
    UnsupportedFormatError for kinds of TIFF that are not read, MissingPageError where there is no
    such image.
    """
    path, stored_bytes = data.name, data.size_bytes
    with unreadable_directories(path):
        file = TiffFile(data)
        found = find_image(file, path, options)
        fields = found.fields
        page, spec = _page(path, file.order, fields)
        metadata = page_metadata(found.main, found.others)
        if found.level:
            metadata = scaled(metadata, found.main, spec)
    _check_tables(page, stored_bytes)
    tile = (page.segment_rows, fields.tilewidth) if page.tiled else None
    header = Header(
        spec=spec,
        layout=Layout("tiff", tile, page.compression, file.big),
        metadata=metadata,
        divisible=page.plain or page.down > 1,
        row_unit=1 if page.plain else min(page.segment_rows, page.rows),
        decode_bytes=_decode_bytes(page, spec, options.threads) + data.reserve(bytes_behind(page)),
        stored_bytes=stored_bytes,
        page=found.page,
        level=found.level,
        windowed=page.conversion == "none" and page.plain and (page.tiled or page.planes > 1),
        decoded_bytes=_decoded_bytes(page),
    )
    return header, page


def _decoded_bytes(page: TiffPage) -> int:
    """Return the bytes that all segments decode to, however many of them are the same bytes of the file."""
    if page.plain:
        return 0
    return int(np.count_nonzero(page.counts)) * page.segment_rows * page.segment_row_bytes


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
    compression = compression_of(path, fields)
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
    planes = samples if fields.planarconfig == codes.SEPARATE and samples > 1 else 1
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
        predictor=fields.predictor
        if compression.partition("-")[0] not in UNPREDICTED
        else codes.NO_PREDICTOR,
        reversed_bits=fields.fillorder == codes.REVERSED and compression in _TURNED,
        colour=jpeg_colour(fields, planes),
        conversion=conversion,
        offsets=fields.dataoffsets,
        counts=fields.databytecounts,
        jpeg_tables=fields.jpegtables,
        palette=palette,
    )
    check_codec(page)
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


def _decode_bytes(page: TiffPage, spec: ImageSpec, threads: int) -> int:
    """Bound of the memory that reading needs beside the rows asked for."""
    total = _BYTES_PER_ENTRY * len(page.offsets)
    if page.conversion != "none":
        total += _CONVERT_BYTES + 4 * page.row_bytes + 2 * spec.row_bytes
    segment_bytes = page.segment_rows * page.segment_row_bytes
    if page.plain:
        return total + (segment_bytes if page.tiled or page.planes > 1 else 0)
    kept = min(page.segment_rows, page.rows) * page.row_bytes * (2 if threads > 1 else 1)
    whole_rows = not page.tiled and page.planes == 1
    buffers = (
        int(not whole_rows)  # a segment decoded beside its place
        + int(page.predictor == codes.FLOATING)
        + _BESIDE.get(page.compression, 0)
        + int(not page.tiled and page.down > 1)  # a last strip that was filled up
    )
    stored = int(page.counts.max()) * (2 if page.reversed_bits else 1)
    return total + kept + threads * (buffers * segment_bytes + stored + _CODEC_BYTES)
