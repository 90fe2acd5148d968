"""Rows of one rank that outlive a pass: in memory while they fit, else in a scratch file."""

import io
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from mpi_stage.errors import OutputError
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.process.files import output_errors, read_all, write_all


class RowReader(Protocol):
    """Anything that rows of this rank can be read from, any number of times."""

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` (rows × columns × channels) with the rows from ``first`` on."""


@runtime_checkable
class WindowReader(RowReader, Protocol):
    """A reader that windows can be read from as well."""

    @property
    def reads_windows(self) -> bool:
        """Whether a window costs no more than its pixels, not the whole of its rows."""

    def read_window(self, window: Window, out: Pixels) -> None:
        """Fill ``out`` (of any strides) with the pixels of a window of the image."""


@runtime_checkable
class Foresighted(Protocol):
    """A row reader that fetches ahead what it is told will be read."""

    def expect_rows(self, first: int, count: int) -> None:
        """Learn that these rows are read next, in order."""


class Slab:
    """A rank's rows of an intermediate image; a :class:`WindowReader` once written."""

    reads_windows = True

    def __init__(self, spec: ImageSpec, rows: Rows, *, scratch: str, in_memory: bool) -> None:
        """Be ready for ``rows`` of an image like ``spec``, in memory or in an unnamed file in ``scratch``."""
        self.spec = spec
        self.rows = rows
        self.spilled_bytes = 0
        self._scratch = scratch
        self._in_memory = in_memory
        self._array: Pixels | None = None
        self._file: io.FileIO | None = None

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Store the rows from ``first`` on. Raises DiskFullError where the scratch is full, OutputError."""
        if self._array is None and self._file is None:
            self._make_room()
        if self._array is not None:
            self._array[first - self.rows.first : first - self.rows.first + len(rows)] = rows
            return
        self._write(rows, self._offset(first, 0))

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on; all must have been written."""
        if self._array is not None:
            out[...] = self._array[first - self.rows.first : first - self.rows.first + len(out)]
            return
        self._read(out, self._offset(first, 0))

    def view(self, window: Window) -> Pixels | None:
        """Return a window's pixels where they lie, to be read or written; None where that is in scratch."""
        if self._array is None and self._file is None:
            self._make_room()
        if self._array is None:
            return None
        rows, columns = window
        own = self._array[rows.first - self.rows.first : rows.end - self.rows.first]
        return own[:, columns.first : columns.end]

    def read_window(self, window: Window, out: Pixels) -> None:
        """Fill ``out`` with the pixels of a window of the image; its rows must be this slab's."""
        pixels = self.view(window)
        if pixels is not None:
            out[...] = pixels
            return
        rows, columns = window
        if columns.height == self.spec.columns and out.flags.c_contiguous:
            self.read_rows(rows.first, out)
            return
        for number in range(rows.height):
            self._read(out[number], self._offset(rows.first + number, columns.first))

    def write_window(self, window: Window, pixels: Pixels) -> None:
        """Store the pixels of a window of the image. Raises DiskFullError where the scratch is full."""
        rows, columns = window
        own = self.view(window)
        if own is not None:
            own[...] = pixels
        elif columns.height == self.spec.columns:
            self.write_rows(rows.first, pixels)
        else:
            for number in range(rows.height):
                self._write(pixels[number], self._offset(rows.first + number, columns.first))

    def close(self) -> None:
        """Give memory and scratch back; safe to call twice."""
        self._array = None
        if self._file is not None:
            self._file.close()

    def _offset(self, row: int, column: int) -> int:
        """Return where a pixel lies in the scratch file."""
        pixel_bytes = self.spec.channels * self.spec.itemsize
        return (row - self.rows.first) * self.spec.row_bytes + column * pixel_bytes

    def _write(self, pixels: Pixels, offset: int) -> None:
        data = np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data
        self.spilled_bytes += len(data)
        with self._write_errors():
            write_all(self._fileno(), data, offset)

    def _read(self, out: Pixels, offset: int) -> None:
        """Fill contiguous pixels from the scratch file."""
        data = out.reshape(-1).view(np.uint8).data
        try:
            got = read_all(self._fileno(), data, offset)
        except OSError as error:
            raise OutputError(f"a slab in {self._scratch} cannot be read: {error.strerror}") from error
        if got < len(data):
            raise OutputError(f"a slab in {self._scratch} ends before byte {offset + got}; was it truncated?")

    def _make_room(self) -> None:
        if self._in_memory:
            self._array = self.spec.empty(self.rows.height)
            return
        with self._write_errors():
            handle, path = tempfile.mkstemp(prefix=".halorow-slab-", dir=self._scratch)
            Path(path).unlink()
            self._file = io.FileIO(handle, "r+")

    def _write_errors(self) -> AbstractContextManager[None]:
        """Turn the system's errors into DiskFullError or OutputError that name the scratch folder."""
        size_bytes = self.rows.height * self.spec.row_bytes
        remedy = f"allow more memory: a slab of {size_bytes} bytes spills there"
        return output_errors(f"{self._scratch}/.halorow-slab", remedy)

    def _fileno(self) -> int:
        if self._file is None:
            raise OutputError("the slab holds no rows")
        return self._file.fileno()
