"""What a preview shows, by a real rank: reduced pictures, and crops with the bytes of the result."""

import base64
import hashlib
import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from mpi_stage.contract import Request, View
from mpi_stage.errors import DamagedInputError
from pipeline.local.options import RunOptions
from pipeline.local.run import run_image
from pipeline.worlds.warm import WarmWorld

STENCILS = "gaussian:sigma=2 unsharp sobel"


@pytest.fixture(scope="module")
def world():
    """Give a world of one rank, warm for all tests here."""
    made = WarmWorld(1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """Give a compressed TIFF in tiles, with something to see everywhere."""
    noise = np.random.default_rng(5).integers(0, 255, (130, 180, 3), np.uint8)
    path = tmp_path_factory.mktemp("scan") / "scan.tif"
    big = np.asarray(Image.fromarray(noise).resize((1500, 1100), Image.Resampling.BICUBIC))
    tifffile.imwrite(path, big, tile=(128, 128), compression="zlib", photometric="rgb")
    return path


def look(world, path, text, **view):
    request = Request(job="p", input=str(path), output="", output_name=path.name, steps=text.split())
    return world.preview(request, View(**view), deadline_s=60)


def pixels_of(picture):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["src"].partition(",")[2]))))


def region(path, window):
    """Return a window of a TIFF's pixels, gray with its axis."""
    whole = tifffile.imread(path)
    whole = whole.reshape(*whole.shape[:2], -1)
    rows = slice(window["row"], window["row"] + window["rows"])
    return np.ascontiguousarray(whole[rows, window["column"] : window["column"] + window["columns"]])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (STENCILS, (1.0, 0.4)),
        ("rotate:degrees=17 median:size=5", (0.5, 0.5)),
        ("grayscale adaptive_gaussian:size=31,offset=4 resize:scale=1.7", (0.6, 0.3)),
    ],
)
def test_a_crop_has_the_bytes_of_the_result_of_halorow_run(world, scan, tmp_path, text, place):
    run_image(scan, tmp_path / "result.tif", text.split(), RunOptions(ranks=1))
    crop = look(world, scan, text, across=place[0], down=place[1], crop_columns=300, crop_rows=200)["crop"]
    wanted = region(tmp_path / "result.tif", crop["window"])
    assert crop["exact"]
    assert crop["pixels_sha256"] == hashlib.sha256(wanted.tobytes()).hexdigest()
    assert np.array_equal(pixels_of(crop["after"]), wanted.squeeze())


def test_before_and_after_are_shown_reduced_by_the_same_engine(world, scan):
    told = look(world, scan, "invert", longest_px=300)
    reduced = told["reduced"]
    assert (reduced["before"]["rows"], reduced["before"]["columns"]) == (220, 300)
    assert reduced["factor"] == 5
    inverted = 255.0 - pixels_of(reduced["before"])
    assert np.abs(pixels_of(reduced["after"]) - inverted).mean() < 2  # both are JPEG
    assert told["result"] == told["image"] == {"rows": 1100, "columns": 1500, "channels": 3, "dtype": "uint8"}


def test_a_crop_is_said_to_be_inexact_for_steps_that_look_at_the_whole_picture(world, scan):
    crop = look(world, scan, "canny denoise", crop_columns=50, crop_rows=40)["crop"]
    assert (crop["exact"], crop["whole"]) == (False, ["canny"])


def test_a_threshold_is_measured_on_the_reduced_copy_and_not_on_the_crop(world, tmp_path):
    picture = np.full((1500, 1500), 40, np.uint8)
    picture[:, 750:] = 200
    picture[200:300, 200:300] = 60
    tifffile.imwrite(tmp_path / "halves.tif", picture)
    place = {"across": 1 / 6, "down": 1 / 6, "crop_columns": 100, "crop_rows": 100}
    big = {**place, "longest_px": 300}
    crop = look(world, tmp_path / "halves.tif", "denoise otsu", **big)["crop"]
    assert not crop["exact"]
    assert not pixels_of(crop["after"]).any()


def test_a_small_image_is_filtered_as_a_whole_so_that_its_crop_is_exact(world, photo, tmp_path):
    run_image(photo, tmp_path / "result.tif", ["otsu"], RunOptions(ranks=1))
    crop = look(world, photo, "otsu", crop_columns=100, crop_rows=80)["crop"]
    assert crop["exact"]
    assert np.array_equal(pixels_of(crop["after"]), region(tmp_path / "result.tif", crop["window"]).squeeze())


def test_a_photograph_lies_as_people_look_at_it(world, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((60, 90, 3), np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    told = look(world, tmp_path / "turned.jpg", "box:size=3")
    assert (told["image"]["rows"], told["image"]["columns"]) == (90, 60)
    assert (told["crop"]["before"]["rows"], told["crop"]["after"]["rows"]) == (90, 90)


def test_what_the_image_does_not_allow_is_told_beside_the_picture(world, scan):
    told = look(world, scan, "label")
    assert "label takes 1 channel" in told["fault"]
    assert "src" in told["reduced"]["before"]
    assert "after" not in told["reduced"]


def test_without_steps_the_image_is_shown_as_it_is(world, scan):
    told = look(world, scan, "")
    assert told["fault"] is None
    assert np.array_equal(pixels_of(told["crop"]["after"]), pixels_of(told["crop"]["before"]))


def test_pictures_that_are_known_are_not_sent_again(world, scan):
    first = look(world, scan, "invert")
    known = [first[part]["before"]["key"] for part in ("reduced", "crop")]
    again = look(world, scan, "sobel", known=known)
    assert all("src" not in again[part]["before"] for part in ("reduced", "crop"))
    assert "src" in again["crop"]["after"]


def test_another_content_of_the_same_name_is_read_anew(world, tmp_path):
    path = tmp_path / "changing.tif"
    for value in (10, 90):
        tifffile.imwrite(path, np.full((50, 50), value, np.uint8))
        told = look(world, path, "", generation=str(value))
        assert np.unique(pixels_of(told["crop"]["after"])).tolist() == [value]


def test_a_damaged_file_is_told_of_and_the_next_preview_is_made(world, scan, tmp_path):
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(DamagedInputError):
        look(world, tmp_path / "cut.png", "invert")
    assert look(world, scan, "invert")["fault"] is None
