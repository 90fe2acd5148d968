"""Cloud-Optimized GeoTIFFs, judged by GDAL, libvips, tifffile and the rules of GDAL's validator."""

import itertools
import re
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
import tifffile
from formats_support import picture, read, write
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.windows import Window

from mpi_stage.errors import OutputExistsError, ParameterError
from mpi_stage.formats.cog.layout import GHOST, choose_cog
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import SinkOptions, SourceOptions
from mpi_stage.formats.registry import list_pages, read_header
from mpi_stage.formats.sink_plans import plan_sink
from mpi_stage.image import ImageSpec

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
LOSSLESS = ("none", "deflate", "lzw", "zstd:1", "lerc", "lerc-deflate", "lerc-zstd")
UTM_KEYS = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32_632)


def levels_of(pixels, tile):
    """Average 2 × 2 pixels until a tile holds the picture, in wide integers or in float32."""
    found = [pixels]
    while max(found[-1].shape[0] / tile[0], found[-1].shape[1] / tile[1]) > 1:
        whole = np.pad(found[-1], [(0, n % 2) for n in found[-1].shape[:2]] + [(0, 0)], "edge")
        if pixels.dtype.kind == "f":
            down = whole[::2] + whole[1::2]
            found.append((down[:, ::2] + down[:, 1::2]) * np.float32(0.25))
        else:
            wide = whole.astype(np.int64)
            sums = wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]
            found.append(((sums + 2) // 4).astype(pixels.dtype))
    return found


def check_structure(path):
    """Hold a file against the rules of GDAL's ``validate_cloud_optimized_geotiff``."""
    data = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        pages = list(file.pages)
        header_bytes = 16 if file.is_bigtiff else 8
    assert data[header_bytes : header_bytes + len(GHOST)] == GHOST
    (size,) = re.findall(rb"GDAL_STRUCTURAL_METADATA_SIZE=(\d{6}) bytes\n", GHOST)
    assert len(GHOST) == len("GDAL_STRUCTURAL_METADATA_SIZE=000000 bytes\n") + int(size)
    places = [page.offset for page in pages]
    assert places[0] == header_bytes + len(GHOST) + -(header_bytes + len(GHOST)) % 8
    assert places == sorted(places)
    for page in pages[1:]:
        assert page.subfiletype == 1
    for above, below in itertools.pairwise(pages):
        assert (below.imagelength, below.imagewidth) == (
            -(-above.imagelength // 2),
            -(-above.imagewidth // 2),
        )
    assert len(pages[-1].dataoffsets) == 1
    end = max(tag.valueoffset + tag.valuebytecount for page in pages for tag in page.tags)
    for page in reversed(pages):
        assert page.is_tiled
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            assert offset - 4 >= end
            assert struct.unpack_from("<I", data, offset - 4) == (count,)
            assert data[offset + count : offset + count + 4] == data[offset + count - 4 : offset + count]
            end = offset + count + 4
    assert end == len(data)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.integers(1, 150),
    columns=st.integers(1, 150),
    kind=st.sampled_from([(1, "uint8"), (3, "uint8"), (4, "uint16"), (1, "float32"), (5, "float32")]),
    compression=st.sampled_from(LOSSLESS),
    tile=st.sampled_from([(16, 16), (32, 16), (48, 32)]),
    writers=st.sampled_from([2, 3, 5]),
    block_rows=st.integers(1, 100),
    threads=st.sampled_from([1, 2]),
)
def test_any_number_of_writers_gives_the_same_bytes_and_exact_levels(  # noqa: PLR0917  (parameters)
    rows, columns, kind, compression, tile, writers, block_rows, threads
):
    pixels = picture(rows, columns, *kind)
    options = SinkOptions(compression=compression, tile=tile)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "many.cog.tif")
        alone = write(Path(folder, "alone.cog.tif"), pixels, options=options, block_rows=rows)
        options = SinkOptions(compression=compression, tile=tile, threads=threads)
        together = write(path, pixels, options=options, writers=writers, block_rows=block_rows)
        assert together == alone
        check_structure(path)
        expected = levels_of(pixels, tile)
        assert list_pages(str(path), 9) == ([[(one.shape[1], one.shape[0]) for one in expected]], 1)
        for level, one in enumerate(expected):
            assert np.array_equal(read(path, 40, SourceOptions(level=level)), one)


KINDS = [("uint8", 3), ("uint8", 1), ("uint16", 4), ("float32", 2)]


@pytest.mark.parametrize(
    ("dtype", "channels", "compression"),
    [*((*kind, one) for kind in KINDS for one in LOSSLESS), ("uint8", 3, "jpeg"), ("uint8", 1, "jpeg")],
)
def test_gdal_opens_it_with_its_overviews_and_windows(tmp_path, dtype, channels, compression):
    pixels = picture(300, 421, channels, dtype)
    path = tmp_path / "out.tif"
    options = SinkOptions(format="cog", compression=compression, tile=(64, 64))
    write(path, pixels, options=options, writers=3, block_rows=37)
    levels = levels_of(pixels, (64, 64))
    if compression == "jpeg":
        levels = [read(path, 64, SourceOptions(level=level)) for level in range(len(levels))]
    # GDAL brings the coarser colours of JPEG to full resolution in its own way.
    near = 16 if compression == "jpeg" else 0
    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1) == [2, 4, 8]
        assert file.block_shapes == [(64, 64)] * channels
        found = np.moveaxis(file.read(window=Window(100, 50, 200, 211)), 0, 2)
        assert np.abs(found.astype(float) - levels[0][50:261, 100:300]).mean() <= near
    for level, expected in enumerate(levels[1:]):
        with rasterio.open(path, overview_level=level) as file:
            assert np.abs(np.moveaxis(file.read(), 0, 2).astype(float) - expected).mean() <= near


@pytest.mark.parametrize("compression", ["none", "deflate", "lzw", "jpeg"])
def test_libvips_and_tifffile_read_all_levels(tmp_path, compression):
    vips = pytest.importorskip("pyvips", reason="pyvips is not installed")
    path = tmp_path / "out.cog.tif"
    pixels = picture(300, 421, 3, "uint8")
    write(path, pixels, options=SinkOptions(compression=compression, tile=(128, 128)), writers=2)
    for level in range(3):
        ours = read(path, 64, SourceOptions(level=level))
        found = vips.Image.new_from_file(str(path), page=level, fail_on="warning").numpy()
        # libtiff rounds the colour conversion of JPEG in its own way.
        assert np.abs(found.astype(int) - ours).max() <= (6 if compression == "jpeg" else 0)
        assert np.array_equal(tifffile.imread(path, key=level), ours)


def test_georeference_nodata_and_text_are_kept(tmp_path):
    pixels = picture(200, 150, 1, "uint16")
    with rasterio.open(
        tmp_path / "in.tif", "w", driver="GTiff", width=150, height=200, count=1, dtype="uint16", nodata=7,
        crs="EPSG:32632", transform=rasterio.Affine(10, 0, 500_000, 0, -10, 5_000_000),
    ) as file:  # fmt: skip
        file.write(pixels[..., 0], 1)
    header = read_header(str(tmp_path / "in.tif"))
    options = SinkOptions(tile=(64, 64))
    write(tmp_path / "out.cog.tif", pixels, options=options, metadata=header.metadata, like=header)
    with rasterio.open(tmp_path / "out.cog.tif") as file:
        assert (file.crs.to_epsg(), file.nodata) == (32_632, 7)
        assert (file.transform.a, file.transform.c, file.transform.f) == (10, 500_000, 5_000_000)
    with rasterio.open(tmp_path / "out.cog.tif", overview_level=0) as file:
        assert (file.nodata, file.transform.a) == (7, 20)
    check_structure(tmp_path / "out.cog.tif")


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint8", "0"), ("uint8", "255"), ("float32", "nan"), ("float32", "-9999")]
)
def test_pixels_without_data_do_not_count_in_the_levels(tmp_path, dtype, nodata):
    value = np.dtype(dtype).type(float(nodata))
    pixels = np.full((64, 64, 1), 10, dtype)
    pixels[:2, :2] = value
    pixels[2:4, 2] = value
    pixels[3, 3] = 13
    files = {
        write(
            tmp_path / f"{writers}.cog.tif",
            pixels,
            writers=writers,
            metadata=Metadata(nodata=nodata),
            options=SinkOptions(tile=(32, 32)),
        )
        for writers in (1, 2)
    }
    assert len(files) == 1
    found = read(tmp_path / "1.cog.tif", 64, SourceOptions(level=1))[..., 0]
    expected = np.full((32, 32), 10, dtype)
    expected[0, 0] = value
    expected[1, 1] = 11.5 if dtype == "float32" else 12
    assert np.array_equal(found, expected, equal_nan=dtype == "float32")


