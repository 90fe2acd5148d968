"""LERC and WebP in TIFF, against the library that most people write and read them with."""

from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
import rasterio
import tifffile
from formats_support import picture, read, write
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi_stage.errors import DamagedInputError, ParameterError, StageError, UnsupportedFormatError
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import read_header
from mpi_stage.formats.sink_plans import plan_sink
from mpi_stage.formats.tiff.coding import Coding, parse_coding
from mpi_stage.image import ImageSpec

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
LERC = ("lerc", "lerc-deflate", "lerc-zstd")
KINDS = [(t, c) for t in ("uint8", "uint16", "float32") for c in (1, 3, 4, 5)]


def gdal_write(path, pixels, **options):
    rows, columns, channels = pixels.shape
    profile = {"width": columns, "height": rows, "count": channels, "dtype": pixels.dtype.name}
    profile |= {"tiled": True, "blockxsize": 64, "blockysize": 32, "interleave": "pixel", **options}
    with rasterio.open(path, "w", driver="GTiff", **profile) as file:
        file.write(np.moveaxis(pixels, 2, 0))


def gdal_read(path):
    with rasterio.open(path) as file:
        return np.moveaxis(file.read(), 0, 2)


def with_holes(pixels):
    """Set pixels to NaN: some in all channels and, with several, some in one."""
    pixels = pixels.copy()
    if pixels.dtype.kind == "f":
        pixels[3:20, 5:30] = np.nan
        pixels[40, 40, -1] = np.nan
    return pixels


@pytest.mark.parametrize("compression", LERC)
@pytest.mark.parametrize(("dtype", "channels"), KINDS)
def test_lerc_that_gdal_wrote_is_read_and_gdal_reads_what_is_written(tmp_path, dtype, channels, compression):
    pixels = with_holes(picture(70, 101, channels, dtype))
    gdal_write(tmp_path / "in.tif", pixels, compress=compression.upper().replace("-", "_"))
    assert np.array_equal(read(tmp_path / "in.tif", 17), pixels, equal_nan=dtype == "float32")
    assert read_header(str(tmp_path / "in.tif")).layout.compression == compression
    write(
        tmp_path / "out.tif", pixels, options=SinkOptions(compression=compression, tile=(32, 48)), writers=2
    )
    assert np.array_equal(gdal_read(tmp_path / "out.tif"), pixels, equal_nan=dtype == "float32")
    assert np.array_equal(read(tmp_path / "out.tif", 9), pixels, equal_nan=dtype == "float32")


def test_greatest_error_of_lerc_is_kept_and_makes_the_file_smaller(tmp_path):
    pixels = picture(128, 128, 1, "float32")
    exact = write(tmp_path / "0.tif", pixels, options=SinkOptions(compression="lerc"))
    rough = write(tmp_path / "1.tif", pixels, options=SinkOptions(compression="lerc:0.01"))
    assert len(rough) < len(exact) / 2
    assert 0 < np.abs(gdal_read(tmp_path / "1.tif") - pixels).max() <= 0.0101


def test_higher_level_makes_the_file_smaller_and_other_readers_read_it(tmp_path):
    pixels = np.tile(picture(50, 60, 3, "uint8"), (4, 5, 1))
    for name in ("deflate", "zstd"):
        sizes = []
        for level in (1, 9):
            path = tmp_path / f"{name}{level}.tif"
            sizes.append(len(write(path, pixels, options=SinkOptions(compression=f"{name}:{level}"))))
            assert np.array_equal(tifffile.imread(path), pixels)
        assert sizes[1] < sizes[0]


def test_names_and_numbers_of_compressions_are_understood():
    assert parse_coding("deflate") == Coding("deflate", 6)
    assert parse_coding("zstd:22") == Coding("zstd", 22)
    assert parse_coding("lerc-zstd:0.25") == Coding("lerc-zstd", 0.25)


@pytest.mark.parametrize(
    "asked",
    ["rar", "deflate:0", "deflate:13", "zstd:1.5", "zstd:x", "lerc:-1", "lerc:inf", "lerc:nan", "none:3",
     "jpeg:80", "lzw:", "deflate:inf", "deflate:nan", "zstd:"],
)  # fmt: skip
def test_compression_that_is_not_written_is_refused(asked):
    with pytest.raises(ParameterError, match="asked for"):
        plan_sink("a.tif", ImageSpec(9, 9, 1, "uint8"), None, SinkOptions(compression=asked))


@pytest.mark.parametrize("channels", [3, 4])
def test_webp_that_gdal_wrote_is_read(tmp_path, channels):
    pixels = picture(70, 101, channels, "uint8")
    gdal_write(tmp_path / "in.tif", pixels, compress="webp", webp_lossless=True)
    assert np.array_equal(read(tmp_path / "in.tif", 17), pixels)
    assert plan_sink("o.tif", ImageSpec(70, 101, channels, "uint8"), read_header(str(tmp_path / "in.tif")),
                     SinkOptions()).row_unit > 1  # fmt: skip


