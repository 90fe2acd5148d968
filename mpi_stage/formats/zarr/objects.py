"""A Zarr written as objects of a bucket: shards are made on this machine, one row of them at a time."""

import mmap
import os
import shutil
import tempfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from mpi_stage.errors import OutputExistsError, StageError
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.bucket import Bucket
from mpi_stage.objects.crc32c import crc32c
from mpi_stage.objects.parts import UPLOADS_AT_ONCE, left_note
from mpi_stage.objects.tree import ObjectTree
from mpi_stage.process.files import output_errors

CLAIM = ".unfinished"
"""The object that keeps others away while a Zarr is being written."""

_PIECE_BYTES = 1 << 20


class ZarrInBucket:
    """Objects below one name; a :class:`~mpi_stage.formats.zarr.place.ZarrPlace`.

    A shard grows by a chunk at a time, many of them side by side, which objects cannot; so it is a file in
    the scratch folder until it is full. The root's document comes last: until then there is no Zarr.
    """

    def __init__(self, bucket: Bucket, url: str, scratch: str) -> None:
        """Prepare to write below ``url``, with files in ``scratch``; touches nothing."""
        self.name = url
        self._bucket, self._base = bucket, ObjectAddress.parse(url)
        self._scratch, self._made = scratch, ""
        self._pool = ThreadPoolExecutor(UPLOADS_AT_ONCE, "upload")
        self._under_way: deque[Future[None]] = deque()

    def claim(self) -> None:
        """Keep others away. Raises OutputExistsError where anything is there, StorageError."""
        mark = self._address(CLAIM)
        try:
            self._bucket.upload(mark, [b""], crc32c(b""))
        except OutputExistsError as error:
            raise self._taken() from error
        found = self._bucket.list(self._base.beside(f"{self._base.name}/"))
        if any(one.address.name != mark.name for one in found):
            self._bucket.delete(mark)
            raise self._taken()

    def folder(self, path: str) -> str:
        """Return a folder of the scratch space, this rank's alone."""
        with output_errors(self._scratch):
            self._made = self._made or tempfile.mkdtemp(prefix="shards-", dir=self._scratch)
        return f"{self._made}/{path}" if path else self._made

    def shard_done(self, path: str) -> None:
        """Upload a shard beside the work, some at once, and remove its file. Raises StorageError."""
        while len(self._under_way) >= UPLOADS_AT_ONCE:
            self._under_way.popleft().result()
        self._under_way.append(self._pool.submit(self._send, path))

    def wait(self) -> None:
        """Return when all shards are there. Raises StorageError."""
        while self._under_way:
            self._under_way.popleft().result()

    def tree(self, path: str) -> ObjectTree:
        """Return the objects of an array."""
        return ObjectTree(self._bucket, str(self._address(path) if path else self._base))

    def document(self, key: str, data: bytes, *, last: bool = False) -> None:
        """Write a document; with the last one the claim ends. Raises OutputExistsError, StorageError."""
        self._bucket.upload(self._address(key), [data], crc32c(data), "application/json")
        if last:
            try:
                self._bucket.delete(self._address(CLAIM))
            except StageError as error:
                self._bucket.notes.append(left_note(str(self._address(CLAIM)), error))

    def close(self) -> None:
        """Begin no more uploads, and remove what has not been sent; safe to call again.

        Returns when none is under way: what would be there later is what nobody tidies up.
        """
        self._pool.shutdown(cancel_futures=True)
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)

    def _address(self, key: str) -> ObjectAddress:
        return self._base.beside(f"{self._base.name}/{key}")

    def _taken(self) -> OutputExistsError:
        return OutputExistsError(
            f"{self._base} is there already, or being written; choose another name, or remove what is there."
        )

    def _send(self, path: str) -> None:
        """Upload a file from the system's cache, without a copy of it, and remove it."""
        address = self._address(os.path.relpath(path, self._made))
        with Path(path).open("rb") as file:
            # Unmapped with its last view: a connection that was given up holds one a little longer.
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        pieces = [whole[first : first + _PIECE_BYTES] for first in range(0, len(whole), _PIECE_BYTES)]
        checksum = 0
        for piece in pieces:
            checksum = crc32c(piece, checksum)
        self._bucket.upload(address, pieces, checksum)
        Path(path).unlink()
