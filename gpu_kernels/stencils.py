"""Stencils as launches: which kernels, on which grid, with which arguments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.backend import Argument, Backend
from gpu_kernels.layout import aligned
from gpu_kernels.sources import C_TYPES, Code, code
from gpu_kernels.step import Step

THREADS = 128
"""Of a block: strips side by side."""

CHUNK_ROWS = (32, 32)
LONG_CHUNK_ROWS = (32, 128)
"""Rows that a thread goes down, at least and at most; those above and below them are treated twice.

Long ones pay where that is much work; where it is little, more of a picture's rows are open at once.
"""

ENOUGH_THREADS = 1 << 17
"""What keeps a large GPU busy; where there are more, they go further down."""

LONG_ROWS = 8
"""Rows that a thread makes at once of sums over rows, where the kernel is long."""

WORD_BYTES = 4
REGISTERS = 112
"""What pending sums may take of a thread's 255 registers, so that enough threads fit at once."""

MAX_GRID_ROWS = 65535


class Place(NamedTuple):
    """Where a stencil works: addresses of the first values of input and result, and how much there is."""

    source: int
    source_pitch: int
    target: int
    target_pitch: int
    rows: int
    table: int
    """Address of the table of the point steps that follow, 0 for none."""


class Stencil(Protocol):
    """A step's kernels."""

    @property
    def codes(self) -> tuple[Code, ...]:
        """What has to be compiled."""

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """Tables on the device, put there before the first launch: doing so waits for all that is at work."""

    @property
    def looks_up(self) -> bool:
        """Whether it takes the table of the point steps that follow."""

    def temporary_bytes(self, rows: int) -> int:
        """Memory of the device that results of ``rows`` rows take beside input and output."""

    def launch(self, backend: Backend, place: Place, temporary: int) -> None:
        """Filter the rows of a place."""


