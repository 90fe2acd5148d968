"""The objects of a Zarr in a bucket, as its source reads them."""

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from mpi_stage.errors import MissingInputError
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.bucket import Bucket, Stored
from mpi_stage.objects.read_ahead import AHEAD_BYTES, STREAMS

ROOT = "zarr.json"
_SUFFIX = ".zarr"
_KNOWN_OBJECTS = 4096

Range = tuple[str, int, int]


def is_tree(address: ObjectAddress) -> bool:
    """Whether an address stands for a Zarr, which is many objects: its name, or its root document's."""
    name = address.name.rstrip("/").lower()
    return name.endswith(_SUFFIX) or name.rpartition("/")[2] == ROOT


class ObjectTree:
    """The objects below one name; a :class:`~mpi_stage.formats.zarr.tree.Tree`.

    Of every object one generation is read. The root document's may be given: then a Zarr that has been
    replaced as a whole is noticed.
    """

    def __init__(self, bucket: Bucket, url: str) -> None:
        """Read what lies below ``url``, or beside it where it is a root document."""
        address = ObjectAddress.parse(url)
        folder, _, last = address.name.rstrip("/").rpartition("/")
        whole = folder if last == ROOT else address.name.rstrip("/")
        self._bucket, self._base = bucket, address.beside(whole)
        self._root_generation = address.generation if last == ROOT else None
        self.root = str(self._base)
        self.held_bytes = AHEAD_BYTES
        self._known: OrderedDict[str, Stored | None] = OrderedDict()
        self._pool = ThreadPoolExecutor(STREAMS, "fetch")
        self._coming: OrderedDict[Range, Future[bytearray]] = OrderedDict()

    def size(self, key: str) -> int | None:
        """Return an object's size in bytes, None where there is none. Raises StorageError."""
        found = self._stored(key)
        return None if found is None else found.size_bytes

    def read(self, key: str, offset: int, count: int) -> bytearray:
        """Return ``count`` bytes from ``offset`` on, fewer where the object ends. Raises StorageError."""
        coming = self._coming.pop((key, offset, count), None)
        return self._fetch(key, offset, count) if coming is None else coming.result()

    def expect(self, ranges: Iterable[Range]) -> None:
        """Begin to fetch ranges, as many as there is memory for."""
        for one in ranges:
            if one in self._coming:
                continue
            held = sum(count for _, _, count in self._coming)
            if held and held + one[2] > self.held_bytes:
                return
            self._coming[one] = self._pool.submit(self._fetch, *one)

    def close(self) -> None:
        """Fetch no more; safe to call twice."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._coming.clear()

    def _fetch(self, key: str, offset: int, count: int) -> bytearray:
        stored = self._stored(key)
        data = bytearray(0 if stored is None else max(0, min(count, stored.size_bytes - offset)))
        if stored is not None and data:
            del data[self._bucket.read(stored.address, memoryview(data), offset) :]
        return data

    def _stored(self, key: str) -> Stored | None:
        with suppress(KeyError):
            return self._known[key]
        address = self._base.beside(f"{self._base.name}/{key}")
        if key == ROOT and self._root_generation is not None:
            address = address.at(self._root_generation)
        found: Stored | None
        try:
            found = self._bucket.stat(address)
        except MissingInputError:
            found = None
        if len(self._known) >= _KNOWN_OBJECTS:
            self._known.popitem(last=False)
        return self._known.setdefault(key, found)  # what another thread has found first is read
