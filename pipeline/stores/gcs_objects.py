"""Objects in a bucket of Google Cloud Storage."""

import mimetypes
import uuid
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

from google.auth.credentials import Signing
from google.auth.transport.requests import Request
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from pipeline.errors import ChecksumError, KeyRefusedError, ObjectExistsError, ObjectNotFoundError, StoreError
from pipeline.models import ObjectInfo
from pipeline.stores.folders import store_error, unreadable_source
from pipeline.stores.gcs_client import connect
from pipeline.stores.gcs_errors import mapped_errors
from pipeline.stores.gcs_signing import signing_credentials
from pipeline.stores.gcs_transfer import SummingWriter
from pipeline.stores.keys import check_key, check_prefix
from pipeline.stores.links import check_link_request

UPLOAD_CHUNK_BYTES = 8 << 20
"""Larger objects go up in chunks of this size, each of which is in memory once."""

RETRY_DEADLINE_S = 120.0
TIMEOUT_S = (10.0, 20.0)
"""To connect, and between two pieces of an answer."""

_WRITE_MARK = "halorow-write"
_LISTED = "items(name,size,generation,updated),nextPageToken"


class GcsObjects:
    """Objects below a prefix of a bucket.

    Faults that pass are tried again for ``retry_deadline_s`` seconds before StoreUnavailableError.

    Parameters
    ----------
    bucket: the bucket's name; it must exist.
    prefix: comes before every key, joined by a slash.
    client: a client with credentials; made from the machine's own credentials by default.
    endpoint: where signed links lead, and a client made here goes; Google's own by default.
    signer: credentials that can sign; taken from the client by default.
    retry_deadline_s: how long to try again.
    timeout_s: how long to wait for a connection, and for the next piece of an answer.

    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        client: storage.Client | None = None,
        endpoint: str | None = None,
        signer: Signing | None = None,
        retry_deadline_s: float = RETRY_DEADLINE_S,
        timeout_s: tuple[float, float] = TIMEOUT_S,
    ) -> None:
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        if self._prefix:
            check_key(self._prefix.removesuffix("/"))
        self._base = f"gs://{bucket}/{self._prefix}"
        self._endpoint = endpoint
        self._signer = signer
        self._timeout_s = timeout_s
        self._retry = DEFAULT_RETRY.with_delay(initial=0.2, maximum=10.0, multiplier=2.0).with_timeout(
            retry_deadline_s
        )
        with mapped_errors(self._base):
            self._client = client or connect(endpoint=endpoint)
        self._bucket = self._client.bucket(bucket)

    def __repr__(self) -> str:
        """Show where the objects are."""
        return f"{type(self).__name__}({self._base!r})"

    def close(self) -> None:
        """Close the connections, also those of the stores beside this one."""
        self._client.close()

    def put_bytes(
        self,
        key: str,
        data: bytes,
        *,
        create_only: bool = False,
        durable: bool = True,  # noqa: ARG002  (the port's; a bucket always is)
    ) -> ObjectInfo:
        """Write an object, checked by CRC32C. Raises ObjectExistsError if ``create_only`` and there."""
        return self._upload(key, BytesIO(data), len(data), create_only=create_only)

    def put_file(self, key: str, path: Path, *, create_only: bool = False) -> ObjectInfo:
        """Write an object from a local file, checked by CRC32C. Raises as ``put_bytes``."""
        check_key(key)
        try:
            file = path.open("rb")
        except OSError as error:
            raise unreadable_source(path, error) from error
        with file:
            return self._upload(key, file, path.stat().st_size, create_only=create_only)

    def get_bytes(self, key: str) -> bytes:
        """Read a whole object. Raises ObjectNotFoundError, ChecksumError."""
        data = BytesIO()
        self._download(key, data, generation=None)
        return data.getvalue()

    def fetch(self, key: str, path: Path, *, generation: str | None = None) -> None:
        """Copy an object to a local file, which appears under its name once it is whole and verified.

        Raises ObjectNotFoundError, also when the ``generation`` is gone, and ChecksumError.
        """
        self._name(key)
        if generation is not None and not generation.isdecimal():
            raise ObjectNotFoundError(f"{self.uri(key)} has no generation {generation!r}")
        part = path.with_name(f".fetch-{uuid.uuid4().hex}")
        try:
            with part.open("xb") as file:
                self._download(key, file, generation=int(generation) if generation is not None else None)
            part.replace(path)
        except OSError as error:
            raise store_error(error, f"copying {self.uri(key)} to {path}", path.parent) from error
        finally:
            part.unlink(missing_ok=True)

    def local_path(self, key: str) -> Path | None:
        """Return None: the objects are not on this machine."""
        self._name(key)
        return None

    def stat(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None where there is none."""
        found = self._look_up(key)
        return info_of(key, found) if found else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose keys start with ``prefix``, in order of their keys, page by page."""
        check_prefix(prefix)
        with mapped_errors(f"{self._base}{prefix}"):
            found = self._client.list_blobs(
                self._bucket,
                prefix=f"{self._prefix}{prefix}",
                fields=_LISTED,
                timeout=self._timeout_s,
                retry=self._retry,
            )
            for blob in found:
                yield info_of(blob.name.removeprefix(self._prefix), blob)

    def delete(self, key: str, *, durable: bool = True) -> None:  # noqa: ARG002  (as for ``put_bytes``)
        """Remove an object; removing what is not there is no error."""
        blob = self._bucket.blob(self._name(key))
        try:
            with mapped_errors(self.uri(key)):
                blob.delete(timeout=self._timeout_s, retry=self._retry)
        except ObjectNotFoundError:
            return

    def sign(self, key: str, *, method: str = "GET", life_s: int = 3600, filename: str | None = None) -> str:
        """Return a V4 signed link.

        Raises LinkError for what no link can allow, and if there is no service account to sign it.
        """
        check_link_request(method, life_s, filename)
        blob = self._bucket.blob(self._name(key))
        if self._signer is None:
            with mapped_errors(self.uri(key)):
                self._signer = signing_credentials(self._client._credentials, Request)  # noqa: SLF001 no accessor
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}" if filename else None
        with mapped_errors(self.uri(key)):
            return cast(
                "str",
                blob.generate_signed_url(
                    version="v4",
                    expiration=timedelta(seconds=life_s),
                    method=method,
                    response_disposition=disposition,
                    credentials=self._signer,
                    **({"api_access_endpoint": self._endpoint} if self._endpoint else {}),
                ),
            )

    def uri(self, key: str) -> str:
        """Return ``gs://bucket/prefix/key``."""
        self._name(key)
        return f"{self._base}{key}"

    def key_of(self, uri: str) -> str:
        """Return the key of a ``gs://`` URI in this store. Raises KeyRefusedError for any other."""
        if not uri.startswith(self._base):
            raise KeyRefusedError(f"{uri!r} is not in this store; its URIs start with {self._base}")
        key = uri.removeprefix(self._base)
        self._name(key)
        return key

    def _name(self, key: str) -> str:
        """Return the object's name in the bucket."""
        check_key(key)
        name = f"{self._prefix}{key}"
        check_key(name)  # the whole name has a limit, too
        return name

    def _look_up(self, key: str) -> storage.Blob | None:
        with mapped_errors(self.uri(key)):
            return self._bucket.get_blob(self._name(key), timeout=self._timeout_s, retry=self._retry)

    def _upload(self, key: str, file: IO[bytes], size_bytes: int, *, create_only: bool) -> ObjectInfo:
        blob = self._bucket.blob(self._name(key), chunk_size=UPLOAD_CHUNK_BYTES)
        mark = uuid.uuid4().hex
        blob.metadata = {_WRITE_MARK: mark}
        try:
            with mapped_errors(self.uri(key)):
                blob.upload_from_file(
                    file,
                    size=size_bytes,
                    content_type=type_of(key),
                    checksum="crc32c",
                    if_generation_match=0 if create_only else None,
                    timeout=self._timeout_s,
                    retry=self._retry,
                )
        except ObjectExistsError:
            # If the answer to a first try was lost, the second one finds the object that the first one made.
            found = self._look_up(key)
            if found is None or (found.metadata or {}).get(_WRITE_MARK) != mark:
                raise
            return info_of(key, found)
        except ValueError as error:  # what the client raises when the file is shorter than it was
            raise StoreError(f"{self.uri(key)}: the file changed while it was stored: {error}") from error
        return info_of(key, blob)

    def _download(self, key: str, file: IO[bytes], *, generation: int | None) -> None:
        blob = self._bucket.blob(self._name(key), generation=generation)
        summing = SummingWriter(file)
        with mapped_errors(self.uri(key)):
            # The client's own check is off: it is left out after a resumed download.
            blob.download_to_file(
                summing, raw_download=True, checksum=None, timeout=self._timeout_s, retry=self._retry
            )
            if blob.crc32c is None:
                blob.reload(timeout=self._timeout_s, retry=self._retry)
        if summing.crc32c() != blob.crc32c:
            raise ChecksumError(
                f"{self.uri(key)} arrived with CRC32C {summing.crc32c()}, not {blob.crc32c}; try again"
            )


def type_of(key: str) -> str:
    """Return the media type of an object, by its name."""
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


def info_of(key: str, blob: storage.Blob) -> ObjectInfo:
    """Return what is known of an object from what Google Cloud Storage says of it."""
    return ObjectInfo(key=key, size_bytes=blob.size, generation=str(blob.generation), updated_at=blob.updated)
