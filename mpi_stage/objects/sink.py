"""An object that one rank writes as a whole."""

from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.crc32c import crc32c
from mpi_stage.objects.parts import (
    PART_BYTES,
    PartStream,
    Uploads,
    clear,
    content_type,
    publish,
    refuse_existing,
)


class ObjectSink:
    """A :class:`~mpi_stage.formats.byte_sink.ByteSink`: one upload, or parts where it is large."""

    def __init__(self, uploads: Uploads, url: str) -> None:
        """Prepare to make the object ``url``."""
        self._uploads, self._final = uploads, ObjectAddress.parse(url)

    def create(self) -> None:
        """Raise OutputExistsError where the object is there."""
        refuse_existing(self._uploads.bucket, self._final)

    def open(self) -> None:
        """Do nothing: the object appears when it is whole."""

    def write(self, data: bytes | bytearray) -> None:
        """Make the object. Raises OutputExistsError, StorageError."""
        if len(data) <= PART_BYTES:
            kind = content_type(self._final)
            self._uploads.bucket.upload(self._final, [bytes(data)], crc32c(data), kind)
            return
        clear(self._uploads)
        stream = PartStream(self._uploads, "whole")
        try:
            for first in range(0, len(data), PART_BYTES):
                stream.append(memoryview(data)[first : first + PART_BYTES])
            stream.end()
        finally:
            stream.close()
        parts = list(self._uploads.bucket.list(self._uploads.prefix))
        publish(self._uploads, self._final, parts, len(data))

    def close(self) -> None:
        """Do nothing: the connections are the bucket's."""