@dataclass(frozen=True, eq=False)
class Marching:
    """Threads that go down strips: one kernel, and perhaps one for the ends of rows."""

    code: Code
    values: int
    """Of a row of the image."""

    strip: int
    """Values that a thread has side by side."""

    tables: tuple[NDArray[Any], ...] = ()
    has_row_ends: bool = False
    looks_up: bool = True
    chunk_rows: tuple[int, int] = CHUNK_ROWS
    threads: int = THREADS

    @property
    def codes(self) -> tuple[Code, ...]:
        """What has to be compiled."""
        return (self.code,)

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """Its tables."""
        return self.tables

    def tuned(self, words: int, chunk_rows: int, threads: int) -> "Marching":
        """Return the same with other strips, chunks and blocks; the results do not depend on them."""
        shape = {"WORDS": str(words)}
        macros = tuple((name, shape.get(name, value)) for name, value in self.code.macros)
        before = int(dict(self.code.macros)["WORDS"])
        return replace(
            self,
            code=replace(self.code, macros=macros),
            strip=self.strip * words // before,
            chunk_rows=(chunk_rows, chunk_rows),
            threads=threads,
        )

    def temporary_bytes(self, rows: int) -> int:  # noqa: ARG002  (the signature is a contract)
        """Return 0: everything stays in registers."""
        return 0

    def launch(self, backend: Backend, place: Place, temporary: int) -> None:  # noqa: ARG002
        """Filter the rows of a place."""
        chunk = self._chunk(place.rows)
        for part in portions(place, chunk * MAX_GRID_ROWS):
            arguments = self._arguments(backend, part, chunk)
            grid = (ceil(ceil(self.values, self.strip), self.threads), ceil(part.rows, chunk))
            backend.launch(self.code, self.code.kernels[0], grid, self.threads, arguments)
            if self.has_row_ends:
                grid = (ceil(part.rows, THREADS), 1)
                backend.launch(self.code, self.code.kernels[1], grid, THREADS, arguments)

    def _chunk(self, rows: int) -> int:
        least, most = self.chunk_rows
        return min(max(least, rows * ceil(self.values, self.strip) // ENOUGH_THREADS), most)

    def _arguments(self, backend: Backend, place: Place, chunk: int) -> list[Argument]:
        return [
            place.source,
            place.source_pitch,
            place.target,
            place.target_pitch,
            np.int32(place.rows),
            np.int32(self.values),
            np.int32(chunk),
            place.table,
            *(backend.constant(table) for table in self.tables),
        ]


@dataclass(frozen=True, eq=False)
class Long:
    """Separable kernels of any length: rows into sums in temporary memory, sums into means."""

    code: Code
    values: int
    strip: int
    size: int
    """Rows of the kernel."""

    sum_bytes: int
    """Of one sum over a row."""

    weights: NDArray[Any]
    """As the kernels read them, with zeros around."""

    table: NDArray[Any]
    looks_up: bool = True

    @property
    def codes(self) -> tuple[Code, ...]:
        """What has to be compiled."""
        return (self.code,)

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """Weights and table."""
        return self.weights, self.table

    @property
    def _pitch(self) -> int:
        return aligned(self.values * self.sum_bytes + THREADS)

    def temporary_bytes(self, rows: int) -> int:
        """Return the bytes of the rows' sums."""
        return (rows + self.size - 1) * self._pitch

    def launch(self, backend: Backend, place: Place, temporary: int) -> None:
        """Filter the rows of a place."""
        halo, strips = self.size // 2, ceil(ceil(self.values, self.strip), THREADS)
        weights, table = backend.constant(self.weights), backend.constant(self.table)
        first, last = self.code.kernels
        for part in portions(place, MAX_GRID_ROWS - 2 * halo):
            above = part.source - halo * part.source_pitch
            size = (np.int32(part.rows + 2 * halo), np.int32(self.values))
            grid = (strips, part.rows + 2 * halo)
            arguments: list[Argument] = [above, part.source_pitch, temporary, self._pitch, *size, weights]
            backend.launch(self.code, first, grid, THREADS, arguments)
            size = (np.int32(part.rows), np.int32(self.values))
            grid = (strips, ceil(part.rows, LONG_ROWS))
            places: list[Argument] = [part.source, part.source_pitch, part.target, part.target_pitch]
            rest: list[Argument] = [part.table, table, temporary, self._pitch, weights]
            backend.launch(self.code, last, grid, THREADS, [*places, *size, *rest])


@dataclass(frozen=True, eq=False)
class Pixelwise:
    """One thread for each pixel; with tables, a kernel gets that of the point steps before them."""

    code: Code
    columns: int
    looks_up: bool = False
    tables: tuple[NDArray[Any], ...] = ()

    @property
    def codes(self) -> tuple[Code, ...]:
        """What has to be compiled."""
        return (self.code,)

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """Its tables."""
        return self.tables

    def temporary_bytes(self, rows: int) -> int:  # noqa: ARG002
        """Return 0."""
        return 0

    def launch(self, backend: Backend, place: Place, temporary: int) -> None:  # noqa: ARG002
        """Filter the rows of a place."""
        tables: list[Argument] = [backend.constant(table) for table in self.tables]
        for part in portions(place, MAX_GRID_ROWS):
            places: list[Argument] = [part.source, part.source_pitch, part.target, part.target_pitch]
            size = (np.int32(part.rows), np.int32(self.columns))
            grid = (ceil(self.columns, THREADS), part.rows)
            after: list[Argument] = [part.table, *tables] if tables else []
            backend.launch(self.code, self.code.kernels[0], grid, THREADS, [*places, *size, *after])


def ceil(value: int, unit: int) -> int:
    """Return how many units hold a value."""
    return -(-value // unit)


def portions(place: Place, rows: int) -> Iterator[Place]:
    """Cut a place into portions of at most ``rows`` rows: a grid is no higher than 65,535 blocks."""
    for first in range(0, place.rows, rows):
        yield place._replace(
            source=place.source + first * place.source_pitch,
            target=place.target + first * place.target_pitch,
            rows=min(rows, place.rows - first),
        )


def common(step: Step, words: int) -> dict[str, object]:
    """Return the macros that every kernel needs."""
    return {
        "T": C_TYPES[step.dtype],
        "CHANNELS": step.channels,
        "ALPHA": step.keeps_alpha,
        "WORDS": words,
    }


def strip_words(step: Step, pending: int, registers_each: float = 1, most: int = 4) -> int:
    """Return how many words wide a strip may be: a power of two, by the registers of pending rows.

    Parameters
    ----------
    step: for its type.
    pending: rows that wait at once.
    registers_each: registers of one value of a pending row.
    most: words at most; 16 bytes are loaded at once.

    """
    values = WORD_BYTES // step.itemsize
    words, least = most, least_words(step)
    while words > least and words * values * registers_each * pending > REGISTERS:
        words //= 2
    return words


def least_words(step: Step) -> int:
    """Return how wide a strip must be: whole pixels, where the last of four channels goes around."""
    return step.itemsize if step.keeps_alpha else 1


def values_of(step: Step) -> int:
    """Return the values of a row of the image."""
    return step.columns * step.channels


def march(  # noqa: PLR0917  (a launch has as many parts)
    step: Step,
    kernels: str,
    files: str,
    words: int,
    macros: Mapping[str, object],
    tables: tuple[NDArray[Any], ...] = (),
    *,
    has_row_ends: bool = False,
    looks_up: bool = True,
    chunk_rows: tuple[int, int] = CHUNK_ROWS,
) -> Marching:
    """Return a marching stencil with the macros that all have and its own."""
    made = code(kernels, files, {**common(step, words), **macros})
    strip = words * WORD_BYTES // step.itemsize
    looks_up = looks_up and not step.is_float
    return Marching(made, values_of(step), strip, tables, has_row_ends, looks_up, chunk_rows)
