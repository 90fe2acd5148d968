import itertools
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from formats_support import picture, read, write
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import open_source, read_header
from mpi_stage.process.timing import PhaseClock

TYPES = ("uint8", "uint16", "float32")
LOSSLESS = ("none", "deflate", "lzw", "zstd")
LERC = ("lerc", "lerc-deflate", "lerc-zstd")
TILES = (None, (32, 48))
PILLOW_KINDS = ((1, "uint8"), (3, "uint8"), (4, "uint8"), (1, "uint16"), (1, "float32"))
PILLOW_COMPRESSIONS = (None, "tiff_deflate", "tiff_lzw", "tiff_adobe_deflate", "packbits")


@pytest.fixture(scope="module")
def vips():
    return pytest.importorskip("pyvips", reason="pyvips is not installed")


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 90),
    columns=st.integers(1, 130),
    channels=st.sampled_from((1, 2, 3, 4, 5, 13)),
    dtype=st.sampled_from((*TYPES, "uint32")),
    compression=st.sampled_from((*LOSSLESS, "deflate:1", "zstd:9", *LERC)),
    tile=st.sampled_from((None, (16, 16), (32, 48))),
    writers=st.sampled_from((1, 2, 3, 5)),
    block_rows=st.integers(1, 100),
)
def test_any_number_of_writers_and_any_block_height_give_the_same_bytes_and_the_pixels_back(  # noqa: PLR0917  (parameters)
    rows, columns, channels, dtype, compression, tile, writers, block_rows
):
    pixels = picture(rows, columns, channels, dtype)
    options = SinkOptions(compression=compression, tile=tile)
    with tempfile.TemporaryDirectory() as folder:
        alone = write(Path(folder, "alone.tif"), pixels, options=options, block_rows=rows)
        together = write(
            Path(folder, "many.tif"), pixels, options=options, writers=writers, block_rows=block_rows
        )
        assert together == alone
        found = tifffile.imread(Path(folder, "many.tif"))
        assert np.array_equal(found.reshape(pixels.shape), pixels)
        if dtype in TYPES:
            assert np.array_equal(read(Path(folder, "many.tif"), block_rows), pixels)


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_compressed_tiff_is_the_same_for_any_writers_and_close_to_the_picture(tmp_path, channels, tile):
    pixels = picture(150, 203, channels, "uint8")
    options = SinkOptions(compression="jpeg", tile=tile, quality=95)
    files = {
        write(tmp_path / f"{n}-{rows}.tif", pixels, options=options, writers=n, block_rows=rows)
        for n, rows in ((1, 150), (2, 10), (3, 1), (5, 64))
    }
    assert len(files) == 1
    ours = read(tmp_path / "1-150.tif", 17)
    theirs = tifffile.imread(tmp_path / "1-150.tif").reshape(pixels.shape)
    assert np.array_equal(ours, theirs)
    assert np.abs(ours.astype(int) - pixels).mean() < 6


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize(
    ("dtype", "channels", "compression"),
    [
        *itertools.product(TYPES, (1, 3, 4, 7), ("none", "deflate", "lzw")),
        ("uint8", 1, "jpeg"),
        ("uint8", 3, "jpeg"),
    ],
)
def test_libvips_reads_what_is_written(tmp_path, vips, dtype, channels, compression, tile):  # noqa: PLR0917  (parameters)
    pixels = picture(70, 101, channels, dtype)
    path = tmp_path / "out.tif"
    write(path, pixels, options=SinkOptions(compression=compression, tile=tile), writers=2)
    found = vips.Image.new_from_file(str(path), fail_on="warning").numpy().reshape(pixels.shape)
    expected = read(path) if compression == "jpeg" else pixels
    # libtiff rounds the colour conversion of JPEG in its own way.
    assert np.abs(found.astype(float) - expected).max() <= (6 if compression == "jpeg" else 0)


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize(
    ("channels", "dtype", "compression"),
    [
        *((*kind, compression) for kind in PILLOW_KINDS for compression in LOSSLESS),
        (1, "uint8", "jpeg"),
        (3, "uint8", "jpeg"),
    ],
)
def test_pillow_reads_what_is_written(tmp_path, channels, dtype, compression, tile):
    pixels = picture(70, 101, channels, dtype)
    path = tmp_path / "out.tif"
    write(path, pixels, options=SinkOptions(compression=compression, tile=tile), writers=2)
    with Image.open(path) as image:
        found = np.asarray(image).reshape(pixels.shape)
    expected = read(path) if compression == "jpeg" else pixels
    assert np.abs(found.astype(float) - expected).max() <= (6 if compression == "jpeg" else 0)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 70),
    columns=st.integers(1, 90),
    channels=st.sampled_from((1, 2, 3, 4, 6)),
    dtype=st.sampled_from(TYPES),
    compression=st.sampled_from((None, "zlib", "lzw", "zstd", "packbits")),
    predictor=st.booleans(),
    byteorder=st.sampled_from("<>"),
    bigtiff=st.booleans(),
    planar=st.booleans(),
    tiled=st.booleans(),
    strip_rows=st.integers(1, 80),
    block_rows=st.integers(1, 80),
)
def test_tiff_made_by_tifffile_is_read_right(  # noqa: PLR0917  (parameters)
    rows, columns, channels, dtype, compression, predictor, byteorder, bigtiff, planar, tiled, strip_rows,
    block_rows,
):  # fmt: skip
    pixels = picture(rows, columns, channels, dtype)
    planar = planar and channels > 1
    can_predict = predictor and compression in {"zlib", "lzw", "zstd"}
    shape = {"tile": (16, 32)} if tiled else {"rowsperstrip": min(rows, strip_rows)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.tif")
        stored = np.moveaxis(pixels, 2, 0) if planar else pixels
        tifffile.imwrite(
            path,
            np.ascontiguousarray(stored) if channels > 1 else pixels[..., 0],
            photometric="rgb" if channels in {3, 4} else "minisblack",
            planarconfig=("separate" if planar else "contig") if channels > 1 else None,
            extrasamples=["unassalpha"] if channels == 4 else None,
            compression=compression,
            predictor=can_predict,
            byteorder=byteorder,
            bigtiff=bigtiff,
            metadata=None,
            **shape,
        )
        header = read_header(str(path))
        assert (header.spec.rows, header.spec.columns, header.spec.channels) == pixels.shape
        assert header.layout.bigtiff == bigtiff
        assert header.layout.tile == ((16, 32) if tiled else None)
        assert np.array_equal(read(path, block_rows), pixels)


@pytest.mark.parametrize("compression", ["none", "deflate", "lzw", "jpeg"])
@pytest.mark.parametrize("tile", [False, True])
def test_tiff_made_by_libvips_is_read_right(tmp_path, vips, compression, tile):
    pixels = picture(300, 203, 3, "uint8")
    path = tmp_path / "in.tif"
    vips.Image.new_from_array(pixels).tiffsave(str(path), compression=compression, tile=tile, Q=95)
    found = read(path, 37)
    expected = tifffile.imread(path) if compression == "jpeg" else pixels
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        *itertools.product(("L", "RGB", "1", "P", "LA"), PILLOW_COMPRESSIONS),
        ("L", "jpeg"),
        ("RGB", "jpeg"),
    ],
)
def test_tiff_made_by_pillow_is_read_right(tmp_path, mode, compression):
    image = Image.fromarray(picture(61, 83, 3, "uint8")).convert("RGB").convert(mode)
    path = tmp_path / "in.tif"
    image.save(path, compression=compression)
    expected = np.asarray(image.convert({"1": "L", "P": "RGB"}.get(mode, mode))).reshape(61, 83, -1)
    found = read(path, 9)
    if compression == "jpeg":
        expected = tifffile.imread(path).reshape(expected.shape)
    assert np.array_equal(found, expected)


