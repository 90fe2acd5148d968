"""When a pass goes from file to file tile by tile, and when it cannot."""

import numpy as np
import pytest
import tifffile
from operation_harness import picture

from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.ports import TileLayout
from mpi_stage.formats.registry import open_source
from mpi_stage.formats.sinks import create_sink
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Pattern
from mpi_stage.operations.spelling.grammar import make_step, parse
from mpi_stage.planning.plan import Pass
from mpi_stage.planning.planned_steps import plan_steps
from mpi_stage.process.timing import PhaseClock
from mpi_stage.sweep.tilewise import tiles_between

TILES = TileLayout(height=32, width=48, across=3, down=2)


def tiles_of(folder, pipeline, *, dtype="uint8", options=None, **layout):
    """Return the tiles in which a picture of 60 × 100 px would be filtered."""
    path = folder / "in.tif"
    tifffile.imwrite(path, np.zeros((60, 100, 3), dtype), photometric="rgb", metadata=None, **layout)
    source = open_source(str(path), PhaseClock())
    spec = source.header.spec
    steps = tuple(plan_steps(parse(pipeline), spec))
    after = steps[-1].after
    sink = create_sink(
        str(folder / "out.tif"),
        "out.tif",
        after,
        Metadata(),
        source.header,
        options or SinkOptions(),
        str(folder),
        PhaseClock(),
    )
    found = tiles_between(Pass(spec, after, steps, None), source, sink)
    sink.close()
    source.close()
    return None if found is None else found.tiles


def test_point_steps_go_from_tiles_to_the_same_tiles(tmp_path):
    assert tiles_of(tmp_path, "invert grayscale gamma:gamma=2", tile=(32, 48)) == TILES


@pytest.mark.parametrize("pipeline", ["gaussian", "invert median:size=3"])
def test_steps_that_look_at_neighbours_need_rows(tmp_path, pipeline):
    assert tiles_of(tmp_path, pipeline, tile=(32, 48)) is None


@pytest.mark.parametrize("layout", [{}, {"tile": (32, 48), "compression": "zlib"}], ids=["strips", "deflate"])
def test_strips_and_coded_tiles_are_read_by_rows(tmp_path, layout):
    assert tiles_of(tmp_path, "invert", **layout) is None


def test_other_tiles_in_the_result_are_written_by_rows(tmp_path):
    assert tiles_of(tmp_path, "invert", tile=(32, 48), options=SinkOptions(tile=(64, 64))) is None


def test_floats_are_filtered_in_whole_rows(tmp_path):
    assert tiles_of(tmp_path, "invert", dtype="float32", tile=(32, 48)) is None


@pytest.mark.parametrize("pipeline", ["hue:degrees=40", "invert saturation:factor=2"])
def test_what_is_rounded_otherwise_at_the_end_of_a_row_needs_rows(tmp_path, pipeline):
    assert tiles_of(tmp_path, pipeline, tile=(32, 48)) is None


GIVEN = {
    "matrix": {"values": [0.3, 0.6, 0.1, 0.2, 0.7, 0.1, 0.1, 0.2, 0.7]},
    "channels": {"select": [2, 1, 0]},
    "threshold": {"value": 100},
}


FREE = [
    pytest.param(one, dtype, id=f"{one.name}-{dtype}")
    for one in OPERATIONS
    for dtype in ("uint8", "uint16")
    if one.pattern is Pattern.POINT and dtype not in one.row_bound
]


@pytest.mark.parametrize(("operation", "dtype"), FREE)
def test_what_is_not_bound_to_rows_makes_the_same_of_a_pixel_in_a_tile(operation, dtype):
    params = make_step(operation.name, GIVEN.get(operation.name, {})).params
    for columns in (16, 40, 64, 200):
        rows = picture(columns, 30, columns, 3, dtype)
        tiles = [np.ascontiguousarray(rows[:, left : left + 16]) for left in range(0, columns, 16)]
        filtered = np.concatenate([operation.point(tile, params) for tile in tiles], axis=1)
        np.testing.assert_array_equal(filtered, operation.point(rows, params))
