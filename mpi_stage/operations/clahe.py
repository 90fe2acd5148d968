"""Equalising each part of a picture by its surroundings: ``clahe``."""

from dataclasses import dataclass

import numpy as np

from mpi_stage.errors import ParameterError
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic import clahe_tiles, histogram, luma
from mpi_stage.operations.arithmetic.look_up import in_type, looked_up
from mpi_stage.operations.declaring.declaration import (
    Kind,
    Measured,
    Operation,
    Parameter,
    Params,
    Pattern,
    Reduction,
    Round,
)
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import integer, number

MAX_TABLE_BYTES = 64 << 20
"""For the histograms of all tiles: 16 × 16 tiles of a wide type, 256 × 256 of ``uint8``."""

_MAX_TILES = 256
_COUNT_BYTES = 4
_TABLE_SCRATCH_BYTES = 48
"""For each bin while a tile's table is made of it: shares and sums, in up to 64 bits."""


@dataclass(frozen=True)
class _Tables:
    """The new values of each bin (channels × tiles × tiles × bins) and, for floats, the span."""

    values: Pixels
    span: histogram.Span | None
    grid: clahe_tiles.Grid


def _histogram_bytes(params: Params, spec: ImageSpec) -> int:
    tiles = integer(params, "tiles")
    return luma.width(spec, params) * tiles * tiles * histogram.bin_count(spec.dtype) * _COUNT_BYTES


def _table_bytes(spec: ImageSpec, params: Params) -> int:
    return _histogram_bytes(params, spec) // _COUNT_BYTES * spec.itemsize


def _working_bytes(params: Params, spec: ImageSpec, _rows: int, ranks: int) -> int:
    """Bytes of the counts, what MPI joins them in, and the tables made of them."""
    each = np.dtype(_count_type(clahe_tiles.grid(spec, integer(params, "tiles")))).itemsize
    counts = _histogram_bytes(params, spec) // _COUNT_BYTES * each * (1 if ranks == 1 else 2)
    return counts + _table_bytes(spec, params) + histogram.bin_count(spec.dtype) * _TABLE_SCRATCH_BYTES


def _check(params: Params, spec: ImageSpec) -> None:
    luma.check("clahe", params, spec)
    needed, tiles = _histogram_bytes(params, spec), integer(params, "tiles")
    if needed > MAX_TABLE_BYTES:
        fitting = int(tiles * (MAX_TABLE_BYTES / needed) ** 0.5)
        raise ParameterError(
            f"clahe:tiles={tiles} needs {needed} bytes for the histograms of {spec.dtype} in "
            f"{luma.width(spec, params)} channel(s), the limit is {MAX_TABLE_BYTES}; "
            f"use at most {fitting} tiles"
        )


def _rounds(spec: ImageSpec, params: Params) -> tuple[Round, ...]:
    grid = clahe_tiles.grid(spec, integer(params, "tiles"))
    counting = _counting(grid)
    return (histogram.ranging(luma.planes), counting) if spec.dtype == "float32" else (counting,)


def _counting(grid: clahe_tiles.Grid) -> Round:
    """Return the sweep that counts the values of each tile by bin."""
    count_type = _count_type(grid)

    def start(spec: ImageSpec, params: Params, _previous: Measured) -> Pixels:
        shape = (
            luma.width(spec, params),
            grid.rows.tiles,
            grid.columns.tiles,
            histogram.bin_count(spec.dtype),
        )
        return np.zeros(shape, count_type)

    def update(state: Pixels, rows: Pixels, first_row: int, params: Params, previous: Measured) -> None:
        planes = luma.planes(rows, params)
        for channel, counts in enumerate(state):
            plane = np.ascontiguousarray(planes[:, :, channel])
            for tile, members in grid.rows.members(first_row, len(rows)):
                _count(counts[tile], plane[members - first_row], grid.columns, previous)

    def finish(state: Pixels, spec: ImageSpec, params: Params, previous: Measured) -> _Tables:
        clip, dtype = number(params, "clip"), spec.dtype
        values = np.empty(state.shape, dtype)
        for place in np.ndindex(state.shape[:-1]):
            values[place] = clahe_tiles.table(state[place], clip, dtype)
        return _Tables(values, previous, grid)

    return Round(start=start, update=update, combine="sum", finish=finish)


