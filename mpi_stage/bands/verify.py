"""Bytes of a band, copied and known again by their checksum."""

import errno
import os

from mpi_stage.bands.journal import BandPart
from mpi_stage.objects.crc32c import crc32c
from mpi_stage.process.files import copy_bytes

_READ_BYTES = 256 << 10
"""Read and summed up while they are in the cache."""


_GONE = (errno.EIO, errno.ESTALE)
"""What reading says of a file that is damaged, or was removed on another machine."""


def file_crc32c(fd: int, offset: int, size_bytes: int) -> int | None:
    """Return the checksum of a range of a file; None where the file ends in it. Raises OSError."""
    checksum, end = 0, offset + size_bytes
    while offset < end:
        data = os.pread(fd, min(_READ_BYTES, end - offset), offset)
        if not data:
            return None
        checksum = crc32c(data, checksum)
        offset += len(data)
    return checksum


def copy_part(folder: str, part: BandPart, target: int, offset: int) -> bool:
    """Copy a part from an earlier attempt's folder to a place of a file; False where it is not as recorded.

    The checksum is that of the copy: what was verified is what will be used. Raises OSError where the
    target cannot be written.
    """
    try:
        source = os.open(f"{folder}/{part.name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if os.fstat(source).st_size < part.offset + part.size_bytes:
            return False
        copy_bytes(source, target, offset, part.size_bytes, source_offset=part.offset)
    except OSError as error:
        if error.errno not in _GONE:
            raise
        return False
    finally:
        os.close(source)
    return file_crc32c(target, offset, part.size_bytes) == part.crc32c
