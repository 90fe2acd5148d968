"""A store in this process's memory, for tests and experiments; it ends with the process."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pipeline.errors import KeyRefusedError, ObjectExistsError, ObjectNotFoundError
from pipeline.models import ObjectInfo
from pipeline.stores.folders import unreadable_source
from pipeline.stores.keys import check_key, check_prefix
from pipeline.stores.links import check_link_request, link_url, sign_link


class MemoryStore:
    """Objects in a dictionary; may be used from several threads.

    Parameters
    ----------
    link_secret: signs the links.
    name: tells the stores of one process apart; part of the URIs and links.

    """

    def __init__(self, link_secret: bytes, name: str = "") -> None:
        self._link_secret = link_secret
        self._base = f"memory://{name}"
        self._lock = threading.Lock()
        self._generations = count(1)
        self._objects: dict[str, tuple[bytes, ObjectInfo]] = {}

    def __repr__(self) -> str:
        """Show where the objects are; never the secret."""
        return f"MemoryStore({self._base!r})"

    def put_bytes(
        self,
        key: str,
        data: bytes,
        *,
        create_only: bool = False,
        durable: bool = True,  # noqa: ARG002  (the port's; memory never is)
    ) -> ObjectInfo:
        """Write an object. Raises ObjectExistsError if ``create_only`` and there."""
        check_key(key)
        with self._lock:
            if create_only and key in self._objects:
                raise ObjectExistsError(f"{self.uri(key)} exists already")
            info = ObjectInfo(
                key=key,
                size_bytes=len(data),
                generation=str(next(self._generations)),
                updated_at=datetime.now(UTC),
            )
            self._objects[key] = (bytes(data), info)
        return info

    def put_file(self, key: str, path: Path, *, create_only: bool = False) -> ObjectInfo:
        """Write an object from a local file. Raises as ``put_bytes``."""
        check_key(key)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise unreadable_source(path, error) from error
        return self.put_bytes(key, data, create_only=create_only)

    def get_bytes(self, key: str) -> bytes:
        """Read a whole object. Raises ObjectNotFoundError."""
        return self._find(key)[0]

    def fetch(self, key: str, path: Path, *, generation: str | None = None) -> None:
        """Copy an object to a local file. Raises ObjectNotFoundError."""
        data, info = self._find(key)
        if generation is not None and generation != info.generation:
            raise ObjectNotFoundError(
                f"{self.uri(key)} has generation {info.generation}, not {generation}: it was replaced"
            )
        path.write_bytes(data)

    def local_path(self, key: str) -> Path | None:
        """Return None: there is no file."""
        check_key(key)
        return None

    def stat(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None where there is none."""
        check_key(key)
        found = self._objects.get(key)
        return found[1] if found else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose keys start with ``prefix``, in order of their keys."""
        check_prefix(prefix)
        with self._lock:
            keys = sorted(key for key in self._objects if key.startswith(prefix))
        for key in keys:
            found = self._objects.get(key)
            if found:
                yield found[1]

    def delete(self, key: str, *, durable: bool = True) -> None:  # noqa: ARG002  (as for ``put_bytes``)
        """Remove an object; removing what is not there is no error."""
        check_key(key)
        with self._lock:
            self._objects.pop(key, None)

    def sign(self, key: str, *, method: str = "GET", life_s: int = 3600, filename: str | None = None) -> str:
        """Return a ``memory://…`` link. Raises LinkError for what no link can allow."""
        check_key(key)
        check_link_request(method, life_s, filename)
        expires_at = int(time.time()) + life_s
        query = sign_link(self._link_secret, key, method=method, expires_at=expires_at, filename=filename)
        return link_url(f"{self._base}/", key, query)

    def uri(self, key: str) -> str:
        """Return ``memory://name/key``."""
        check_key(key)
        return f"{self._base}/{key}"

    def key_of(self, uri: str) -> str:
        """Return the key of a URI in this store. Raises KeyRefusedError for any other."""
        start = f"{self._base}/"
        if not uri.startswith(start):
            raise KeyRefusedError(f"{uri!r} is not in this store; its URIs start with {start}")
        key = uri.removeprefix(start)
        check_key(key)
        return key

    def _find(self, key: str) -> tuple[bytes, ObjectInfo]:
        check_key(key)
        found = self._objects.get(key)
        if found is None:
            raise ObjectNotFoundError(f"there is no {self.uri(key)}")
        return found