def test_labels_are_picked_not_averaged(tmp_path):
    pixels = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64, 1)
    write(tmp_path / "out.cog.tif", pixels, options=SinkOptions(tile=(32, 32)), writers=2)
    assert np.array_equal(tifffile.imread(tmp_path / "out.cog.tif", key=1), pixels[::2, ::2, 0])


def test_tiles_are_512_pixels_and_deflated_where_nothing_else_is_said():
    layout = choose_cog(ImageSpec(5_000, 3_000, 3, "uint8"), None, SinkOptions())
    assert [one.segment_columns for one in layout.levels] == [512] * 5
    assert [(one.spec.rows, one.spec.columns) for one in layout.levels][-1] == (313, 188)
    assert (layout.levels[0].compression, layout.row_unit) == ("deflate", 512)


@pytest.mark.parametrize(("side", "unit"), [(512, 512), (100_000, 512), (1_000_000, 2048)])
def test_slabs_end_where_pixels_of_the_smallest_level_do(side, unit):
    layout = choose_cog(ImageSpec(side, side, 1, "uint8"), None, SinkOptions())
    assert layout.row_unit == unit
    assert layout.row_unit % 2 ** (len(layout.levels) - 1) == 0


def test_large_ones_are_big_and_small_ones_are_not():
    for side, big in ((30_000, False), (40_000, True)):
        assert choose_cog(ImageSpec(side, side, 3, "uint8"), None, SinkOptions()).big is big


def test_format_that_is_not_written_is_refused():
    with pytest.raises(ParameterError, match="written as cog, tiff"):
        plan_sink("a.tif", ImageSpec(9, 9, 1, "uint8"), None, SinkOptions(format="gif"))


def test_existing_file_is_not_written_over(tmp_path):
    pixels = picture(10, 10, 1, "uint8")
    write(tmp_path / "a.cog.tif", pixels)
    with pytest.raises(OutputExistsError, match="is there already"):
        write(tmp_path / "a.cog.tif", pixels)
