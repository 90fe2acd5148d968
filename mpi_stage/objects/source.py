"""The bytes of an object, as formats read them."""

from collections.abc import Iterable

from mpi_stage.errors import StorageError
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.bucket import Bucket
from mpi_stage.objects.crc32c import crc32c, encoded
from mpi_stage.objects.read_ahead import Range, ReadAhead

START_BYTES = 64 << 10
"""What is fetched at first; in most files the header, and of small ones all."""

_WHOLE_TRIES = 3


class ObjectSource:
    """One generation of an object; a :class:`~mpi_stage.formats.byte_source.ByteSource`.

    Ranges have no checksum in the store's protocol: on their way they are protected by TLS. An object
    that is read whole is held against its CRC32C.
    """

    fd = -1

    def __init__(self, bucket: Bucket, url: str) -> None:
        """Fetch the beginning. Raises MissingInputError, InputChangedError, StorageError."""
        start = bytearray(START_BYTES)
        stored, got = bucket.look(ObjectAddress.parse(url), memoryview(start))
        del start[got:]
        self.name = url
        self.size_bytes = stored.size_bytes
        self._bucket, self._stored = bucket, stored
        self._ahead = ReadAhead(self._fetch, "fetch")
        self._ahead.keep(0, start)

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` on, from what was expected as far as it goes.

        Raises InputChangedError, StorageError.
        """
        end = max(0, min(len(view), self.size_bytes - offset))
        done = 0
        while done < end:
            got = self._ahead.take(view[done:end], offset + done)
            if not got:
                return done + self._unexpected(view[done:end], offset + done)
            done += got
        return done

    def read_all(self) -> bytearray:
        """Return all bytes, checked by CRC32C. Raises as :meth:`read_into`."""
        for _ in range(_WHOLE_TRIES):
            data = bytearray(self.size_bytes)
            self.expect([(0, self.size_bytes)])
            got = self.read_into(memoryview(data), 0)
            found = crc32c(data)
            if got == len(data) and found == self._stored.crc32c:
                return data
            self._ahead.close()
            self._ahead = ReadAhead(self._fetch, "fetch")
        raise StorageError(
            f"{self.name} arrived {_WHOLE_TRIES} times with a CRC32C other than "
            f"{encoded(self._stored.crc32c)}, at last {encoded(found)}; try again later."
        )

    def expect(self, ranges: Iterable[Range]) -> None:
        """Fetch ``ranges`` ahead; see :class:`ReadAhead`."""
        self._ahead.expect(ranges)

    def reserve(self, unit_bytes: int) -> int:
        """Keep ``unit_bytes`` that have been passed; return the memory that is held in all."""
        self._ahead.behind_bytes = unit_bytes
        return min(self._ahead.budget_bytes, self.size_bytes + START_BYTES)

    def close(self) -> None:
        """Fetch no more; safe to call twice."""
        self._ahead.close()

    def _unexpected(self, view: memoryview, offset: int) -> int:
        """Read what no window has; small pieces with some of what follows, for parsers ask for that next."""
        if len(view) >= START_BYTES:
            return self._fetch(view, offset)
        data = bytearray(min(START_BYTES, self.size_bytes - offset))
        del data[self._fetch(memoryview(data), offset) :]
        self._ahead.keep(offset, data)
        count = min(len(view), len(data))
        view[:count] = memoryview(data)[:count]
        return count

    def _fetch(self, view: memoryview, offset: int) -> int:
        return self._bucket.read(self._stored.address, view, offset)
