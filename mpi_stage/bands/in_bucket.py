"""Bands that are objects of a bucket: one object with the bytes of a band, and one with its record."""

from collections import deque
from collections.abc import Container, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from mpi_stage.bands.journal import JOURNAL_VERSION, BandRecord, checked_line, records_in
from mpi_stage.errors import InputChangedError, MissingInputError
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.bucket import Bucket, Stored
from mpi_stage.objects.crc32c import crc32c
from mpi_stage.objects.parts import Uploads, clear

BAND = "band-"
_JOURNAL = "journal-"
_DIGITS = 9
_AT_ONCE = 2


def band_name(band: int) -> str:
    """Return the name of a band's object; names are in the order of the bands."""
    return f"{BAND}{band:0{_DIGITS}d}"


class BandsInBucket:
    """:class:`~mpi_stage.bands.places.BandPlaces` whose places are what names in a bucket begin with."""

    def __init__(self, bucket: Bucket) -> None:
        """Keep bands in ``bucket``."""
        self._bucket = bucket

    def journal(self, place: str, rank: int, key: str) -> "ObjectJournal":  # noqa: ARG002 (the protocol's)
        """Begin to write records, each an object of its own."""
        return ObjectJournal(Uploads(self._bucket, ObjectAddress.prefix(place)), key)

    def records(self, place: str, key: str, wanted: Container[int]) -> Iterator[BandRecord]:
        """Yield the records of the wanted bands. Raises StorageError."""
        prefix = ObjectAddress.prefix(place)
        for stored in self._bucket.list(prefix.beside(f"{prefix.name}{_JOURNAL}")):
            number = stored.address.name.rpartition(_JOURNAL)[2]
            if number.isdecimal() and int(number) in wanted:
                yield from records_in(self._content(stored).splitlines(), key)

    def forget(self, place: str) -> None:
        """Remove the objects of a place. Raises StorageError."""
        clear(Uploads(self._bucket, ObjectAddress.prefix(place)))

    def _content(self, stored: Stored) -> bytes:
        """Return an object's bytes, none where somebody has removed it meanwhile."""
        content = bytearray(stored.size_bytes)
        try:
            count = self._bucket.read(stored.address, memoryview(content), 0)
        except (MissingInputError, InputChangedError):
            return b""
        return bytes(content[:count])


class ObjectJournal:
    """The records of one rank, uploaded beside the work."""

    def __init__(self, uploads: Uploads, key: str) -> None:
        """Write behind the prefix of ``uploads``."""
        self._uploads = uploads
        self._head = checked_line({"version": JOURNAL_VERSION, "key": key})
        self._pool = ThreadPoolExecutor(_AT_ONCE, "journal")
        self._under_way: deque[Future[Stored]] = deque()

    def append(self, record: BandRecord) -> None:
        """Upload a record. Raises StorageError, also of an earlier one."""
        while self._under_way and self._under_way[0].done():
            self._under_way.popleft().result()
        data = self._head + checked_line(record.to_json())
        place = self._uploads.part(f"{_JOURNAL}{record.band:0{_DIGITS}d}")
        self._under_way.append(self._pool.submit(self._uploads.bucket.upload, place, [data], crc32c(data)))

    def sync(self) -> None:
        """Wait until all records are there. Raises StorageError."""
        while self._under_way:
            self._under_way.popleft().result()

    def close(self) -> None:
        """Wait for what is under way, so that nothing appears after the job has ended; safe to call again."""
        self._pool.shutdown(wait=True, cancel_futures=True)
