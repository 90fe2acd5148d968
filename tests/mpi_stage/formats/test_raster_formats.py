import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from formats_support import picture, read, write
from PIL import Image

from mpi_stage.errors import DamagedInputError, UnsupportedFormatError
from mpi_stage.formats.jpeg_markers import is_whole
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import read_header

WRITTEN = [
    ("png", 1, "uint8"),
    ("png", 3, "uint8"),
    ("png", 4, "uint8"),
    ("png", 1, "uint16"),
    ("png", 3, "uint16"),
    ("png", 4, "uint16"),
    ("jpg", 1, "uint8"),
    ("jpeg", 3, "uint8"),
    ("webp", 3, "uint8"),
    ("webp", 4, "uint8"),
    ("avif", 1, "uint8"),
    ("avif", 3, "uint8"),
    ("avif", 4, "uint8"),
    ("bmp", 1, "uint8"),
    ("bmp", 3, "uint8"),
    ("bmp", 4, "uint8"),
]


@pytest.mark.parametrize(("suffix", "channels", "dtype"), WRITTEN)
def test_picture_comes_back_and_the_bytes_do_not_depend_on_blocks(tmp_path, suffix, channels, dtype):
    pixels = picture(61, 83, channels, dtype)
    first = write(tmp_path / f"one.{suffix}", pixels, block_rows=61)
    second = write(tmp_path / f"many.{suffix}", pixels, block_rows=7, writers=3)
    assert first == second
    header = read_header(str(tmp_path / f"one.{suffix}"))
    assert not header.divisible
    assert (header.spec.rows, header.spec.columns, header.spec.channels) == pixels.shape
    found = read(tmp_path / f"one.{suffix}", 10)
    assert found.dtype == pixels.dtype
    if suffix in {"png", "bmp"}:
        assert np.array_equal(found, pixels)
    else:
        assert np.abs(found.astype(int) - pixels).mean() < 8


@pytest.mark.parametrize(("suffix", "channels", "dtype"), WRITTEN)
def test_libvips_reads_what_is_written(tmp_path, suffix, channels, dtype):
    vips = pytest.importorskip("pyvips", reason="pyvips is not installed")
    pixels = picture(61, 83, channels, dtype)
    path = tmp_path / f"out.{suffix}"
    write(path, pixels)
    try:
        image = vips.Image.new_from_file(str(path), fail_on="warning")
    except vips.Error as error:
        if suffix == "bmp" and "not a known file format" in str(error):
            pytest.skip("this libvips reads no BMP")
        raise
    found = image.numpy().reshape(61, 83, -1)[..., :channels]
    apart = np.abs(found.astype(int) - read(path))
    if suffix == "avif":  # it spreads the halved colour resolution in its own way
        assert apart.mean() <= 3
        return
    assert apart.max() <= (0 if suffix in {"png", "bmp"} else 3)


def test_gray_webp_has_three_equal_channels(tmp_path):
    write(tmp_path / "out.webp", picture(30, 40, 1, "uint8"))
    assert read_header(str(tmp_path / "out.webp")).spec.channels == 3


def test_quality_changes_the_size_of_a_lossy_file(tmp_path):
    pixels = picture(100, 100, 3, "uint8")
    for suffix in ("jpg", "webp", "avif"):
        low = write(tmp_path / f"low.{suffix}", pixels, options=SinkOptions(quality=20))
        high = write(tmp_path / f"high.{suffix}", pixels, options=SinkOptions(quality=95))
        assert len(low) < len(high)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "jpg"])
def test_pictures_made_by_pillow_are_read_right(tmp_path, suffix, mode):
    if (suffix == "jpg" and mode not in {"L", "RGB"}) or (suffix == "bmp" and mode == "LA"):
        mode = "L"
    image = Image.fromarray(picture(41, 53, 3, "uint8")).convert(mode)
    path = tmp_path / f"in.{suffix}"
    image.save(path, **({"lossless": True, "exact": True} if suffix == "webp" else {}))
    with Image.open(path) as stored:
        wanted = {"1": "L", "P": "RGB", "LA": "RGBA"}.get(stored.mode, stored.mode)
        expected = np.asarray(stored.convert(wanted)).reshape(41, 53, -1)
    assert np.array_equal(read(path), expected)


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_transparent_colour_of_a_png_becomes_alpha(tmp_path, mode):
    image = Image.fromarray(picture(41, 53, 3, "uint8")).convert(mode)
    colour = (0, 0, 0) if mode == "RGB" else 3
    image.save(tmp_path / "in.png", transparency=colour)
    with Image.open(tmp_path / "in.png") as stored:
        expected = np.asarray(stored.convert("RGBA"))
    assert np.array_equal(read(tmp_path / "in.png"), expected)


