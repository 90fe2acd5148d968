"""What is asked of Google Cloud Storage, through its JSON API.

After the reference of the JSON API, version 1 (``objects: get, insert, compose, list, delete``).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self, TypeVar
from uuid import uuid4

from mpi_stage.contract import Access
from mpi_stage.errors import (
    AccessError,
    InputChangedError,
    MissingInputError,
    OutputExistsError,
    StageError,
    StorageError,
)
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.crc32c import decoded, encoded, stated_in
from mpi_stage.objects.traffic import ObjectTraffic
from mpi_stage.objects.transport import Answer, Passing, Refusal, Transport

MAX_COMPOSED = 32
"""Objects that one call can compose."""

_Result = TypeVar("_Result")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_BINARY = "application/octet-stream"
_LISTED = "items(name,size,generation,crc32c),nextPageToken"


@dataclass(frozen=True)
class Stored:
    """What the store says of an object."""

    address: ObjectAddress
    size_bytes: int
    crc32c: int

    @classmethod
    def of(cls, near: ObjectAddress, resource: dict[str, Any]) -> Self:
        """Read the JSON API's description of an object in the same bucket as ``near``."""
        address = near.beside(resource["name"]).at(int(resource["generation"]))
        return cls(address, int(resource["size"]), decoded(resource["crc32c"]))


