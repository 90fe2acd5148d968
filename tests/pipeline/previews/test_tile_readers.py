"""Tiles of an image at any reduction, by real ranks: the file's own pixels, whatever the format."""

import base64
import io
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
import tifffile
from PIL import Image

from mpi_stage.contract import Budget, Request, Tile
from mpi_stage.errors import BudgetError, DamagedInputError, ParameterError, WorldError
from pipeline.errors import PreviewsBusyError
from pipeline.local.options import RunOptions
from pipeline.local.run import run_image
from pipeline.previews import tiles
from pipeline.previews.tiles import TileReaders, _Cache
from pipeline.worlds.world import World

ROWS, COLUMNS = 1100, 1500


@pytest.fixture(scope="module")
def readers():
    """Give one process, warm for all tests here."""
    made = TileReaders(1, idle_s=60)
    yield made
    made.close()


@pytest.fixture(scope="module")
def pixels():
    noise = np.random.default_rng(5).integers(0, 255, (130, 180, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((COLUMNS, ROWS), Image.Resampling.BICUBIC))


def asked(path, **more):
    return Request(job="t", input=str(path), output="", output_name="t", steps=[], **more)


def tile(readers, path, factor, column=0, row=0, *, stretch=(0.0, 0.0)):
    """Return a tile's pixels."""
    made = readers.ask(asked(path), Tile("1", factor, column, row, 512, *stretch))
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(made["png"]))))


def save(path, pixels):
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels, tile=(128, 128), compression="zlib", photometric="rgb")
    elif path.suffix == ".zarr":
        tifffile.imwrite(path.with_suffix(".tif"), pixels, photometric="rgb")
        run_image(path.with_suffix(".tif"), path, ["invert", "invert"], RunOptions(ranks=1))
    else:
        Image.fromarray(pixels).save(path)


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.zarr"])
def test_at_full_resolution_a_tile_has_the_files_own_pixels(readers, tmp_path, pixels, name):
    save(tmp_path / name, pixels)
    assert np.array_equal(tile(readers, tmp_path / name, 1, 1, 1), pixels[512:1024, 512:1024])
    assert np.array_equal(tile(readers, tmp_path / name, 1, 2, 2), pixels[1024:, 1024:])


def test_a_reduced_tile_is_the_mean_of_its_pixels(readers, tmp_path, pixels):
    save(tmp_path / "a.tif", pixels)
    expected = pixels[:1024, :1024].reshape(512, 2, 512, 2, 3).mean((1, 3))
    assert np.abs(tile(readers, tmp_path / "a.tif", 2) - expected).max() <= 1
    assert tile(readers, tmp_path / "a.tif", 4).shape == (275, 375, 3)


def test_a_file_with_levels_of_its_own_is_read_at_these(readers, tmp_path, pixels):
    path = tmp_path / "levels.tif"
    with tifffile.TiffWriter(path) as out:
        options = {"tile": (128, 128), "photometric": "rgb"}
        out.write(pixels, subifds=2, **options)
        out.write(255 - pixels[::2, ::2], subfiletype=1, **options)
        out.write(pixels[::4, ::4], subfiletype=1, **options)
    survey = readers.ask(asked(path), Tile("1"))
    assert survey["levels"] == [[1500, 1100], [750, 550], [375, 275]]
    assert np.array_equal(tile(readers, path, 2), (255 - pixels[::2, ::2])[:512, :512])
    assert np.array_equal(tile(readers, path, 4), pixels[::4, ::4])


def test_sixteen_bits_are_stretched_as_the_survey_says(readers, tmp_path):
    values = np.arange(600 * 700, dtype=np.uint32).reshape(600, 700) // 12
    tifffile.imwrite(tmp_path / "deep.tif", values.astype(np.uint16))
    low, high = readers.ask(asked(tmp_path / "deep.tif"), Tile("1"))["stretch"]
    shown = tile(readers, tmp_path / "deep.tif", 1, 1, 0, stretch=(low, high))
    expected = np.rint(np.clip((values[:512, 512:] - low) * 255 / (high - low), 0, 255))
    assert np.abs(shown - expected).max() <= 1


