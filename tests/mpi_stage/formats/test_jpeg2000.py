"""JPEG 2000 files by imagecodecs, Pillow and GDAL, read whole and held against their own readers."""

import struct

import imagecodecs
import numpy as np
import pytest
import rasterio
from formats_support import picture, read
from PIL import Image, ImageCms

from mpi_stage.errors import DamagedInputError, StageError, UnsupportedFormatError
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import read_header
from mpi_stage.formats.sink_plans import plan_sink
from mpi_stage.image import ImageSpec

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(pixels, **options):
    values = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    return imagecodecs.jpeg2k_encode(values, **{"level": 0, **options})


@pytest.mark.parametrize("codecformat", ["JP2", "J2K"])
@pytest.mark.parametrize(
    ("channels", "dtype"),
    [(1, "uint8"), (3, "uint8"), (4, "uint8"), (2, "uint8"), (1, "uint16"), (7, "uint16")],
)
def test_picture_is_read_as_it_was(tmp_path, channels, dtype, codecformat):
    pixels = picture(61, 83, channels, dtype)
    path = tmp_path / "in.jp2"
    path.write_bytes(encoded(pixels, codecformat=codecformat))
    header = read_header(str(path))
    assert (header.layout.format, header.divisible) == ("jpeg2000", False)
    assert header.spec == ImageSpec(61, 83, channels, dtype)
    assert np.array_equal(read(path, 10), pixels)


def test_values_of_12_bits_stay_as_they_are(tmp_path):
    pixels = picture(61, 83, 1, "uint16") >> 4
    (tmp_path / "in.jp2").write_bytes(encoded(pixels, bitspersample=12))
    assert np.array_equal(read(tmp_path / "in.jp2"), pixels)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_pictures_made_by_pillow_are_read_right(tmp_path, mode):
    image = Image.fromarray(picture(41, 53, 4, "uint8")).convert(mode)
    image.save(tmp_path / "in.jp2", irreversible=False)
    wanted = image.convert("RGBA") if mode == "LA" else image
    assert np.array_equal(read(tmp_path / "in.jp2"), np.asarray(wanted).reshape(41, 53, -1))


def test_tiles_and_lossy_coding_are_read_as_gdal_reads_them(tmp_path):
    pixels = picture(300, 260, 3, "uint8")
    path = tmp_path / "in.jp2"
    size = {"width": 260, "height": 300, "count": 3, "dtype": "uint8"}
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)}
    tiles = {"QUALITY": 30, "BLOCKXSIZE": 128, "BLOCKYSIZE": 64}
    with rasterio.open(path, "w", driver="JP2OpenJPEG", **size, **place, **tiles) as file:
        file.write(np.moveaxis(pixels, -1, 0))
    with rasterio.open(path) as file:
        assert np.array_equal(read(path), np.moveaxis(file.read(), 0, -1))
    metadata = read_header(str(path)).metadata
    assert metadata.geo is not None
    assert metadata.geo.scale[:2] == (10, 10)
    assert metadata.geo.points[3:5] == (500_000, 5_000_000)
    assert "XML" in metadata.other


def boxed(data, *extra):
    """Return a JP2 with further boxes in its header box."""
    start = data.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", data, start)
    more = b"".join(struct.pack(">I4s", len(content) + 8, kind) + content for kind, content in extra)
    return (
        data[:start]
        + struct.pack(">I", length + len(more))
        + data[start + 4 : start + length]
        + more
        + data[start + length :]
    )


def test_profile_and_resolution_come_from_the_header_box(tmp_path):
    resolution = struct.pack(">I4sHHHHbb", 18, b"resc", 3, 1, 6, 1, 3, 3)
    data = boxed(
        encoded(picture(20, 30, 3, "uint8")), (b"colr", b"\x02\0\0" + PROFILE), (b"res ", resolution)
    )
    (tmp_path / "in.jp2").write_bytes(data)
    metadata = read_header(str(tmp_path / "in.jp2")).metadata
    assert metadata.icc_profile == PROFILE
    assert metadata.resolution == pytest.approx((60, 30, "centimeter"))
    assert read(tmp_path / "in.jp2").shape == (20, 30, 3)


def siz(data, place, value):
    """Return the file with a byte of its main header changed, counted from the components' descriptions."""
    changed = bytearray(data)
    changed[data.index(b"\xff\x4f\xff\x51") + 42 + place] = value
    return bytes(changed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: siz(data, 0, 0x87), "signed"),
        (lambda data: siz(data, 0, 3), "4, 8 bits"),
        (lambda data: siz(data, 4, 2), "different sizes"),
        (lambda data: boxed(data, (b"pclr", bytes(9))), "palette"),
        (lambda data: boxed(data.replace(b"colr", b"none"), (b"colr", b"\x01\0\0\0\0\0\x12")), "sYCC"),
        (lambda data: boxed(data, (b"cdef", struct.pack(">HHHHHHH", 2, 0, 0, 3, 2, 0, 1))), "order"),
    ],
)
def test_kind_that_is_not_read_is_refused_with_the_remedy(tmp_path, change, words):
    path = tmp_path / "in.jp2"
    path.write_bytes(change(encoded(picture(20, 30, 3, "uint8"))))
    with pytest.raises(UnsupportedFormatError, match=words):
        read_header(str(path))


@pytest.mark.parametrize("codecformat", ["JP2", "J2K"])
@pytest.mark.parametrize("part", [0.001, 0.01, 0.3, 0.98])
def test_file_cut_short_is_damaged(tmp_path, part, codecformat):
    data = encoded(picture(100, 150, 3, "uint8"), codecformat=codecformat)
    (tmp_path / "in.jp2").write_bytes(data[: max(13, int(len(data) * part))])
    with pytest.raises(DamagedInputError, match=r"in\.jp2"):
        read(tmp_path / "in.jp2")


def test_any_byte_of_the_header_may_be_wrong(tmp_path):
    data = encoded(picture(20, 30, 3, "uint8"))
    random = np.random.default_rng(0)
    outcomes = set()
    for _ in range(500):
        broken = bytearray(data)
        for place in random.integers(12, 200, 3):
            broken[place] = random.integers(0, 256)
        (tmp_path / "in.jp2").write_bytes(broken)
        try:
            outcomes.add(read_header(str(tmp_path / "in.jp2")).spec.dtype)
        except StageError as error:
            outcomes.add(type(error).__name__)
    assert {"uint8", "DamagedInputError", "UnsupportedFormatError"} <= outcomes


def test_jpeg_2000_is_not_written():
    with pytest.raises(UnsupportedFormatError, match=r"\.tif"):
        plan_sink("a.jp2", ImageSpec(9, 9, 3, "uint8"), None, SinkOptions())
