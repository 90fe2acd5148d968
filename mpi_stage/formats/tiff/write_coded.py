"""Writing rows as compressed TIFF segments."""

from collections import deque
from typing import TYPE_CHECKING

from mpi_stage.formats.tiff.append import Part, SegmentAppender
from mpi_stage.formats.tiff.encode import SegmentEncoder
from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.tiff.write import fill_segment
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import Pixels
from mpi_stage.process.timing import PhaseClock

if TYPE_CHECKING:
    from concurrent.futures import Future


class RowEncoder:
    """Encodes whole rows of segments, a few segments at once where the pool has threads.

    Segments are copied before they are handed to a thread, so that the caller may use its rows again
    at once; they are appended in order.
    """

    def __init__(
        self, layout: TiffLayout, appender: SegmentAppender, pool: TilePool, clock: PhaseClock
    ) -> None:
        """Encode segments of ``layout`` and hand them to ``appender``."""
        self._layout, self._appender, self._pool, self._clock = layout, appender, pool, clock
        self._encoder = SegmentEncoder(layout)
        self._under_way: deque[tuple[Pixels, Future[Part]]] = deque()
        self._free: list[Pixels] = []

    def put(self, rows: Pixels) -> None:
        """Take C-contiguous rows that fill one row of segments; raises OSError."""
        width = self._layout.segment_columns
        for left in range(0, self._layout.spec.columns, width):
            part = rows[:, left : left + width]
            if self._pool.threads == 1:
                with self._clock.phase("encode"):
                    data = self._encoder.encode(self._filled(part))
                self._appender.append(data)
            else:
                self._begin(part)
        if self._pool.threads == 1:
            self._appender.flush()

    def end(self) -> None:
        """Append all that is under way; raises OSError."""
        while self._under_way:
            self._take_oldest()
        self._appender.flush()

    def _begin(self, part: Pixels) -> None:
        """Give one segment to the pool, after the oldest is done where there are enough under way."""
        if len(self._under_way) >= self._pool.under_way:
            self._take_oldest()
        tile = self._copied(part)
        self._under_way.append((tile, self._pool.submit(self._encoder.encode, tile)))

    def _take_oldest(self) -> None:
        """Append the oldest segment under way, once it is encoded."""
        tile, encoded = self._under_way.popleft()
        with self._clock.phase("encode"):
            data = encoded.result()
        self._free.append(tile)
        self._appender.append(data)

    def _filled(self, part: Pixels) -> Pixels:
        """Return the segment for the columns of ``part``: a strip's rows as they are, a tile filled up."""
        if not self._layout.tiled:
            return part
        if not self._free:
            self._free.append(self._layout.empty_segment(self._layout.segment_rows))
        fill_segment(self._free[0], part)
        return self._free[0]

    def _copied(self, part: Pixels) -> Pixels:
        """Return a segment that nobody else uses."""
        rows = self._layout.segment_rows if self._layout.tiled else len(part)
        tile = self._free.pop() if self._free else self._layout.empty_segment(rows)
        if len(tile) != rows:
            tile = self._layout.empty_segment(rows)
        fill_segment(tile, part)
        return tile


class CodedWriter:
    """Segments that are encoded: rows are held back until a row of segments is full, then encoded."""

    def __init__(
        self, layout: TiffLayout, appender: SegmentAppender, pool: TilePool, clock: PhaseClock
    ) -> None:
        """Hand encoded segments to ``appender``."""
        self._layout, self._appender = layout, appender
        self._encoder = RowEncoder(layout, appender, pool, clock)
        self._held: Pixels | None = None
        self._held_rows = 0

    def write(self, first: int, rows: Pixels) -> None:
        """Encode what is full, hold back the rest."""
        spec, height = self._layout.spec, self._layout.segment_rows
        done = 0
        while done < len(rows):
            top = (first + done) // height * height
            whole = min(height, spec.rows - top)
            take = min(len(rows) - done, whole - self._held_rows)
            part = rows[done : done + take]
            done += take
            if take == whole:
                self._encoder.put(part)
                continue
            if self._held is None:
                self._held = spec.empty(min(height, spec.rows))
            self._held[self._held_rows : self._held_rows + take] = part
            self._held_rows += take
            if self._held_rows == whole:
                self._encoder.put(self._held[:whole])
                self._held_rows = 0

    def end(self) -> list[int]:
        """Return the encoded sizes in order; raises ValueError where a row of segments is not full."""
        if self._held_rows:
            raise ValueError(
                f"a part ends {self._held_rows} rows into segments of {self._layout.segment_rows} rows"
            )
        self._encoder.end()
        return self._appender.sizes
