import tracemalloc

import numpy as np
import pytest
import tifffile
from formats_support import picture, read, write
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi_stage.errors import DamagedInputError, MissingInputError, StageError, UnsupportedFormatError
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import open_source, read_header
from mpi_stage.process.timing import PhaseClock

LAYOUTS = [(c, t) for c in ("none", "deflate", "lzw", "zstd", "jpeg") for t in (None, (64, 64))]


@pytest.mark.parametrize(("compression", "tile"), LAYOUTS)
def test_file_cut_short_is_refused_by_its_header_naming_segment_and_bytes(tmp_path, compression, tile):
    path = tmp_path / "in.tif"
    data = write(path, picture(200, 700, 3, "uint8"), options=SinkOptions(compression=compression, tile=tile))
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(
        DamagedInputError, match=r"in\.tif is cut short: (strip|tile) \d+ should have \d+ bytes"
    ):
        read_header(str(path))


@pytest.mark.parametrize(("compression", "tile"), LAYOUTS)
def test_file_cut_short_after_it_was_opened_is_noticed_while_reading(tmp_path, compression, tile):
    path = tmp_path / "in.tif"
    data = write(path, picture(200, 700, 3, "uint8"), options=SinkOptions(compression=compression, tile=tile))
    source = open_source(str(path), PhaseClock())
    with path.open("r+b") as file:
        file.truncate(len(data) * 2 // 3)
    with pytest.raises(
        DamagedInputError, match=r"in\.tif is cut short in (strip|tile) \d+: \d+ bytes expected"
    ):
        source.read_rows(0, source.header.spec.empty(200))
    source.close()


@pytest.mark.parametrize("compression", ["deflate", "lzw", "zstd", "jpeg"])
def test_segment_that_ends_early_is_damaged(tmp_path, compression):
    path = tmp_path / "in.tif"
    write(path, picture(200, 300, 3, "uint8"), options=SinkOptions(compression=compression, tile=(64, 64)))
    with tifffile.TiffFile(path, mode="r+") as file:
        tag = file.pages.first.tags["TileByteCounts"]
        tag.overwrite([*tag.value[:5], tag.value[5] // 2, *tag.value[6:]])
    with pytest.raises(DamagedInputError, match="tile 5"):
        read(path)


def test_uncompressed_segment_with_too_small_a_count_is_damaged(tmp_path):
    path = tmp_path / "in.tif"
    write(path, picture(200, 300, 3, "uint8"), options=SinkOptions(tile=(64, 64)))
    with tifffile.TiffFile(path, mode="r+") as file:
        tag = file.pages.first.tags["TileByteCounts"]
        tag.overwrite([*tag.value[:5], 100, *tag.value[6:]])
    with pytest.raises(DamagedInputError, match="tile 5 should have 12288 bytes, not 100"):
        read_header(str(path))


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_flipped_bytes_never_raise_anything_but_our_errors(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flip") / "in.tif"
    compression, tile = data.draw(st.sampled_from(LAYOUTS))
    content = bytearray(
        write(path, picture(40, 70, 3, "uint8"), options=SinkOptions(compression=compression, tile=tile))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(400, len(content) - 1)))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        header = read_header(str(path))
        if header.spec.total_bytes + header.decode_bytes < 1 << 24:
            read(path)
    except StageError:
        pass


@pytest.mark.parametrize(
    "start", [b"II*\x00", b"MM\x00*", b"II+\x00", b"II*\x00\x08\x00\x00\x00", b"II*\x00" + b"\xff" * 60]
)
def test_tiff_that_is_only_a_beginning_is_damaged(tmp_path, start):
    path = tmp_path / "in.tif"
    path.write_bytes(start)
    with pytest.raises(DamagedInputError, match=r"in\.tif"):
        read_header(str(path))


def test_text_called_tif_is_not_an_image(tmp_path):
    path = tmp_path / "in.tif"
    path.write_text("Dear all,\nplease find the scan attached.\n")
    with pytest.raises(UnsupportedFormatError, match=r"in\.tif is no image .* begins with b'Dear all"):
        read_header(str(path))
    with pytest.raises(UnsupportedFormatError):
        open_source(str(path), PhaseClock())


def test_missing_file_folder_and_empty_file_are_told_apart(tmp_path):
    with pytest.raises(MissingInputError, match="does not exist"):
        read_header(str(tmp_path / "none.tif"))
    with pytest.raises(MissingInputError, match="is a folder"):
        read_header(str(tmp_path))
    (tmp_path / "empty.tif").touch()
    with pytest.raises(DamagedInputError, match="is empty"):
        read_header(str(tmp_path / "empty.tif"))


@pytest.mark.parametrize("dtype", ["int16", "uint32", "float64", "complex64"])
def test_types_that_are_not_read_are_refused_by_name(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "in.tif", np.ones((8, 8), dtype))
    with pytest.raises(UnsupportedFormatError, match="uint8, uint16, float32"):
        read_header(str(tmp_path / "in.tif"))


def test_inks_and_lab_colour_are_refused(tmp_path):
    pixels = np.zeros((8, 8, 4), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="separated")
    with pytest.raises(UnsupportedFormatError, match="CMYK"):
        read_header(str(tmp_path / "in.tif"))


@pytest.mark.parametrize("compression", [1, 8])
def test_header_of_a_huge_sparse_file_is_read_without_room_for_its_pixels(tmp_path, compression):
    path = tmp_path / "huge.tif"
    side = 100_000
    strips = 1000
    # One real directory whose strips are all absent: 10,000 million pixels in a few kilobytes.
    tifffile.imwrite(path, np.zeros((strips, 4), np.uint8), rowsperstrip=1, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        tags = file.pages.first.tags
        tags["ImageWidth"].overwrite(side)
        tags["ImageLength"].overwrite(side)
        tags["RowsPerStrip"].overwrite(side // strips)
        tags["StripOffsets"].overwrite([0] * strips)
        tags["StripByteCounts"].overwrite([0] * strips)
        tags["Compression"].overwrite(compression)
    tracemalloc.start()
    header = read_header(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (header.spec.rows, header.spec.columns) == (side, side)
    assert peak < 4 << 20
    source = open_source(str(path), PhaseClock())
    out = source.header.spec.empty(2)
    out[:] = 7
    source.read_rows(99_997, out)
    source.close()
    assert not out.any()