def test_white_is_zero_is_turned_round(tmp_path):
    pixels = picture(40, 50, 1, "uint16")
    tifffile.imwrite(tmp_path / "in.tif", pixels[..., 0], photometric="miniswhite", metadata=None)
    assert np.array_equal(read(tmp_path / "in.tif"), 65535 - pixels)


def test_last_strip_that_is_filled_up_to_full_height_is_read(tmp_path):
    full = picture(52, 10_000, 1, "uint8")  # two strips of 26 rows
    pixels = full[:44]
    path = tmp_path / "in.tif"
    write(path, full, options=SinkOptions(compression="deflate"))
    data = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        place = file.pages.first.tags["ImageLength"].valueoffset
    path.write_bytes(data[:place] + (44).to_bytes(4, "little") + data[place + 4 :])
    assert np.array_equal(read(path), pixels)


def test_zero_byte_count_means_a_black_segment(tmp_path):
    for compression in ("none", "deflate"):
        for tile in TILES:
            pixels = picture(200, 1000, 3, "uint8")
            path = tmp_path / f"{compression}-{tile}.tif"
            write(path, pixels, options=SinkOptions(compression=compression, tile=tile))
            with tifffile.TiffFile(path, mode="r+") as file:
                tags = file.pages.first.tags
                for name in (
                    ("StripOffsets", "StripByteCounts") if tile is None else ("TileOffsets", "TileByteCounts")
                ):
                    tags[name].overwrite([0, *tags[name].value[1:]])
            expected = pixels.copy()
            height = 262144 // 3000 if tile is None else 32
            expected[:height, : 1000 if tile is None else 48] = 0
            assert np.array_equal(read(path, 7), expected)


def test_reversed_bit_order_is_read(tmp_path):
    pixels = picture(20, 30, 1, "uint8")
    path = tmp_path / "in.tif"
    tifffile.imwrite(
        path, pixels[..., 0], metadata=None, compression="zlib", extratags=[(65000, 3, 1, 2, True)]
    )
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        place, count = page.dataoffsets[0], page.databytecounts[0]
        entry = page.tags[65000].offset
    data = path.read_bytes()
    data = data[:entry] + (266).to_bytes(2, "little") + data[entry + 2 :]
    turned = imagecodecs.bitorder_decode(data[place : place + count])
    path.write_bytes(data[:place] + turned + data[place + count :])
    assert np.array_equal(read(path), pixels)


def test_rows_may_be_read_in_any_order_and_more_than_once(tmp_path):
    pixels = picture(100, 64, 3, "uint8")
    write(tmp_path / "in.tif", pixels, options=SinkOptions(compression="deflate", tile=(16, 16)))
    source = open_source(str(tmp_path / "in.tif"), PhaseClock())
    for first, rows in ((90, 10), (0, 5), (3, 30), (16, 16), (20, 1), (0, 100)):
        out = source.header.spec.empty(rows)
        source.read_rows(first, out)
        assert np.array_equal(out, pixels[first : first + rows])
    source.close()
    source.close()
