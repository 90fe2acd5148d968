"""Which bytes of a TIFF file hold which rows."""

from collections.abc import Iterator

from mpi_stage.formats.tiff.page import TiffPage
from mpi_stage.geometry.window import Window

Range = tuple[int, int]

_SEGMENTS_BEHIND = 16
_LITTLE_BYTES = 8 << 20
_PIECE_BYTES = 1 << 20


def row_ranges(page: TiffPage, first: int, end: int) -> Iterator[Range]:
    """Yield offset and count of the bytes that reading rows ``first`` to ``end`` takes, in that order.

    Of tiles and of compressed segments they are whole segments, of plain strips the rows alone.
    """
    ranges = _strip_ranges if page.plain and not page.tiled else _segment_ranges
    for down in range(first // page.segment_rows, -(-end // page.segment_rows)):
        above = down * page.segment_rows
        yield from ranges(page, down, max(first - above, 0), min(end - above, page.rows_in(down)))


def window_ranges(page: TiffPage, window: Window) -> Iterator[Range]:
    """Yield offset and count of the segments that a window of the image touches, in the order of reading."""
    first, last = (side // page.segment_columns for side in (window.columns.first, window.columns.end - 1))
    for down in range(window.rows.first // page.segment_rows, -(-window.rows.end // page.segment_rows)):
        for plane in range(page.planes):
            begin = page.index(plane, down, 0)
            for index in range(begin + first, begin + last + 1):
                if page.counts[index]:
                    yield int(page.offsets[index]), page.rows_in(down) * page.segment_row_bytes


def _segment_ranges(page: TiffPage, down: int, top: int, bottom: int) -> Iterator[Range]:
    """Yield the segments of a row of segments, whichever of its rows are wanted."""
    del top, bottom
    plain_bytes = page.rows_in(down) * page.segment_row_bytes
    for plane in range(page.planes):
        begin = page.index(plane, down, 0)
        for index in range(begin, begin + page.across):
            if page.counts[index]:
                count = plain_bytes if page.plain else int(page.counts[index])
                yield int(page.offsets[index]), count


def _strip_ranges(page: TiffPage, down: int, top: int, bottom: int) -> Iterator[Range]:
    """Yield rows ``top`` to ``bottom`` of plain strips; of several planes a few rows in turn."""
    row_bytes = page.segment_row_bytes
    step = max(1, _PIECE_BYTES // row_bytes)
    for row in range(top, bottom, step):
        for plane in range(page.planes):
            index = page.index(plane, down, 0)
            if page.counts[index]:
                yield int(page.offsets[index]) + row * row_bytes, min(step, bottom - row) * row_bytes


def bytes_behind(page: TiffPage) -> int:
    """Return how far reading goes back: a row of plain tiles, a block of planes, what decoders have."""
    largest = int(page.counts.max(initial=0))
    if not page.plain:
        return max(largest, min(_SEGMENTS_BEHIND * largest, _LITTLE_BYTES))
    if page.tiled:
        return page.planes * page.across * page.segment_rows * page.segment_row_bytes
    return 2 * _LITTLE_BYTES if page.planes > 1 else 0
