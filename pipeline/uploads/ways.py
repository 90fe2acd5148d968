"""The two ways of a browser's bytes: into a file beside the page, or straight to a bucket."""

import shutil
import threading
from contextlib import suppress
from typing import Protocol

from pipeline.errors import (
    ObjectExistsError,
    ObjectNotFoundError,
    OffsetError,
    StoreError,
    StoreUnavailableError,
)
from pipeline.ports import DirectStore, ObjectStore, Staging
from pipeline.records.uploads import Upload
from pipeline.uploads.checksum import of_file, spelled
from pipeline.uploads.staged_file import StagedFile, check_same


class Way(Protocol):
    """How the bytes of an upload get into the store; every method may raise StoreError."""

    def begin(self, key: str, size_bytes: int, origin: str | None) -> str | None:
        """Make ready for bytes; return the address that they are to be sent to, None for a route here."""

    def state(self, upload: Upload) -> tuple[int, str | None]:
        """Return how many bytes there are, and their checksum where it is known."""

    def staged(self, upload: Upload) -> StagedFile:
        """Return the file to write to. Raises ObjectNotFoundError where the bytes go elsewhere."""

    def complete(self, upload: Upload, crc32c: str) -> None:
        """Make an object of the bytes, if they have this checksum; once more does no harm.

        Raises OffsetError where some are missing, ChecksumError.
        """

    def drop(self, upload: Upload) -> None:
        """Remove what is not an object yet."""


class BesideThePage:
    """Into a file of a local store's staging area, by a route of the page's server."""

    def __init__(self, store: ObjectStore, staging: Staging) -> None:
        """Stage in ``staging``, which is ``store`` as well."""
        self._store = store
        self._staging = staging
        self._lock = threading.Lock()
        self._files: dict[str, StagedFile] = {}

    def begin(self, key: str, size_bytes: int, origin: str | None) -> str | None:  # noqa: ARG002  (the port's)
        """Check that there is room."""
        folder = self._staging.staging_path("x").parent
        free_bytes = shutil.disk_usage(folder).free
        if size_bytes > free_bytes:
            raise StoreUnavailableError(
                f"the file has {size_bytes} bytes, and there is room for {free_bytes} in the store; free some"
                " and try again"
            )
        return None

    def state(self, upload: Upload) -> tuple[int, str | None]:
        """Return how many bytes there are, and their checksum."""
        if self._store.stat(upload.key) is not None:
            return upload.size_bytes, None
        return self.staged(upload).state()

    def staged(self, upload: Upload) -> StagedFile:
        """Return the file to write to, the same one for all."""
        with self._lock:
            if upload.id not in self._files:
                path = self._staging.staging_path(f"{upload.id}.upload")
                self._files[upload.id] = StagedFile(path, upload.size_bytes)
            return self._files[upload.id]

    def complete(self, upload: Upload, crc32c: str) -> None:
        """Move the file to its key."""
        path = self._store.local_path(upload.key)
        if path is not None:  # an earlier call got as far as this
            check_same(spelled(of_file(path)[1]), crc32c)
            return
        file = self.staged(upload)
        file.complete(crc32c)
        with suppress(ObjectExistsError):
            self._store.put_file(upload.key, file.path, create_only=True)
        self._forget(upload)

    def drop(self, upload: Upload) -> None:
        """Remove the file."""
        self.staged(upload).remove()
        self._forget(upload)

    def _forget(self, upload: Upload) -> None:
        with self._lock:
            self._files.pop(upload.id, None)


class ToTheBucket:
    """In a resumable session of the bucket, to which the browser sends the bytes itself."""

    def __init__(self, store: DirectStore) -> None:
        """Begin sessions of ``store``."""
        self._store = store

    def begin(self, key: str, size_bytes: int, origin: str | None) -> str | None:
        """Begin a session."""
        return self._store.begin_session(key, size_bytes, origin)

    def state(self, upload: Upload) -> tuple[int, str | None]:
        """Ask the bucket how many bytes it has."""
        if self._store.stat(upload.key) is not None:
            return upload.size_bytes, None
        return self._store.session_offset(_session(upload), upload.size_bytes), None

    def staged(self, upload: Upload) -> StagedFile:
        """Say that there is no file here."""
        raise ObjectNotFoundError(f"the bytes of {upload.name} go straight to the bucket; reload the page")

    def complete(self, upload: Upload, crc32c: str) -> None:
        """Compare the checksum with the one that the bucket has made of what it wrote."""
        found = self._store.checksum(upload.key)
        if found is None:
            offset, _ = self.state(upload)
            raise OffsetError(
                f"{upload.name} has {offset} of {upload.size_bytes} bytes; send the rest", offset=offset
            )
        check_same(found, crc32c)

    def drop(self, upload: Upload) -> None:
        """Give the session up."""
        with suppress(ObjectNotFoundError):
            self._store.end_session(_session(upload))


def way_into(store: ObjectStore) -> Way:
    """Return how a browser's bytes get into a store. Raises StoreError where they cannot."""
    if isinstance(store, DirectStore):
        return ToTheBucket(store)
    if isinstance(store, Staging):
        return BesideThePage(store, store)
    raise StoreError(f"{store!r} takes no uploads of browsers; use a folder or a bucket as the store")


def _session(upload: Upload) -> str:
    if upload.session is None:
        raise ObjectNotFoundError(f"{upload.name} was begun with another store; add the file again")
    return upload.session
