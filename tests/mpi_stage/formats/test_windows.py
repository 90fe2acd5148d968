"""Windows of an image: some of its rows, and of these some columns, from files and slabs."""

import numpy as np
import pytest
import tifffile
from formats_support import picture, spec_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi_stage.formats.registry import open_source
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rows.slab import Slab

ROWS, COLUMNS = 50, 83

LAYOUTS = {
    "plain tiles": {"tile": (16, 32)},
    "planes of tiles": {"tile": (16, 16), "planarconfig": "separate"},
    "foreign byte order": {"tile": (16, 32), "byteorder": ">"},
    "plain strips": {"rowsperstrip": 7},
    "deflated tiles": {"tile": (16, 32), "compression": "zlib"},
}

rows, columns = (st.tuples(st.integers(0, length - 1), st.integers(1, length)) for length in (ROWS, COLUMNS))
bounds = st.tuples(rows, columns)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, pixels = tmp_path_factory.mktemp("windows"), picture(ROWS, COLUMNS, 3, "uint16")
    for name, layout in LAYOUTS.items():
        stored = np.moveaxis(pixels, 2, 0) if "planarconfig" in layout else pixels
        tifffile.imwrite(folder / f"{name}.tif", stored, photometric="rgb", metadata=None, **layout)
    return folder, pixels


def window_of(down, across):
    (top, height), (left, width) = down, across
    return Window(Rows(top, min(top + height, ROWS)), Rows(left, min(left + width, COLUMNS)))


def part_of(pixels, window):
    return pixels[slice(*window.rows), slice(*window.columns)]


def room_for(window, pixels):
    """Return an array that is a part of a larger one, as a tile is of a block."""
    larger = np.zeros((window.rows.height + 2, window.columns.height + 3, pixels.shape[2]), pixels.dtype)
    return larger, larger[1:-1, 2:-1]


@pytest.mark.parametrize("name", LAYOUTS)
@settings(max_examples=25)
@given(where=bounds)
def test_a_window_of_a_file_is_a_part_of_its_picture(files, name, where):
    folder, pixels = files
    window = window_of(*where)
    larger, out = room_for(window, pixels)
    source = open_source(str(folder / f"{name}.tif"), PhaseClock())
    source.read_window(window, out)
    source.close()
    assert np.array_equal(out, part_of(pixels, window))
    out[...] = 0
    assert not larger.any()


def test_only_plain_tiles_are_said_to_be_read_by_windows(files):
    folder, _ = files
    said = {}
    for name in LAYOUTS:
        source = open_source(str(folder / f"{name}.tif"), PhaseClock())
        said[name] = source.reads_windows
        source.close()
    assert [name for name, windows in said.items() if windows] == [
        "plain tiles",
        "planes of tiles",
        "foreign byte order",
    ]


@pytest.mark.parametrize("in_memory", [True, False])
@settings(max_examples=25)
@given(where=bounds, other=bounds)
def test_a_window_of_a_slab_holds_what_was_written_to_it(tmp_path_factory, in_memory, where, other):
    pixels = picture(ROWS, COLUMNS, 3, "uint16")
    folder = tmp_path_factory.mktemp("slab")
    slab = Slab(spec_of(pixels), Rows(0, ROWS), scratch=str(folder), in_memory=in_memory)
    slab.write_rows(0, pixels)
    written, read = window_of(*where), window_of(*other)
    slab.write_window(written, 255 - part_of(pixels, written))
    expected = pixels.copy()
    part_of(expected, written)[...] = 255 - part_of(pixels, written)
    _, out = room_for(read, pixels)
    slab.read_window(read, out)
    slab.close()
    assert np.array_equal(out, part_of(expected, read))
