"""Zarr folders as inputs and outputs of ``halorow run``: real ranks, real folders."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr

from mpi_stage.errors import LimitError, MissingInputError, OutputExistsError, StageError
from pipeline.images import folder_images
from pipeline.local.options import RunOptions
from pipeline.local.run import digest_image, plan_image, run_image

COFFEE = Path(__file__).parents[2] / "images" / "coffee.tif"
TWO = RunOptions(ranks=2)


def files(folder):
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.fixture
def folder(tmp_path):
    """Give a folder to write in, and see that nothing unfinished is left there."""
    path = tmp_path / "results"
    path.mkdir()
    yield path
    assert [entry.name for entry in path.iterdir() if entry.name.startswith(".")] == []


@pytest.fixture
def tall(tmp_path):
    """Give an image of several rows of shards: 5,000 × 700 pixels."""
    y, x = np.mgrid[:5000, :700]
    pixels = np.dstack([y % 251, x % 241, (x + y) % 239]).astype(np.uint8)
    tifffile.imwrite(tmp_path / "tall.tif", pixels, photometric="rgb")
    return tmp_path / "tall.tif"


@pytest.mark.parametrize("suffix", [".zarr", ".ome.zarr"])
def test_every_file_is_the_same_for_any_number_of_ranks(folder, tall, suffix):
    made = []
    for ranks, block_rows in ((1, None), (3, 777)):
        output = folder / f"{ranks}{suffix}"
        plans = []
        report = run_image(
            tall,
            output,
            ["gaussian:sigma=2"],
            RunOptions(ranks=ranks, block_rows=block_rows),
            on_event=lambda event, plans=plans: plans.append(event.get("plan")),
        )
        made.append((files(output), report.pixels_sha256))
        assert report.output_bytes == sum(len(data) for data in files(output).values())
        assert max(rank.peak_anon_bytes for rank in report.ranks) <= plans[0]["peak_bytes_per_rank"]
    assert made[0] == made[1]
    assert digest_image(output) == made[0][1]


def test_zarr_is_read_by_every_rank_and_comes_back_as_a_tiff(folder, tall):
    run_image(tall, folder / "a.ome.zarr", ["invert"], TWO)
    run_image(folder / "a.ome.zarr", folder / "b.tif", ["invert"], RunOptions(ranks=3))
    assert np.array_equal(tifffile.imread(folder / "b.tif"), tifffile.imread(tall))


def test_plan_for_a_folder_is_one_for_a_folder(folder):
    run_image(COFFEE, folder / "a.ome.zarr", ["invert"], TWO)
    for name in ("a.ome.zarr", "a.ome.zarr/0"):
        assert plan_image(folder / name, ["invert"], TWO)["format"] == "zarr"


def test_plan_for_a_format_that_is_not_written_is_one_for_a_tiff(folder):
    with tifffile.TiffFile(COFFEE) as file:
        (folder / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(file.asarray(), level=0))
    assert plan_image(folder / "a.jp2", ["invert"], TWO)["format"] == "jpeg2000"


def test_a_zarr_that_exists_is_left_alone_or_replaced_whole(folder):
    output = folder / "a.zarr"
    run_image(COFFEE, output, ["invert"], TWO)
    before = files(output)
    with pytest.raises(OutputExistsError, match="--overwrite"):
        run_image(COFFEE, output, ["sobel"], TWO)
    assert files(output) == before
    (output / "stale").write_text("of before")
    run_image(COFFEE, output, ["posterize:bits=2"], TWO, overwrite=True)
    assert set(files(output)) == set(before)
    assert files(output) != before


def test_a_zarr_can_replace_itself(folder):
    output = folder / "a.zarr"
    run_image(COFFEE, output, ["invert"], TWO)
    run_image(output, output, ["invert"], TWO, overwrite=True)
    assert np.array_equal(zarr.open_array(output, mode="r")[...], tifffile.imread(COFFEE))


def test_a_zarr_replaces_a_file_of_its_name_and_not_a_folder_of_other_things(folder):
    (folder / "a.zarr").write_text("no folder")
    run_image(COFFEE, folder / "a.zarr", ["invert"], TWO, overwrite=True)
    assert (folder / "a.zarr" / "zarr.json").exists()
    (folder / "b.zarr").mkdir()
    (folder / "b.zarr" / "thesis.txt").write_text("precious")
    with pytest.raises(OutputExistsError, match="other things"):
        run_image(COFFEE, folder / "b.zarr", ["invert"], TWO, overwrite=True)
    assert (folder / "b.zarr" / "thesis.txt").read_text() == "precious"


def test_where_names_cannot_change_places_at_once_they_do_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_images, "_EXCHANGE", 1 << 20)  # a flag that no kernel knows
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    folder_images.publish_folder(tmp_path / "new", tmp_path / "old", overwrite=True)
    assert [entry.name for entry in (tmp_path / "old").iterdir()] == ["new"]


def test_a_failed_run_leaves_no_folder_and_the_old_one(folder, tall):
    output = folder / "a.zarr"
    run_image(tall, output, ["invert"], TWO)
    before = files(output)
    (output / "c" / "4" / "0" / "0").write_bytes(b"broken")
    with pytest.raises(StageError, match="c/4/0/0"):
        run_image(output, folder / "b.zarr", ["gaussian"], RunOptions(ranks=1))
    with pytest.raises(StageError, match="c/4/0/0"):
        run_image(output, output, ["gaussian"], RunOptions(ranks=3), overwrite=True)
    assert set(files(output)) == set(before)
    assert sorted(entry.name for entry in folder.iterdir()) == ["a.zarr"]


def test_a_folder_that_is_no_image_is_refused(folder):
    with pytest.raises(MissingInputError, match="folder"):
        run_image(folder, folder / "out.tif", ["invert"], TWO)


def test_chunks_that_do_not_fit_in_memory_are_refused_by_the_plan(folder):
    array = zarr.create_array(
        folder / "in.zarr", shape=(30_000, 30_000), chunks=(30_000, 30_000), dtype="uint8"
    )
    assert array.nchunks == 1
    with pytest.raises(LimitError, match="reading and decoding"):
        run_image(folder / "in.zarr", folder / "out.tif", ["invert"], TWO)
