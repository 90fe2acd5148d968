"""Buckets of objects with generations, and the preconditions on them."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fakes.gcs.answers import MissingError, NotModifiedError, PreconditionError
from fakes.gcs.checksums import Checksums


@dataclass(frozen=True)
class StoredObject:
    """One generation of one object."""

    bucket: str
    name: str
    data: bytes
    checksums: Checksums
    generation: int
    content_type: str
    metadata: Mapping[str, str]
    updated_at: float
    component_count: int | None = None

    def resource(self) -> dict[str, Any]:
        """Return the object as the JSON API describes it, without links: the client makes its own."""
        moment = datetime.fromtimestamp(self.updated_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        described = {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": "1",
            "contentType": self.content_type,
            "size": str(len(self.data)),
            "crc32c": self.checksums.crc32c,
            "md5Hash": self.checksums.md5,
            "etag": self.etag(),
            "timeCreated": moment,
            "updated": moment,
            "metadata": dict(self.metadata) or None,
            "componentCount": self.component_count,
        }
        return {name: value for name, value in described.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """Return the headers that come with the object's bytes."""
        return {
            "Content-Type": self.content_type,
            "ETag": f'"{self.etag()}"',
            "x-goog-generation": str(self.generation),
            "x-goog-metageneration": "1",
            "x-goog-hash": self.checksums.header(),
            "x-goog-stored-content-length": str(len(self.data)),
            "x-goog-stored-content-encoding": "identity",
            "Accept-Ranges": "bytes",
        }

    def etag(self) -> str:
        """Return a name for the bytes of this generation."""
        return f"{self.generation:x}"


class Objects:
    """All buckets; every change is atomic."""

    def __init__(self) -> None:
        """Start without buckets."""
        self._lock = threading.Lock()
        self._buckets: dict[str, dict[str, StoredObject]] = {}
        self._last_generation = 0

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket; one that is there stays."""
        with self._lock:
            self._buckets.setdefault(bucket, {})

    def get(self, bucket: str, name: str, query: Mapping[str, str]) -> StoredObject:
        """Return the live object if the query's ``generation`` and preconditions allow."""
        found = self._bucket(bucket).get(name)
        asked = query.get("generation")
        if found is None or (asked is not None and asked != str(found.generation)):
            raise MissingError(f"No such object: {bucket}/{name}")
        _check(found, query, reading=True)
        return found

    def put(
        self,
        bucket: str,
        name: str,
        data: bytes,
        query: Mapping[str, str],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        component_count: int | None = None,
    ) -> StoredObject:
        """Make a new generation if the query's preconditions allow."""
        checksums = Checksums.of(data)
        if component_count is not None:
            checksums = Checksums(checksums.crc32c, None)
        with self._lock:
            objects = self._bucket(bucket)
            _check(objects.get(name), query, reading=False)
            self._last_generation = max(self._last_generation + 1, time.time_ns() // 1000)
            made = StoredObject(
                bucket,
                name,
                data,
                checksums,
                self._last_generation,
                content_type,
                metadata or {},
                time.time(),
                component_count,
            )
            objects[name] = made
        return made

    def check(self, bucket: str, name: str, query: Mapping[str, str]) -> None:
        """Refuse a write that could not be made now."""
        with self._lock:
            _check(self._bucket(bucket).get(name), query, reading=False)

    def delete(self, bucket: str, name: str, query: Mapping[str, str]) -> None:
        """Remove the live object if the query's preconditions allow."""
        with self._lock:
            objects = self._bucket(bucket)
            found = objects.get(name)
            if found is None:
                raise MissingError(f"No such object: {bucket}/{name}")
            _check(found, query, reading=False)
            del objects[name]

    def names(self, bucket: str) -> list[str]:
        """Return the names of a bucket's objects, in order of their UTF-8 bytes."""
        with self._lock:
            return sorted(self._bucket(bucket), key=str.encode)

    def _bucket(self, bucket: str) -> dict[str, StoredObject]:
        try:
            return self._buckets[bucket]
        except KeyError:
            raise MissingError("The specified bucket does not exist.") from None


def _check(found: StoredObject | None, query: Mapping[str, str], *, reading: bool) -> None:
    """Compare the generation and metageneration (always 1 here) with what the query demands."""
    states = {
        "Generation": str(found.generation) if found else "0",
        "Metageneration": "1" if found else "0",
    }
    for name, state in states.items():
        wanted = query.get(f"if{name}Match")
        if wanted is not None and wanted != state:
            raise PreconditionError("At least one of the pre-conditions you specified did not hold.")
        unwanted = query.get(f"if{name}NotMatch")
        if unwanted is not None and unwanted == state:
            if reading:
                raise NotModifiedError("The reader has this generation.")
            raise PreconditionError("At least one of the pre-conditions you specified did not hold.")