class Bucket:
    """Reads and writes objects; for any number of threads.

    Every method raises StorageError where the store does not answer or refuses.

    Attributes
    ----------
    traffic: what has come and gone.
    notes: what went wrong without harm to the result, for the report.
    """

    def __init__(self, access: Access, token: Callable[[], str | None] | None = None) -> None:
        """Connect with the first request; ``token`` gives the token where it has been renewed."""
        self.traffic = ObjectTraffic()
        self.notes: list[str] = []
        self._transport = Transport(access, self.traffic, token)

    def close(self) -> None:
        """Close the connections; safe to call again."""
        self._transport.close()

    def look(self, address: ObjectAddress, first: memoryview) -> tuple[Stored, int]:
        """Return what is known of an object, and how many of its first bytes went into ``first``.

        Raises MissingInputError, InputChangedError.
        """
        found: list[Stored] = []

        def learn(answer: Answer, size_bytes: int) -> None:
            generation = int(answer.headers["x-goog-generation"])
            checksum = stated_in(answer.headers["x-goog-hash"])
            found[:] = [Stored(address.at(generation), size_bytes, checksum or 0)]

        try:
            got = self._read(address, first, 0, learn)
        except _PastEndError:
            return self.stat(address), 0
        return found[0], got

    def read(self, address: ObjectAddress, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` on; return how many bytes there were. Raises as :meth:`look`."""
        try:
            return self._read(address, view, offset, None)
        except _PastEndError:
            return 0

    def stat(self, address: ObjectAddress) -> Stored:
        """Return what is known of an object. Raises as :meth:`look`."""
        query = _pinned(address)
        answer = self._call(address, "GET", address.resource, query)
        return Stored.of(address, answer.json())

    def upload(
        self,
        address: ObjectAddress,
        data: Sequence[bytes | memoryview],
        checksum: int,
        content_type: str = _BINARY,
    ) -> Stored:
        """Make an object of ``data``, which must not be there, and have its CRC32C checked.

        Raises OutputExistsError.
        """
        boundary = uuid4().hex
        described = json.dumps({"name": address.name, "crc32c": encoded(checksum)})
        head = (
            f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{described}\r\n"
            f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n"
        )
        body = [head.encode(), *data, f"\r\n--{boundary}--".encode()]
        size_bytes = sum(map(len, data))
        headers = {"Content-Type": f"multipart/related; boundary={boundary}"}
        path = f"{address.uploads}?uploadType=multipart"
        made = self._create(address, path, headers, body, (size_bytes, checksum))
        self.traffic.add(uploaded=size_bytes)
        return made

    def compose(
        self,
        address: ObjectAddress,
        parts: Sequence[Stored],
        size_bytes: int,
        checksum: int,
        content_type: str = _BINARY,
    ) -> Stored:
        """Make an object, which must not be there, of up to 32 others.

        Raises OutputExistsError, and StorageError where it has not this size and CRC32C.
        """
        sources = [{"name": one.address.name, "generation": one.address.generation} for one in parts]
        wanted = {"sourceObjects": sources, "destination": {"contentType": content_type}}
        path = f"{address.resource}/compose"
        headers = {"Content-Type": "application/json"}
        return self._create(address, path, headers, [json.dumps(wanted).encode()], (size_bytes, checksum))

    def list(self, prefix: ObjectAddress) -> Iterator[Stored]:
        """Yield the objects whose names begin as ``prefix`` does, in order."""
        query = {"prefix": prefix.name, "fields": _LISTED}
        while True:
            found = self._call(prefix, "GET", prefix.listing, query).json()
            for resource in found.get("items", []):
                yield Stored.of(prefix, resource)
            if "nextPageToken" not in found:
                return
            query = {**query, "pageToken": found["nextPageToken"]}

    def delete(self, address: ObjectAddress) -> None:
        """Remove an object, or just the generation of the address; nothing there is no error."""
        query = _pinned(address)
        with suppress(MissingInputError, InputChangedError):
            self._call(address, "DELETE", address.resource, query)

    def _read(
        self,
        address: ObjectAddress,
        view: memoryview,
        offset: int,
        learn: Callable[[Answer, int], None] | None,
    ) -> int:
        """Read a range, from where the last try broke off."""
        done, end = 0, len(view)

        def take(answer: Answer, pieces: Iterator[bytes]) -> None:
            nonlocal done, end
            found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if found is None or int(found[1]) != offset + done:
                raise Passing(f"asked for byte {offset + done} on, got {answer.headers.get('Content-Range')}")
            end = min(len(view), int(found[3]) - offset)
            if learn is not None:
                learn(answer, int(found[3]))
            for piece in pieces:
                count = min(len(piece), end - done)
                view[done : done + count] = piece[:count]
                done += count
                self.traffic.add(fetched=len(piece))

        def attempt() -> int:
            before = done
            headers = {"Range": f"bytes={offset + done}-{offset + len(view) - 1}"}
            query = {"alt": "media", **_pinned(address)}
            try:
                self._transport.once("GET", f"/download{address.resource}", query, headers=headers, take=take)
            except Passing as fault:
                raise Passing(str(fault), moved=done > before) from fault
            if done < end:
                raise Passing(f"{end - done} of {end} bytes are missing", moved=done > before)
            return done

        return self._patiently(address, attempt)

    def _call(self, address: ObjectAddress, method: str, path: str, query: dict[str, Any]) -> Answer:
        return self._patiently(address, lambda: self._transport.once(method, path, query))

    def _create(
        self,
        address: ObjectAddress,
        path: str,
        headers: dict[str, str],
        body: Sequence[bytes | memoryview],
        expected: tuple[int, int],
    ) -> Stored:
        """Make an object once, and find it where the answer to an earlier try was lost."""
        tries = 0

        def attempt() -> Stored:
            nonlocal tries
            tries += 1
            only_new = {"ifGenerationMatch": "0"}
            try:
                answer = self._transport.once("POST", path, only_new, headers=headers, body=body)
            except Refusal as refusal:
                if refusal.status == HTTPStatus.BAD_REQUEST and "calculated" in str(refusal):
                    raise Passing(str(refusal)) from refusal  # it did not arrive as it was sent
                if refusal.status != HTTPStatus.PRECONDITION_FAILED or tries == 1:
                    raise
                found = self.stat(address)
                if (found.size_bytes, found.crc32c) != expected:
                    raise
                return found
            return Stored.of(address, answer.json())

        made = self._patiently(address, attempt)
        if (made.size_bytes, made.crc32c) != expected:
            self.delete(made.address)
            raise StorageError(
                f"{made.address} has {made.size_bytes} bytes of CRC32C {encoded(made.crc32c)}; "
                f"{expected[0]} bytes of {encoded(expected[1])} were written. Try again."
            )
        return made

    def _patiently(self, address: ObjectAddress, attempt: Callable[[], _Result]) -> _Result:
        try:
            return self._transport.patiently(str(address), attempt)
        except Refusal as refusal:
            if refusal.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise _PastEndError from refusal
            raise _refused(address, refusal) from refusal


class _PastEndError(Exception):
    """A range begins after the end."""


def _pinned(address: ObjectAddress) -> dict[str, str]:
    return {} if address.generation is None else {"generation": str(address.generation)}


def _refused(address: ObjectAddress, refusal: Refusal) -> StageError:
    """Return our error for an answer that another try would not change."""
    if refusal.status == HTTPStatus.NOT_FOUND:
        if address.generation is None:
            return MissingInputError(f"{address} does not exist.")
        return InputChangedError(
            f"{address} is gone: the object was replaced or removed. Submit it again as it is now."
        )
    if refusal.status == HTTPStatus.PRECONDITION_FAILED:
        return OutputExistsError(f"{address} is there already; choose another name.")
    return AccessError(f"{address}: {refusal}. Check who may use the bucket, and the endpoint.")