def tifffile_write(path, pixels, compression):
    values = pixels if pixels.shape[2] > 1 else pixels[..., 0]
    photometric = "rgb" if pixels.shape[2] == 3 else "minisblack"
    options = {"compression": compression, "tile": (32, 64), "photometric": photometric, "metadata": None}
    tifffile.imwrite(path, values, **options, planarconfig="contig" if pixels.shape[2] > 1 else None)


@pytest.mark.parametrize("compression", ["jpeg2000", "aperio_jp2000_rgb"])
@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 3), ("uint16", 1), ("uint8", 5)])
def test_jpeg_2000_tiles_are_read_as_tifffile_reads_them(tmp_path, dtype, channels, compression):
    pixels = picture(70, 101, channels, dtype)
    tifffile_write(tmp_path / "in.tif", pixels, compression)
    assert np.array_equal(
        read(tmp_path / "in.tif", 17), tifffile.imread(tmp_path / "in.tif").reshape(pixels.shape)
    )
    assert plan_sink("o.tif", ImageSpec(70, 101, channels, dtype), read_header(str(tmp_path / "in.tif")),
                     SinkOptions()).row_unit > 1  # fmt: skip


def test_jpeg_2000_tile_of_another_size_is_damage_before_it_is_decoded(tmp_path):
    tifffile_write(tmp_path / "in.tif", picture(64, 64, 3, "uint8"), "jpeg2000")
    data = bytearray((tmp_path / "in.tif").read_bytes())
    place = data.index(b"\xff\x4f\xff\x51")
    data[place + 8 : place + 16] = (2**30).to_bytes(4, "big") * 2
    (tmp_path / "in.tif").write_bytes(data)
    with pytest.raises(
        DamagedInputError, match=r"tile 0 .* does not decode as jpeg2000: it holds 1073741824"
    ):
        read(tmp_path / "in.tif")


@pytest.mark.parametrize("compression", [*LERC, "webp"])
def test_tile_of_another_size_is_damage_before_it_is_decoded(tmp_path, compression):
    pixels = picture(64, 64, 3, "uint8")
    gdal_write(tmp_path / "in.tif", pixels, compress=compression.upper().replace("-", "_"))
    encoders = {
        "lerc": lambda tile: imagecodecs.lerc_encode(tile, version=4),
        "lerc-deflate": lambda tile: imagecodecs.lerc_encode(tile, version=4, compression="deflate"),
        "lerc-zstd": lambda tile: imagecodecs.lerc_encode(tile, version=4, compression="zstd"),
        "webp": lambda tile: imagecodecs.webp_encode(tile, lossless=True),
    }
    wrong = encoders[compression](np.zeros((2048, 2048, 3), np.uint8))
    data = bytearray((tmp_path / "in.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "in.tif") as file:
        place, count = file.pages.first.dataoffsets[0], file.pages.first.databytecounts[0]
    data[place : place + min(count, len(wrong))] = wrong[:count]
    (tmp_path / "in.tif").write_bytes(data)
    with pytest.raises(DamagedInputError, match="tile 0 .* does not decode as " + compression):
        read(tmp_path / "in.tif")


def test_lerc_of_unknown_inner_compression_is_damage(tmp_path):
    gdal_write(tmp_path / "in.tif", picture(32, 64, 1, "uint8"), compress="LERC")
    with tifffile.TiffFile(tmp_path / "in.tif", mode="r+") as file:
        file.pages.first.tags[50_674].overwrite([4, 9])
    with pytest.raises(DamagedInputError, match="LercParameters are"):
        read_header(str(tmp_path / "in.tif"))


def test_webp_of_other_types_is_refused(tmp_path):
    gdal_write(tmp_path / "in.tif", picture(32, 64, 3, "uint8"), compress="WEBP")
    with tifffile.TiffFile(tmp_path / "in.tif", mode="r+") as file:
        file.pages.first.tags["BitsPerSample"].overwrite([16, 16, 16])
    with pytest.raises(UnsupportedFormatError, match="3 or 4 of uint8"):
        read_header(str(tmp_path / "in.tif"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_flipped_bytes_in_a_tile_never_raise_anything_but_our_errors(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flip") / "in.tif"
    compression = data.draw(st.sampled_from([*LERC, "webp", "jpeg2000"]))
    pixels = picture(32, 64, 3, "uint8")
    if compression == "jpeg2000":
        tifffile_write(path, pixels, compression)
    else:
        gdal_write(path, pixels, compress=compression.upper().replace("-", "_"))
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        place, count = file.pages.first.dataoffsets[0], file.pages.first.databytecounts[0]
    for _ in range(data.draw(st.integers(1, 6))):
        content[place + data.draw(st.integers(0, min(count - 1, 120)))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(StageError):
        read(path)
