"""A source and a sink in memory, for running the engine without files, and a file's bytes in memory."""

from collections.abc import Iterable, Sequence

import numpy as np

from mpi_stage.formats.headers import Header, Layout, Metadata
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.image import ImageSpec, Pixels


class MemorySource:
    """The bytes of a file that is held in memory, or inside another file; a ``ByteSource``."""

    def __init__(self, name: str, data: bytes) -> None:
        """Serve ``data``; ``name`` is for messages."""
        self.name, self.size_bytes, self.fd = name, len(data), -1
        self._data = data

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` on; return how many bytes there were."""
        part = self._data[offset : offset + len(view)]
        view[: len(part)] = part
        return len(part)

    def read_all(self) -> bytearray:
        """Return a copy of all bytes."""
        return bytearray(self._data)

    def expect(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Do nothing: all is here."""

    def reserve(self, unit_bytes: int) -> int:  # noqa: ARG002  (the protocol's argument)
        """Return 0: nothing is held beside the bytes."""
        return 0

    def close(self) -> None:
        """Do nothing: the bytes belong to the caller."""


class ArraySource:
    """Rows of an array; what the engine sees as a file stored plainly."""

    def __init__(self, array: Pixels, *, divisible: bool = True, row_unit: int = 1) -> None:
        """Serve ``array`` (rows × columns × channels)."""
        rows, columns, channels = array.shape
        self._array = array
        self.header = Header(
            spec=ImageSpec(rows, columns, channels, array.dtype.name),
            layout=Layout("array"),
            metadata=Metadata(),
            divisible=divisible,
            row_unit=row_unit,
            decode_bytes=0,
            stored_bytes=array.nbytes,
        )

    def read_rows(self, first: int, out: Pixels) -> None:
        """Copy the rows from ``first`` on into ``out``; raises IndexError outside the array."""
        if first < 0 or first + len(out) > len(self._array):
            raise IndexError(f"rows {first} to {first + len(out)} of {len(self._array)} were asked for")
        out[:] = self._array[first : first + len(out)]

    def close(self) -> None:
        """Do nothing: the array belongs to the caller."""


class ArraySink:
    """Collects the rows that one rank writes.

    Attributes
    ----------
    first: the first row that was written, None before that.
    rows: what was written, in order (rows × columns × channels).

    """

    def __init__(self, spec: ImageSpec, *, divisible: bool = True, row_unit: int = 1) -> None:
        """Take rows of an image like ``spec``."""
        self.plan = SinkPlan(divisible=divisible, row_unit=row_unit, encode_bytes=0)
        self.spec = spec
        self.first: int | None = None
        self._blocks: list[Pixels] = []
        self._next = 0

    @property
    def rows(self) -> Pixels:
        """All rows so far, as one array."""
        return np.concatenate([self.spec.empty(0), *self._blocks])

    def create(self) -> None:
        """Do nothing: there is no file."""

    def open(self) -> None:
        """Do nothing: there is no file."""

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Keep a copy of ``rows``; raises ValueError where they do not follow the rows before."""
        if self.first is None:
            self.first = self._next = first
        if first != self._next or rows.shape[1:] != (self.spec.columns, self.spec.channels):
            raise ValueError(f"expected rows from {self._next} of {self.spec}, got {rows.shape} from {first}")
        self._blocks.append(rows.astype(self.spec.dtype, casting="no", copy=True))
        self._next += len(rows)

    def end_part(self) -> Sequence[int]:
        """Return no sizes: nothing is encoded."""
        return []

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """Do nothing: each rank keeps its own rows."""

    def close(self) -> None:
        """Do nothing: the rows stay readable."""
