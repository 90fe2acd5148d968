"""Where the chunks of a Zarr array lie: in objects of their own, or inside shards."""

import math
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi_stage.errors import DamagedInputError
from mpi_stage.formats.zarr.array import ENTRY_BYTES, Sharding, ZarrArray
from mpi_stage.formats.zarr.codecs import most_stored_bytes, without_checksum
from mpi_stage.formats.zarr.tree import Tree

ABSENT = 2**64 - 1
Place = tuple[int, ...]
Entries = NDArray[np.uint64]


class Stored(NamedTuple):
    """Where an encoded chunk lies: ``length`` bytes from ``offset`` on in the object ``key``."""

    key: str
    offset: int
    length: int


class ChunkFinder:
    """Finds the chunks of one array; keeps the indexes of the last shards."""

    def __init__(self, tree: Tree, array: ZarrArray, kept_indexes: int) -> None:
        """Look in ``tree``, keeping up to ``kept_indexes`` shard indexes in memory."""
        self._tree, self._array = tree, array
        self._kept_indexes = kept_indexes
        self._indexes: OrderedDict[Place, Entries | None] = OrderedDict()
        self._most_bytes = most_stored_bytes(array.chunk_bytes)

    def find(self, place: Place) -> Stored | None:
        """Return where the chunk at ``place`` of the chunk grid lies; None where it was left out.

        Raises DamagedInputError where the index of its shard points nowhere.
        """
        sharding = self._array.sharding
        if sharding is None:
            key = self._array.key(place)
            size = self._tree.size(key)
            return None if size is None else self._checked(Stored(key, 0, size), size, place)
        shard = tuple(at // count for at, count in zip(place, sharding.counts, strict=True))
        entries = self._index(shard, sharding)
        if entries is None:
            return None
        inside = tuple(at % count for at, count in zip(place, sharding.counts, strict=True))
        offset, count = (int(value) for value in entries[inside])
        if offset == count == ABSENT:
            return None
        key = self._array.key(shard)
        return self._checked(Stored(key, offset, count), self._tree.size(key) or 0, place)

    def name(self, place: Place) -> str:
        """Return a chunk's name for messages."""
        where = f"{self._tree.root}/{self._array.path}" if self._array.path else self._tree.root
        return f"{where}: chunk {', '.join(map(str, place))}"

    def _checked(self, stored: Stored, size: int, place: Place) -> Stored:
        """Refuse a place outside of the object, and a length that no chunk can have."""
        if stored.offset + stored.length > size:
            raise DamagedInputError(
                f"{self.name(place)} should be the {stored.length} bytes from {stored.offset} on of "
                f"{stored.key}, which has {size}. Get a fresh copy."
            )
        if stored.length > self._most_bytes:
            raise DamagedInputError(
                f"{self.name(place)} is stored in {stored.length} bytes; up to {self._most_bytes} make sense "
                f"for one of {self._array.chunk_bytes} decoded bytes. Get a fresh copy."
            )
        return stored

    def _index(self, shard: Place, sharding: Sharding) -> Entries | None:
        """Return offsets and lengths (chunks along each dimension × 2), None where there is no shard."""
        if shard in self._indexes:
            self._indexes.move_to_end(shard)
            return self._indexes[shard]
        while len(self._indexes) >= self._kept_indexes:
            self._indexes.popitem(last=False)
        entries = self._indexes[shard] = self._read_index(shard, sharding)
        return entries

    def _read_index(self, shard: Place, sharding: Sharding) -> Entries | None:
        key = self._array.key(shard)
        size = self._tree.size(key)
        if size is None:
            return None
        what = f"{self._tree.root}/{key}: the index of the shard"
        if size < sharding.index_bytes:
            raise DamagedInputError(
                f"{what} takes {sharding.index_bytes} bytes, and the file has {size}. Get a fresh copy."
            )
        start = 0 if sharding.start else size - sharding.index_bytes
        data: bytes | bytearray = self._tree.read(key, start, sharding.index_bytes)
        if len(data) < sharding.index_bytes:
            raise DamagedInputError(f"{what} is cut short. Get a fresh copy.")
        if sharding.checked:
            data = without_checksum(data, what)
        kind = np.dtype(np.uint64).newbyteorder("<" if sharding.little else ">")
        entries: Any = np.frombuffer(data, kind, count=len(data) // (ENTRY_BYTES // 2))
        found: Entries = entries.reshape(*sharding.counts, 2)
        return found


def shards_across(array: ZarrArray, rows_axis: int) -> int:
    """Return how many shards hold the chunks of one row of chunks."""
    if array.sharding is None:
        return 1
    spans = [count * side for count, side in zip(array.sharding.counts, array.chunk, strict=True)]
    along = [
        math.ceil(length / span)
        for axis, (length, span) in enumerate(zip(array.shape, spans, strict=True))
        if axis != rows_axis
    ]
    return math.prod(along)
