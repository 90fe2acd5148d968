"""A file that one rank writes as a whole, wherever it lies."""

import os
from typing import Protocol

from mpi_stage.process.files import create_file, output_errors, write_all


class ByteSink(Protocol):
    """Takes all bytes of a file in one call."""

    def create(self) -> None:
        """Claim the place; raises OutputExistsError, DiskFullError, OutputError, StorageError."""

    def open(self) -> None:
        """Get ready to write; raises as :meth:`create`."""

    def write(self, data: bytes | bytearray) -> None:
        """Write the file; raises as :meth:`create`."""

    def close(self) -> None:
        """Release the file; safe to call at any time."""


class FileSink:
    """A file of this machine."""

    def __init__(self, path: str) -> None:
        """Prepare to write ``path``; touches nothing."""
        self._path, self._fd = path, -1

    def create(self) -> None:
        """Make the file; raises OutputExistsError, DiskFullError, OutputError."""
        create_file(self._path)

    def open(self) -> None:
        """Open the file for writing."""
        with output_errors(self._path):
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)

    def write(self, data: bytes | bytearray) -> None:
        """Write the file; raises DiskFullError, OutputError."""
        with output_errors(self._path):
            write_all(self._fd, data, 0)

    def close(self) -> None:
        """Close the file; safe to call at any time."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
