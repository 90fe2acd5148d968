"""Small pictures of image files, made in a process of their own."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from ui import reduce
from ui.preview import NoPreviewError, preview


def picture(rows=90, columns=120):
    down, across = np.mgrid[0:rows, 0:columns]
    ramp = np.stack([down * 2, across * 2, down + across], axis=2)
    return np.clip(ramp, 0, 255).astype(np.uint8)


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.avif", "a.bmp"])
def test_raster_files_become_a_png_of_the_asked_size(tmp_path, name):
    Image.fromarray(picture()).save(tmp_path / name)
    assert opened(reduce.reduced(tmp_path / name, 40)).shape == (30, 40, 3)


def test_a_small_image_keeps_its_pixels(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", picture(), photometric="rgb")
    assert np.array_equal(opened(reduce.reduced(tmp_path / "a.tif", 640)), picture())


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"tile": (16, 32)},
        {"tile": (32, 16), "planarconfig": "separate"},
        {"rowsperstrip": 7, "compression": "deflate"},
        {"tile": (16, 16), "byteorder": ">", "compression": "lzw"},
    ],
    ids=["plain", "tiles", "planes", "deflate", "big-endian"],
)
@pytest.mark.parametrize("step", [1, 3, 5])
def test_every_layout_of_tiff_is_sampled_alike(tmp_path, layout, step):
    pixels = picture(rows=101, columns=67)
    stored = pixels.transpose(2, 0, 1) if layout.get("planarconfig") else pixels
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **layout)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert np.array_equal(reduce._sampled(file.pages.first, step), pixels[::step, ::step])


def test_sixteen_bits_keep_the_high_byte():
    pixels = np.array([[0, 256, 65535]], np.uint16)
    assert reduce.to_display(pixels).tolist() == [[0, 1, 255]]


def test_floats_from_zero_to_one_are_shown_as_they_are_and_holes_dark():
    pixels = np.array([[0.0, 0.5, np.nan, 1.0]], np.float32)
    assert reduce.to_display(pixels).tolist() == [[0, 128, 0, 255]]


def test_other_floats_are_stretched():
    assert reduce.to_display(np.array([[-10.0, 0.0, 10.0]], np.float32)).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize(
    ("channels", "shape"), [(1, (2, 2)), (2, (2, 2)), (3, (2, 2, 3)), (4, (2, 2, 4)), (13, (2, 2, 3))]
)
def test_any_number_of_channels_can_be_shown(channels, shape):
    assert reduce.to_display(np.zeros((2, 2, channels), np.uint8)).shape == shape


def test_a_sixteen_bit_png_is_shown(tmp_path):
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(tmp_path / "a.png")
    assert opened(reduce.reduced(tmp_path / "a.png", 10)).tolist()[0][0] == 40_000 >> 8


def test_a_giant_of_plain_rows_is_sampled_without_reading_it_all(tmp_path):
    rows = columns = 30_000
    tifffile.memmap(tmp_path / "a.tif", shape=(rows, columns), dtype=np.uint8)
    assert opened(reduce.reduced(tmp_path / "a.tif", 100)).shape == (100, 100)


def test_a_giant_that_would_have_to_be_decoded_is_refused_with_both_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(reduce, "MOST_BYTES", 1_000_000)
    Image.fromarray(picture(2000, 1000)).save(tmp_path / "a.bmp")
    with pytest.raises(reduce.RefusedError, match=r"takes 8 MB to decode; .* up to 1 MB"):
        reduce.reduced(tmp_path / "a.bmp", 10)


def test_a_segment_that_would_have_to_be_decoded_at_once_counts_and_not_the_image(tmp_path, monkeypatch):
    monkeypatch.setattr(reduce, "MOST_BYTES", 100_000)
    tifffile.imwrite(tmp_path / "a.tif", picture(400, 400), tile=(64, 64), compression="deflate")
    assert opened(reduce.reduced(tmp_path / "a.tif", 10)).shape == (10, 10, 3)
    tifffile.imwrite(tmp_path / "b.tif", picture(400, 400), rowsperstrip=400, compression="deflate")
    with pytest.raises(reduce.RefusedError):
        reduce.reduced(tmp_path / "b.tif", 10)


def test_the_page_gets_its_picture_from_a_process(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.png")
    assert opened(preview(tmp_path / "a.png", 40)).shape == (30, 40, 3)


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_a_file_that_is_no_image_is_refused_in_a_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"II*\0" + b"no image at all" if name == "a.tif" else b"no image at all")
    with pytest.raises(NoPreviewError, match="This file is"):
        preview(tmp_path / name)


def test_a_truncated_image_is_refused_in_a_sentence(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NoPreviewError, match="damaged"):
        preview(tmp_path / "a.png")


def test_a_file_that_is_gone_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(NoPreviewError, match="damaged"):
        preview(tmp_path / "gone.png")
