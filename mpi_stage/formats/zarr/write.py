"""Writing rows as the chunks and shards of one Zarr array."""

import math
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.formats.zarr.chunks import ABSENT, Place
from mpi_stage.formats.zarr.codecs import checksum, codec_documents, encode_chunk
from mpi_stage.formats.zarr.layout import LevelLayout
from mpi_stage.formats.zarr.place import ZarrPlace
from mpi_stage.image import Pixels
from mpi_stage.process.files import output_errors, write_all
from mpi_stage.process.timing import PhaseClock

if TYPE_CHECKING:
    from concurrent.futures import Future


class ShardWriter:
    """The file of one shard: chunks are appended in the order in which they come, the index at the end.

    A chunk on its own is a file without an index. There is no file where no chunk was added.
    """

    def __init__(self, path: str, counts: Place) -> None:
        """Write ``path``, which has room for ``counts`` chunks along each dimension."""
        self.path = path
        self._sharded = math.prod(counts) > 1
        self._entries = np.full((*counts, 2), ABSENT, "<u8")
        self._size = 0

    def add(self, inside: Place, data: bytes | bytearray) -> None:
        """Append an encoded chunk. Raises DiskFullError, OutputError."""
        self._entries[inside] = self._size, len(data)
        self._append(data, first=not self._size)

    def finish(self) -> None:
        """Write the index. Raises DiskFullError, OutputError."""
        if self._sharded and self._size:
            index = self._entries.tobytes()
            self._append(index + checksum(index), first=False)

    def _append(self, data: bytes | bytearray, *, first: bool) -> None:
        """Write at the end; the file is opened each time, for there may be very many beside one another."""
        with output_errors(self.path):
            if first:
                os.makedirs(os.path.dirname(self.path), exist_ok=True)  # noqa: PTH103, PTH120 (plain strings)
            flags = os.O_WRONLY | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if first else 0)
            fd = os.open(self.path, flags, 0o666)
            try:
                write_all(fd, data, self._size)
            finally:
                os.close(fd)
        self._size += len(data)


class LevelWriter:
    """Takes consecutive rows of one rank: held back until a row of chunks is full, then encoded.

    A chunk whose values are all zero is left out, which means the same; what lies outside of the image
    is zero.
    """

    def __init__(
        self, layout: LevelLayout, place: ZarrPlace, path: str, clock: PhaseClock, pool: TilePool
    ) -> None:
        """Write the array at ``path`` of ``place``, encoding in ``pool``."""
        self._layout, self._clock, self._pool = layout, clock, pool
        self._place, self._folder = place, place.folder(path)
        self._mine = threading.local()
        self._held: Pixels | None = None
        self._held_rows = 0
        self._shards: dict[Place, ShardWriter] = {}
        self.rows = 0

    def write(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on. Raises DiskFullError, OutputError."""
        spec, height = self._layout.spec, self._layout.chunk_rows
        done = 0
        while done < len(rows):
            down = (first + done) // height
            whole = min(height, spec.rows - down * height)
            take = min(len(rows) - done, whole - self._held_rows)
            part = rows[done : done + take]
            done += take
            if take < whole:
                if self._held is None:
                    self._held = spec.empty(min(height, spec.rows))
                self._held[self._held_rows : self._held_rows + take] = part
                self._held_rows += take
                if self._held_rows < whole:
                    continue
                part = self._held[:whole]
                self._held_rows = 0
            self._encode_across(down, part)
        self.rows += len(rows)

    def end(self) -> None:
        """Give the memory back; raises ValueError where a row of chunks or of shards is not full."""
        if self._held_rows or self._shards:
            raise ValueError(f"a part ends {self._held_rows} rows into a shard of {self._folder}")
        self._held = None
        self._mine = threading.local()

    def _encode_across(self, down: int, rows: Pixels) -> None:
        """Encode one row of chunks, and finish the shards that are full with it."""
        layout = self._layout
        waiting: deque[tuple[Place, Future[bytes | bytearray | None]]] = deque()
        for channel in range(0, layout.spec.channels, layout.chunk_channels):
            for across, left in enumerate(range(0, layout.spec.columns, layout.chunk_columns)):
                place = layout.ordered(channel // layout.chunk_channels, down, across)
                with self._clock.phase("encode"):
                    waiting.append((place, self._pool.submit(self._encode, rows, channel, left)))
                if len(waiting) >= self._pool.under_way:
                    self._add(*waiting.popleft())
        while waiting:
            self._add(*waiting.popleft())
        per_shard = layout.shard_rows // layout.chunk_rows
        if (down + 1) % per_shard == 0 or (down + 1) * layout.chunk_rows >= layout.spec.rows:
            with self._clock.phase("write"):
                for shard in self._shards.values():
                    shard.finish()
                    self._place.shard_done(shard.path)
            self._shards.clear()

    def _encode(self, rows: Pixels, channel: int, left: int) -> bytes | bytearray | None:
        """Return the encoded chunk that begins at a channel and a column, None where it is all zero."""
        layout, mine = self._layout, self._mine
        if not hasattr(mine, "chunk"):
            mine.chunk = np.zeros(layout.chunk, layout.spec.dtype)
        part = rows[:, left : left + layout.chunk_columns, channel : channel + layout.chunk_channels]
        height, width, depth = part.shape
        if (height, width) != (layout.chunk_rows, layout.chunk_columns):
            mine.chunk[...] = 0
        target = mine.chunk[layout.ordered(slice(depth), slice(height), slice(width))]
        if layout.planar or layout.spec.channels == 1:
            target.reshape(height, width)[...] = part[..., 0]
        else:
            target[...] = part
        if not mine.chunk.reshape(-1).view(np.uint8).any():
            return None
        return encode_chunk(mine.chunk, layout.coding)

    def _add(self, place: Place, encoded: "Future[bytes | bytearray | None]") -> None:
        """Put a chunk into its shard, once it is encoded."""
        with self._clock.phase("encode"):
            data = encoded.result()
        if data is None:
            return
        counts = self._layout.counts
        at = tuple(one // count for one, count in zip(place, counts, strict=True))
        if at not in self._shards:
            path = "/".join([self._folder, "c", *map(str, at)])
            self._shards[at] = ShardWriter(path, counts)
        with self._clock.phase("write"):
            self._shards[at].add(tuple(one % count for one, count in zip(place, counts, strict=True)), data)


def array_document(layout: LevelLayout) -> dict[str, Any]:
    """Return the metadata of the array."""
    inner = codec_documents(layout.coding, layout.spec.itemsize)
    codecs = inner
    if layout.sharded:
        index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
        sharding = {
            "chunk_shape": list(layout.chunk),
            "codecs": inner,
            "index_codecs": index,
            "index_location": "end",
        }
        codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(layout.shape),
        "data_type": layout.spec.dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(layout.shard)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": codecs,
        "attributes": {},
        "dimension_names": list(layout.names),
    }
