"""When a pass goes from file to file tile by tile, and when it cannot."""

import numpy as np
import pytest
import tifffile

from mpi_stage.formats.base import Metadata, SinkOptions, TileLayout
from mpi_stage.formats.registry import open_source
from mpi_stage.formats.sinks import create_sink
from mpi_stage.operations.spelling.grammar import parse
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