def test_low_bit_depths_of_png_are_spread_to_8_bits(tmp_path):
    Image.fromarray(picture(41, 53, 3, "uint8")).convert("P").quantize(4).save(tmp_path / "in.png", bits=2)
    with Image.open(tmp_path / "in.png") as stored:
        expected = np.asarray(stored.convert("RGB"))
    assert np.array_equal(read(tmp_path / "in.png"), expected)


def test_jpeg_of_four_inks_becomes_rgb(tmp_path):
    image = Image.fromarray(picture(41, 53, 3, "uint8")).convert("CMYK")
    image.save(tmp_path / "in.jpg")
    with Image.open(tmp_path / "in.jpg") as stored:
        assert np.array_equal(read(tmp_path / "in.jpg"), np.asarray(stored.convert("RGB")))


def test_progressive_jpeg_is_read(tmp_path):
    Image.fromarray(picture(41, 53, 3, "uint8")).save(tmp_path / "in.jpg", progressive=True)
    with Image.open(tmp_path / "in.jpg") as stored:
        assert np.abs(read(tmp_path / "in.jpg").astype(int) - np.asarray(stored)).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif", "bmp"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.98])
def test_file_cut_short_is_damaged(tmp_path, suffix, part):
    path = tmp_path / f"in.{suffix}"
    data = write(path, picture(200, 300, 3, "uint8"))
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(DamagedInputError, match=rf"in\.{suffix}"):
        read(path)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_is_whole_up_to_its_end_marker_and_not_before(mode, options):
    noise = np.random.default_rng(3).integers(0, 256, (40, 56, 4), np.uint8)
    image = Image.fromarray(noise, "CMYK" if mode == "CMYK" else "RGBA").convert("RGB").convert(mode)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=95, **options)
    data = stream.getvalue()

    assert is_whole(data)
    assert not any(is_whole(data[:end]) for end in range(2, len(data) - 1))


def test_jpeg_cut_short_is_noticed_behind_a_whole_thumbnail(tmp_path):
    thumbnail = io.BytesIO()
    Image.fromarray(picture(16, 16, 3, "uint8")).save(thumbnail, "JPEG")
    data = io.BytesIO()
    Image.fromarray(picture(200, 300, 3, "uint8")).save(data, "JPEG", exif=b"Exif\0\0" + thumbnail.getvalue())
    path = tmp_path / "in.jpg"
    path.write_bytes(data.getvalue()[:-100])
    with pytest.raises(DamagedInputError, match="end marker"):
        read(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif", "bmp"])
def test_file_that_is_only_a_beginning_is_damaged(tmp_path, suffix):
    path = tmp_path / f"in.{suffix}"
    data = write(path, picture(200, 300, 3, "uint8"))
    path.write_bytes(data[:22])
    with pytest.raises(DamagedInputError, match=rf"in\.{suffix}"):
        read_header(str(path))


def test_broken_pixels_of_a_png_are_damaged(tmp_path):
    path = tmp_path / "in.png"
    data = bytearray(write(path, picture(200, 300, 3, "uint8")))
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DamagedInputError, match="does not decode as PNG"):
        read(path)


def test_content_counts_and_not_the_suffix(tmp_path):
    write(tmp_path / "in.png", picture(20, 30, 3, "uint8"))
    (tmp_path / "in.png").rename(tmp_path / "in.tif")
    assert read_header(str(tmp_path / "in.tif")).layout.format == "png"


def test_huge_png_is_announced_without_pillow_refusing_it(tmp_path):
    data = bytearray(write(tmp_path / "small.png", picture(20, 30, 1, "uint8")))
    data[16:24] = struct.pack(">II", 90_000, 90_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    (tmp_path / "huge.png").write_bytes(data)
    assert read_header(str(tmp_path / "huge.png")).spec.pixels == 90_000**2


def test_animated_webp_is_refused(tmp_path):
    frames = [Image.fromarray(picture(20, 30, 3, "uint8", seed)) for seed in range(3)]
    frames[0].save(tmp_path / "in.webp", save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedFormatError, match="animated"):
        read_header(str(tmp_path / "in.webp"))


def test_animated_avif_is_refused(tmp_path):
    frames = [Image.fromarray(picture(64, 64, 3, "uint8", seed)) for seed in range(3)]
    frames[0].save(tmp_path / "in.avif", save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedFormatError, match="animated"):
        read_header(str(tmp_path / "in.avif"))


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_avif_is_stretched_to_16_bits(tmp_path, bits):
    pixels = picture(60, 80, 3, "uint16") >> (16 - bits)
    pixels[:8] = 2**bits - 1
    (tmp_path / "in.avif").write_bytes(imagecodecs.avif_encode(pixels, level=100, bitspersample=bits))
    stored = imagecodecs.avif_decode((tmp_path / "in.avif").read_bytes()).astype(np.uint32)
    found = read(tmp_path / "in.avif")
    assert found.dtype == np.uint16
    assert np.array_equal(found, stored * 2 ** (16 - bits) + (stored >> (2 * bits - 16)))
    assert found.max() == 65_535
