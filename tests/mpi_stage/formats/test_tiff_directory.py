"""TIFF directories as they stand, judged by tifffile and by files that lie."""

import struct
import tracemalloc
from contextlib import closing, contextmanager

import numpy as np
import pytest
import tifffile

from mpi_stage.errors import DamagedInputError
from mpi_stage.formats.byte_source import FileSource
from mpi_stage.formats.registry import read_header
from mpi_stage.formats.tiff.codes import TILE_COUNTS, TILE_OFFSETS
from mpi_stage.formats.tiff.directory import Directory, TiffFile
from mpi_stage.formats.tiff.fields import Fields

IMAGE_WIDTH, ROWS_PER_STRIP, SOFTWARE = 256, 278, 305


@pytest.fixture
def path(tmp_path):
    return tmp_path / "in.tif"


@contextmanager
def opened(path):
    with closing(FileSource(str(path))) as data:
        yield TiffFile(data)


def classic(*entries, following=0):
    """Return a TIFF that is one directory of ``(code, kind, count, value or offset)``."""
    rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + rows + struct.pack("<I", following)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_number_and_text_is_read_as_tifffile_reads_it(path, bigtiff, order):
    pixels = np.zeros((40, 70, 3), np.uint16)
    extra = [
        (65_000, 12, 2, (0.5, -2.0), True),
        (65_001, 9, 3, (-1, 0, 7), True),
        (65_002, 5, 1, (1, 3), True),
    ]
    options = {"tile": (16, 16), "bigtiff": bigtiff, "byteorder": order, "extratags": extra}
    tifffile.imwrite(path, pixels, photometric="rgb", description="a view", metadata=None, **options)
    with tifffile.TiffFile(path) as judge, opened(path) as file:
        page = judge.pages.first
        fields = Fields(file.first)
        assert file.big == bigtiff
        assert file.first.entries.keys() == {tag.code for tag in page.tags}
        for tag in page.tags:
            found = file.first.value(tag.code)
            assert tag.value in {found, (found,)}, tag
        assert fields.dataoffsets.tolist() == list(page.dataoffsets)
        assert fields.databytecounts.tolist() == list(page.databytecounts)
        assert (fields.bitspersample, fields.description) == (16, page.description)


def test_the_chain_of_directories_is_followed(path):
    with tifffile.TiffWriter(path) as writer:
        for value in range(3):
            writer.write(np.full((8, 8 + value), value, np.uint8), metadata=None)
    with opened(path) as file:
        found = [Directory(file, link.place).value(IMAGE_WIDTH) for link in file.links()]
        assert found == [8, 9, 10]


def test_a_chain_that_comes_back_ends_with_an_error(path):
    path.write_bytes(classic((IMAGE_WIDTH, 3, 1, 5), following=8))
    with opened(path) as file, pytest.raises(ValueError, match="comes back to byte 8"):
        list(file.links())


def test_a_code_that_comes_twice_keeps_both_entries(path):
    path.write_bytes(classic((IMAGE_WIDTH, 3, 1, 5), (IMAGE_WIDTH, 3, 1, 6)))
    with opened(path) as file:
        assert file.first.value(IMAGE_WIDTH) == 5
        assert file.first.read(file.first.second[IMAGE_WIDTH]) == 6


@pytest.mark.parametrize("code", [TILE_OFFSETS, TILE_COUNTS, SOFTWARE])
def test_a_count_beyond_the_file_allocates_nothing(path, code):
    path.write_bytes(classic((code, 4, 2**31, 8)))
    tracemalloc.start()
    with opened(path) as file, pytest.raises(ValueError, match=r"not there|too long|too many"):
        file.first.table(code) if code != SOFTWARE else file.first.value(code)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("entry", [(IMAGE_WIDTH, 77, 1, 5), (IMAGE_WIDTH, 2, 1, 65), (IMAGE_WIDTH, 3, 2, 5)])
def test_a_size_that_is_no_number_is_damage(path, entry):
    path.write_bytes(classic(entry))
    with pytest.raises(DamagedInputError, match="directory cannot be read"):
        read_header(str(path))


def test_a_text_that_is_damaged_does_not_keep_the_pixels_from_being_read(path):
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), metadata=None, description="x" * 40)
    with tifffile.TiffFile(path) as file:
        place = file.pages.first.tags["ImageDescription"].offset
    data = bytearray(path.read_bytes())
    data[place + 8 : place + 12] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)
    header = read_header(str(path))
    assert (header.spec.rows, header.metadata.description) == (8, None)


def test_a_resolution_without_a_unit_does_not_become_inches(path):
    tifffile.imwrite(
        path, np.zeros((8, 8), np.uint8), resolution=(3, 2), resolutionunit="none", metadata=None
    )
    assert read_header(str(path)).metadata.resolution == (3.0, 2.0, "none")