def _count_type(grid: clahe_tiles.Grid) -> type[np.int32 | np.int64]:
    return np.int32 if grid.tile_pixels <= np.iinfo(np.int32).max else np.int64


def _count(counts: Pixels, rows: Pixels, columns: clahe_tiles.Axis, span: histogram.Span | None) -> None:
    """Add rows of one row of tiles to the ``counts`` of these (tiles × bins)."""
    for tile in range(columns.tiles):
        members = columns.source[tile * columns.tile_px : (tile + 1) * columns.tile_px]
        histogram.add(counts[tile], rows[:, members], span)


def _apply(rows: Pixels, first_row: int, params: Params, measured: Measured) -> Pixels:
    """Return the rows, each value looked up in the tables of the four tiles around it, and mixed."""
    tables: _Tables = measured
    planes = luma.Planes(rows, params)
    for channel in range(planes.count):
        planes[channel] = _mixed(planes[channel], first_row, channel, tables)
    return planes.joined()


def _mixed(plane: Pixels, first_row: int, channel: int, tables: _Tables) -> Pixels:
    bins = plane if tables.span is None else tables.span.bins(plane)
    result = np.empty_like(plane)
    columns = list(tables.grid.columns.runs(0, plane.shape[1]))
    for down in tables.grid.rows.runs(first_row, len(plane)):
        upper, lower = (tables.values[channel, tile] for tile in down.tiles)
        below, above = down.share[:, np.newaxis], (1 - down.share)[:, np.newaxis]
        for across in columns:
            place = slice(down.start, down.end), slice(across.start, across.end)
            part = np.ascontiguousarray(bins[place])
            mixed = _across(part, upper, across) * above + _across(part, lower, across) * below
            result[place] = mixed if tables.span else in_type(mixed, str(plane.dtype))
    if tables.span:
        np.copyto(result, plane, where=np.isnan(plane))
    return result


def _across(part: Pixels, tables: Pixels, run: clahe_tiles.Run) -> Pixels:
    """Mix what the left and the right one of two tiles make of each value, in float32."""
    left, right = (looked_up(part, tables[tile]).astype(np.float32) for tile in run.tiles)
    mixed: Pixels = left * (1 - run.share) + right * run.share
    return mixed


CLAHE = Operation(
    name="clahe",
    label="Local contrast (CLAHE)",
    help="Equalises the histogram of each part of the picture by itself, so that shadows and lights both "
    "show detail, and keeps noise down by limiting how much any contrast may grow. Of colour pictures the "
    "brightness (Y of YCrCb) is treated. Floats become 0 to 1; NaN and infinities are not "
    "measured, NaN stays.",
    family="threshold",
    pattern=Pattern.REDUCE,
    reference="cv2.createCLAHE(clip, (tiles, tiles)) on the whole picture; float32 over 65,536 bins of the "
    "measured range",
    parameters=(
        Parameter(
            "clip",
            Kind.FLOAT,
            "How far contrast may grow: a bin of a tile's histogram holds at most this many times its even "
            "share. 1 does nearly nothing, 40 hardly limits, 0 means no limit.",
            default=2.0,
            minimum=0,
            maximum=1000,
        ),
        Parameter(
            "tiles",
            Kind.INT,
            "How many parts the picture is cut into, across and down. Wide types take up to 16.",
            default=8,
            minimum=1,
            maximum=_MAX_TILES,
        ),
        luma.CHANNELS,
    ),
    check=_check,
    cost=lambda params, spec: luma.cost(params, spec, {"uint8": 12.0, "uint16": 25.0, "float32": 45.0}),
    reduction=Reduction(rounds=_rounds, apply=_apply, placed=True, found_bytes=_table_bytes),
    working_bytes=_working_bytes,
    scratch=by_type(uint8=2, uint16=2, float32=10),
)
