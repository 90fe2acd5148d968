"""Chains of point steps as one table, or as one generated kernel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpu_kernels.backend import Argument, Backend
from gpu_kernels.points import Formula, Point, Table
from gpu_kernels.sources import C_TYPES, Code
from gpu_kernels.stencils import MAX_GRID_ROWS, THREADS, WORD_BYTES, Place, ceil, portions
from gpu_kernels.step import Pixels, Step

_MOST_WORDS = 12
"""A thread's pixels are no wider than three times 16 bytes."""

_HELPERS = """
struct Spot { int column, columns, row; };  // where a pixel is in the image, and how long its row is
DEVICE double clipped(double v) { return v < 0 ? 0.0 : v > 1 ? 1.0 : v; }
DEVICE f32 posterized(f32 v, f32 count) {
    const f32 inside = v < 0 ? 0.0f : v > 1 ? 1.0f : v;
    const f32 level = floorf(inside * count);
    return (level > count - 1.0f ? count - 1.0f : level) / count;
}
"""


def merged(points: Sequence[Point]) -> list[Point]:
    """Put tables that follow each other into one."""
    result: list[Point] = []
    for point in points:
        last = result[-1] if result else None
        if isinstance(last, Table) and isinstance(point, Table):
            result[-1] = last.then(point)
        else:
            result.append(point)
    return result


def single_table(points: Sequence[Point]) -> Pixels | None:
    """Return the one table for all channels that a merged chain is, None if it is more than that."""
    if len(points) == 1 and isinstance(points[0], Table) and len(points[0].values) == 1:
        table: Pixels = points[0].values[0]
        return table
    return None


@dataclass(frozen=True, eq=False)
class PointKernel:
    """A chain of point steps as one kernel."""

    code: Code
    columns: int
    pixels: int
    """Of one thread."""

    rows: int
    """Of the image."""

    tables: Pixels
    later_bytes: int
    """Of tables that are not known yet."""

    @property
    def table_bytes(self) -> int:
        """Bytes of all tables on the device."""
        return int(self.tables.nbytes) + self.later_bytes

    def launch(self, backend: Backend, place: Place, first_row: int = 0) -> None:
        """Filter the rows of a place, of which the first is the virtual row ``first_row`` of the image."""
        tables, row = backend.constant(self.tables), first_row
        for part in portions(place, MAX_GRID_ROWS):
            places: list[Argument] = [part.source, part.source_pitch, part.target, part.target_pitch]
            size = (
                np.int32(part.rows),
                np.int32(self.columns),
                np.int32(row % self.rows),
                np.int32(self.rows),
            )
            grid = (ceil(ceil(self.columns, self.pixels), THREADS), part.rows)
            backend.launch(self.code, "point", grid, THREADS, [*places, *size, tables])
            row += part.rows


def point_kernel(first: Step, last: Step, points: Sequence[Point]) -> PointKernel:
    """Return the kernel of a merged chain whose first and last steps these are."""
    into, out, columns = first.channels, last.channels_after, first.columns
    if all(isinstance(one, Table) and len(one.values) == 1 and one.colours == into for one in points):
        into, out, columns = 1, 1, columns * into  # channels make no difference
        points = [Table(one.values, 1) for one in points if isinstance(one, Table)]
    pixels = _pixels(into, out, first.itemsize)
    body, tables = _body(points)
    widest = max(into, out, *(one.channels for one in points if isinstance(one, Formula)), 1)
    macros = {
        "T": C_TYPES[first.dtype],
        "CHANNELS": into,
        "ALPHA": "0",
        "WORDS": pixels * into * first.itemsize // WORD_BYTES,
        "IN": into,
        "OUT": out,
        "WIDEST": widest,
        "PIXELS": pixels,
        "Value": "f32" if first.is_float else "u32",
    }
    files = dict.fromkeys(file for one in points if isinstance(one, Formula) for file in one.files)
    code = Code(
        ("point",),
        (_HELPERS, *files, body, "point.cuh"),
        tuple((name, str(value)) for name, value in macros.items()),
    )
    later_bytes = sum(one.later_bytes for one in points if isinstance(one, Formula))
    return PointKernel(code, columns, pixels, first.rows, tables, later_bytes)


def _pixels(into: int, out: int, itemsize: int) -> int:
    """Return how many pixels fill whole words on both sides: as many as a thread takes."""
    least = WORD_BYTES // itemsize
    for pixels in (16, 8, 4, 2):
        words = max(into, out) * pixels * itemsize // WORD_BYTES
        if pixels >= least and words <= _MOST_WORDS:
            return pixels
    return least


def _body(points: Sequence[Point]) -> tuple[str, Pixels]:
    """Return the functions of the steps, PIXEL, and all tables one after the other."""
    functions, calls, tables, offset = [], [], [], 0
    for number, point in enumerate(points):
        if isinstance(point, Table):
            count, size = point.values.shape
            place = f"c * {size}" if count > 1 else "0"
            work = f"v[c] = (Value)__ldg(tables + {offset} + {place} + v[c]);"
            work = f"UNROLL for (int c = 0; c < {point.colours}; c++) {work}"
            tables.append(point.values.reshape(-1))
            offset += point.values.size
        else:
            work = point.body.replace("TABLE", f"(tables + {offset})")
            if point.table is not None:
                tables.append(point.table)
                offset += point.table.size
        functions.append(f"DEVICE void step{number}(Value* v, const T* tables, Spot at) {{ {work} }}\n")
        calls.append(f"step{number}(v, tables, at);")
    text = "".join(functions) + f"#define PIXEL(v, tables, at) {' '.join(calls)}\n"
    return text, np.concatenate(tables) if tables else np.zeros(1, np.uint8)
