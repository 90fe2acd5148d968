"""How many pixels a file is counted by."""

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.decisions.declared import declared_pixels, pixels_of


def encoded(kind):
    file = io.BytesIO()
    Image.new("RGB", (37, 21)).save(file, kind)
    return file.getvalue()


def count(data):
    return declared_pixels(io.BytesIO(data), len(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP"])
def test_the_pixels_of_common_formats_are_read_from_the_header(kind):
    assert count(encoded(kind)) == 37 * 21


@pytest.mark.parametrize(
    "options", [{"bigtiff": True}, {"byteorder": ">"}, {"bigtiff": True, "byteorder": ">"}]
)
def test_of_a_tiff_the_largest_image_counts_wherever_its_directory_is(options):
    file = io.BytesIO()
    with tifffile.TiffWriter(file, **options) as writer:
        for rows in (3, 50, 7):
            writer.write(np.zeros((rows, 40), "uint8"))
    assert count(file.getvalue()) == 50 * 40


def test_a_tiff_whose_directories_go_round_in_a_circle_has_an_end():
    directory = b"\x01\x00" + b"\x00\x01\x03\x00\x01\x00\x00\x00\x05\x00\x00\x00" + b"\x08\x00\x00\x00"
    data = b"II*\x00\x08\x00\x00\x00" + directory
    assert count(data) == len(data)


@pytest.mark.parametrize("following", [2**63 - 1, 2**64 - 1, 40])
def test_nonsense_behind_the_first_directory_of_a_tiff_makes_it_no_smaller(following, tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((50, 40), "uint8"), compression="zlib", bigtiff=True)
    with tifffile.TiffFile(path) as file:
        link = file.pages.first.offset + 8 + 20 * len(file.pages.first.tags)
    with path.open("r+b") as file:
        file.seek(link)
        file.write(following.to_bytes(8, "little"))
    assert path.stat().st_size < 50 * 40
    assert pixels_of(path) == 50 * 40


def test_what_is_not_understood_counts_by_its_bytes(tmp_path):
    path = tmp_path / "what.zip"
    path.write_bytes(b"PK" + bytes(998))
    assert pixels_of(path) == 1000
    path.write_bytes(b"")
    assert pixels_of(path) == 1


@given(st.sampled_from(["PNG", "JPEG", "TIFF"]), st.data())
def test_no_change_to_a_file_makes_counting_fail(kind, data):
    damaged = bytearray(encoded(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = damaged[: data.draw(st.integers(0, len(damaged)))]
    assert count(bytes(cut)) >= 1