def test_a_photograph_is_shown_upright(readers, tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    assert readers.ask(asked(tmp_path / "turned.png"), Tile("1"))["image"]["columns"] == ROWS
    assert np.array_equal(tile(readers, tmp_path / "turned.png", 1), np.rot90(pixels, -1)[:512, :512])


def test_a_tile_that_is_none_of_the_images_is_refused(readers, tmp_path, pixels):
    save(tmp_path / "a.tif", pixels)
    for factor, column, row in ((1, 3, 0), (1, -1, 0), (3, 0, 0), (4096, 1, 0)):
        with pytest.raises(ParameterError):
            tile(readers, tmp_path / "a.tif", factor, column, row)


def test_a_damaged_file_is_told_and_others_go_on(readers, tmp_path, pixels):
    save(tmp_path / "a.png", pixels)
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedInputError):
        tile(readers, tmp_path / "b.png", 1)
    assert tile(readers, tmp_path / "a.png", 1).shape == (512, 512, 3)


def test_an_image_beyond_the_budget_is_refused_before_a_pixel_is_decoded(readers, tmp_path):
    Image.new("L", (3_000, 3_000)).save(tmp_path / "bomb.png")
    with pytest.raises(BudgetError, match=r"9,?000,?000"):
        readers.ask(asked(tmp_path / "bomb.png", budget=Budget(pixels=1_000_000)), Tile("1"))


def test_a_process_that_dies_is_told_at_most_once_and_another_goes_on(tmp_path, pixels):
    save(tmp_path / "a.tif", pixels)
    readers = TileReaders(1)
    try:
        tile(readers, tmp_path / "a.tif", 1)
        (pid,) = readers.pids()
        os.kill(pid, signal.SIGKILL)
        with suppress(WorldError):  # unless its end is noticed before anything is asked of it
            tile(readers, tmp_path / "a.tif", 1, 1)
        assert np.array_equal(tile(readers, tmp_path / "a.tif", 1, 1), pixels[:512, 512:1024])
        assert readers.pids() != [pid]
    finally:
        readers.close()


def test_what_was_made_is_kept_and_no_process_is_needed_for_it_again(tmp_path, pixels):
    save(tmp_path / "a.tif", pixels)
    worlds = []

    def make():
        worlds.append(World(1))
        return worlds[-1]

    readers = TileReaders(1, idle_s=0.01, make=make)
    try:
        first = tile(readers, tmp_path / "a.tif", 1)
        assert np.array_equal(tile(readers, tmp_path / "a.tif", 1), first)
    finally:
        readers.close()
    assert len(worlds) == 1


def test_what_is_kept_is_bounded_and_the_least_lately_asked_for_goes():
    cache = _Cache(100)
    cache.put(("a",), {"n": 1}, 60)
    cache.put(("b",), {"n": 2}, 30)
    assert cache.get(("a",)) == {"n": 1}
    cache.put(("c",), {"n": 3}, 30)
    assert [cache.get((name,)) for name in "abc"] == [{"n": 1}, None, {"n": 3}]


def test_tiles_beyond_what_may_be_waited_for_are_refused_until_others_are_made(tmp_path, pixels, monkeypatch):
    save(tmp_path / "a.tif", pixels)
    monkeypatch.setattr(tiles, "MOST_ASKED", 1)
    begun, go = threading.Event(), threading.Event()

    def make():
        begun.set()
        go.wait()
        return World(1)

    readers = TileReaders(1, make=make)
    try:
        with ThreadPoolExecutor(1) as other:
            first = other.submit(tile, readers, tmp_path / "a.tif", 1)
            try:
                begun.wait()
                with pytest.raises(PreviewsBusyError, match="try again"):
                    tile(readers, tmp_path / "a.tif", 1, 1)
            finally:
                go.set()
            assert np.array_equal(first.result(), pixels[:512, :512])
        assert np.array_equal(tile(readers, tmp_path / "a.tif", 1, 1), pixels[:512, 512:1024])
    finally:
        readers.close()


def test_where_there_are_to_be_no_processes_a_tile_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(PreviewsBusyError, match="preview_processes is 0"):
        TileReaders(0).ask(asked(tmp_path / "a.tif"), Tile("1"))
