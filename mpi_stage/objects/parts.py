"""One rank's bytes, uploaded in parts while more come, and the one object that all parts become."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from mimetypes import guess_type

from mpi_stage.errors import (
    InputChangedError,
    MissingInputError,
    OutputExistsError,
    StageError,
    StorageError,
)
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.bucket import MAX_COMPOSED, Bucket, Stored
from mpi_stage.objects.crc32c import combine, crc32c

PART_BYTES = 8 << 20
"""Of a part, give or take a segment: long enough to fill a connection, little to send again."""

UPLOADS_AT_ONCE = 4
_AT_ONCE = 16

Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Uploads:
    """Where the parts of an output go until it is composed; ``prefix`` is this attempt's alone."""

    bucket: Bucket
    prefix: ObjectAddress

    def part(self, name: str) -> ObjectAddress:
        """Return the address of a part."""
        return self.prefix.beside(f"{self.prefix.name}{name}")


def held_bytes(segment_bytes: int) -> int:
    """Bound of the memory that a part stream holds, given what is appended at once."""
    return (UPLOADS_AT_ONCE + 1) * (PART_BYTES + segment_bytes)


class PartStream:
    """Takes bytes in order and uploads them in parts, several at once.

    Each part's CRC32C is made here and checked by the store, so no damaged part ever exists.
    """

    def __init__(self, uploads: Uploads, name: str, *, at_once: int | None = None) -> None:
        """Make parts called ``name`` and a number, no more than ``at_once`` of them under way."""
        self._uploads, self._name = uploads, name
        self._at_once = at_once or UPLOADS_AT_ONCE
        self._pool = ThreadPoolExecutor(self._at_once, "upload")
        self._under_way: deque[Future[Stored]] = deque()
        self._pending: list[bytes] = []
        self._pending_bytes = self._checksum = self._parts = 0

    def append(self, data: Bytes) -> None:
        """Take some more. Raises StorageError, also of an earlier part."""
        copy = bytes(data)
        self._pending.append(copy)
        self._pending_bytes += len(copy)
        self._checksum = crc32c(copy, self._checksum)
        if self._pending_bytes >= PART_BYTES:
            self._send()

    def end(self) -> None:
        """Send what is left, and wait until all is there. Raises StorageError."""
        if self._pending:
            self._send()
        while self._under_way:
            self._under_way.popleft().result()

    def close(self) -> None:
        """Begin no more uploads, and return when none is under way; safe to call again."""
        self._pool.shutdown(cancel_futures=True)

    def _send(self) -> None:
        while len(self._under_way) >= self._at_once:
            self._under_way.popleft().result()
        part = self._uploads.part(f"{self._name}-{self._parts:06d}")
        upload = self._uploads.bucket.upload
        self._under_way.append(self._pool.submit(upload, part, self._pending, self._checksum))
        self._pending, self._pending_bytes, self._checksum = [], 0, 0
        self._parts += 1


def publish_behind(front: bytes, uploads: Uploads, final: ObjectAddress, size_bytes: int) -> Stored:
    """Make the object ``final`` of ``front`` and all parts that are there, in the order of their names.

    ``size_bytes`` are those of the whole. Raises as :func:`publish`.
    """
    bucket = uploads.bucket
    made = bucket.upload(uploads.part("front"), [front], crc32c(front))
    found = bucket.list(uploads.prefix)
    return publish(uploads, final, [made, *(one for one in found if one.address != made.address)], size_bytes)


def publish(uploads: Uploads, final: ObjectAddress, parts: Sequence[Stored], size_bytes: int) -> Stored:
    """Make the object ``final``, which must not be there, of ``parts`` in order, and remove those.

    It appears at once and whole: more than 32 parts are composed to larger ones first. Its size and
    CRC32C are held against those of the parts. Parts that cannot be removed afterwards are noted.
    Raises OutputExistsError, and StorageError, also where a part is gone.
    """
    found_bytes = sum(part.size_bytes for part in parts)
    if found_bytes != size_bytes:
        raise StorageError(
            f"{final} needs parts of {size_bytes} bytes in all, and {len(parts)} of {found_bytes} bytes are "
            "there: some were removed meanwhile. Try again."
        )
    level = 0
    with ThreadPoolExecutor(_AT_ONCE, "compose") as pool:
        while len(parts) > MAX_COMPOSED:
            groups = [parts[first : first + MAX_COMPOSED] for first in range(0, len(parts), MAX_COMPOSED)]
            names = [uploads.part(f"level{level}-{number:06d}") for number in range(len(groups))]
            parts = list(pool.map(lambda name, group: _compose(uploads.bucket, name, group), names, groups))
            level += 1
    made = _compose(uploads.bucket, final, parts)
    try:
        clear(uploads)
    except StageError as error:
        # The output is there and whole; a failure would have it made again.
        uploads.bucket.notes.append(left_note(str(uploads.prefix), error))
    return made


def left_note(prefix: str, error: Exception) -> str:
    """Return what to tell of parts that could not be removed."""
    return (
        f"parts of the output are left below {prefix}, because they could not be removed ({error}). "
        "The output is complete; the bucket's lifecycle rule removes them, or you may."
    )


def _compose(bucket: Bucket, address: ObjectAddress, parts: Sequence[Stored]) -> Stored:
    checksum = combine((part.crc32c, part.size_bytes) for part in parts)
    size_bytes = sum(part.size_bytes for part in parts)
    try:
        return bucket.compose(address, parts, size_bytes, checksum, content_type(address))
    except (MissingInputError, InputChangedError) as error:
        raise StorageError(
            f"{address} lacks a part, which somebody has removed meanwhile. Try again."
        ) from error


def clear(uploads: Uploads) -> None:
    """Remove all parts of an attempt. Raises StorageError."""
    with ThreadPoolExecutor(_AT_ONCE, "delete") as pool:
        parts = [part.address for part in uploads.bucket.list(uploads.prefix)]
        list(pool.map(uploads.bucket.delete, parts))


def content_type(address: ObjectAddress) -> str:
    """Return the type that the name's suffix stands for."""
    return guess_type(address.name)[0] or "application/octet-stream"


def refuse_existing(bucket: Bucket, final: ObjectAddress) -> None:
    """Raise OutputExistsError early where the object is there; publishing would raise it late."""
    try:
        bucket.stat(final)
    except MissingInputError:
        return
    raise OutputExistsError(f"{final} is there already; choose another name.")
