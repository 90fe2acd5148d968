"""A store in a bucket of Google Cloud Storage, which ranks reach by themselves and browsers send to."""

from typing import cast

from google.auth.transport.requests import Request

from mpi_stage.contract import Access
from pipeline.models import ObjectInfo
from pipeline.stores import gcs_sessions
from pipeline.stores.gcs_access import access_to
from pipeline.stores.gcs_errors import mapped_errors
from pipeline.stores.gcs_objects import GcsObjects, info_of, type_of


class GcsStore(GcsObjects):
    """The objects of a bucket, with what ranks and browsers need to reach them directly."""

    def address(self, key: str, generation: str | None = None) -> str:
        """Return ``gs://bucket/prefix/key``, with ``#generation`` if one is given."""
        return self.uri(key) if generation is None else f"{self.uri(key)}#{generation}"

    def access(self) -> Access:
        """Return what ranks need to reach the bucket themselves. Raises StoreError."""
        with mapped_errors(self._base):
            credentials = self._client._credentials  # noqa: SLF001 no accessor
            return access_to(self._client.api_endpoint, credentials, Request)

    def read_range(self, key: str, first: int, size_bytes: int, *, generation: str) -> bytes:
        """Read some bytes of an object. Raises ObjectNotFoundError, also when the ``generation`` is gone."""
        blob = self._bucket.blob(self._name(key), generation=int(generation))
        with mapped_errors(self.uri(key)):
            read = blob.download_as_bytes(
                start=first,
                end=first + size_bytes - 1,
                raw_download=True,
                checksum=None,
                timeout=self._timeout_s,
                retry=self._retry,
            )
        return cast("bytes", read)

    def beside(self, bucket: str) -> "GcsStore":
        """Return another bucket as a store; it shares this one's connections."""
        return GcsStore(
            bucket,
            client=self._client,
            endpoint=self._endpoint,
            signer=self._signer,
            timeout_s=self._timeout_s,
        )

    def copy(self, key: str, target: str, *, generation: str) -> ObjectInfo:
        """Copy an object inside the bucket, without its bytes coming here.

        Raises ObjectNotFoundError, also when the ``generation`` is gone.
        """
        made = self._bucket.blob(self._name(target))
        made.content_type = type_of(target)
        source = self._bucket.blob(self._name(key), generation=int(generation))
        with mapped_errors(self.uri(key)):
            made.compose([source], timeout=self._timeout_s, retry=self._retry)
        return info_of(target, made)

    def begin_session(self, key: str, size_bytes: int, origin: str | None) -> str:
        """Return the address to which a browser sends a new object itself.

        Pages of another ``origin`` cannot: Google Cloud Storage answers browsers for this one alone.
        """
        blob = self._bucket.blob(self._name(key))
        with mapped_errors(self.uri(key)):
            return cast(
                "str",
                blob.create_resumable_upload_session(
                    content_type=type_of(key),
                    size=size_bytes,
                    origin=origin,
                    if_generation_match=0,
                    checksum=None,
                    timeout=self._timeout_s,
                    retry=self._retry,
                ),
            )

    def session_offset(self, session: str, size_bytes: int) -> int:
        """Return how many bytes a session has. Raises ObjectNotFoundError where it is over."""
        with mapped_errors(self._base):
            return gcs_sessions.offset_of(self._client, session, size_bytes, self._timeout_s)

    def end_session(self, session: str) -> None:
        """Give a session up; one that is over is no error."""
        with mapped_errors(self._base):
            gcs_sessions.end(self._client, session, self._timeout_s)

    def checksum(self, key: str) -> str | None:
        """Return the CRC32C of an object, in base64; None where there is none."""
        found = self._look_up(key)
        return found.crc32c if found else None
