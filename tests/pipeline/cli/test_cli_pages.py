"""Images chosen in a file of several, through the real program and real ranks."""

import json

import numpy as np
import pytest
import tifffile
from test_cli_local import halorow

from mpi_stage.rows.digest import pixels_sha256

SHAPE = (2, 3, 61, 83)


@pytest.fixture
def stack(tmp_path):
    """An OME-TIFF of two by three planes, each with a level of half its size."""
    path = tmp_path / "stack.ome.tif"
    planes = np.random.default_rng(0).integers(0, 65_536, SHAPE, np.uint16)
    with tifffile.TiffWriter(path, ome=True) as writer:
        options = {"tile": (16, 32), "compression": "zlib", "photometric": "minisblack"}
        writer.write(planes, subifds=1, metadata={"axes": "TZYX"}, **options)
        writer.write(planes[..., ::2, ::2], subfiletype=1, **options)
    return path, planes


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_a_page_is_filtered_like_an_image_of_its_own(stack, tmp_path, ranks):
    path, planes = stack
    done = halorow("run", path, tmp_path / "out.tif", "invert", "--page", 4, "--ranks", ranks, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["pixels_sha256"] == pixels_sha256(65_535 - planes[1, 1][..., None])


def test_a_level_of_a_plane_is_filtered_and_has_a_digest(stack, tmp_path):
    path, planes = stack
    chosen = ("--plane", "t=1,z=2", "--level", 1)
    expected = np.ascontiguousarray(planes[1, 2, ::2, ::2])
    done = halorow("run", path, tmp_path / "out.tif", "invert", *chosen)
    assert (done.returncode, done.stderr) == (0, "")
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), 65_535 - expected)
    assert halorow("digest", path, *chosen).stdout.strip() == pixels_sha256(expected[..., None])


def test_a_plan_lists_pages_and_levels_and_another_page_is_another_plan(stack):
    path, _ = stack
    text = halorow("plan", path, "invert").stdout
    assert "input      83 × 61 px, 1 × uint16 (page 0, level 0)" in text
    assert "page 5     levels 83 × 61, 42 × 31" in text
    plans = [
        json.loads(halorow("plan", path, "invert", "--json", *chosen).stdout)
        for chosen in (("--page", 0), ("--page", 3), ("--level", 1))
    ]
    assert len({plan["hash"] for plan in plans}) == 3
    assert [(plan["page"], plan["level"]) for plan in plans] == [(0, 0), (3, 0), (0, 1)]


def test_a_plan_is_made_of_a_page_that_is_whole_before_others_that_are_not(tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.zeros((3, 40, 50), np.uint8), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as file:
        last = file.pages[2].offset
    data = bytearray(path.read_bytes())
    data[last : last + 2] = b"\xff\xff"
    path.write_bytes(data)
    done = halorow("plan", path, "invert", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["pages"] == [[[50, 40]]]


def test_a_page_that_is_not_there_is_an_error_of_the_input(stack):
    path, _ = stack
    done = halorow("plan", path, "invert", "--page", 6)
    assert done.returncode == 3
    assert "has no page 6: it has 6, counted from 0" in done.stderr


@pytest.mark.parametrize("steps", [("gaussian:sigma=2",), ("grayscale", "threshold:value=128", "label")])
def test_any_number_of_ranks_writes_the_same_cloud_optimized_file(tmp_path, steps):
    pixels = np.random.default_rng(0).integers(0, 256, (611, 203, 3), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="rgb", metadata=None)
    files = set()
    for ranks in (1, 2, 3, 5):
        path = tmp_path / f"{ranks}.tif"
        options = ("--format", "cog", "--tile", 64, "--ranks", ranks, "--quiet")
        done = halorow("run", tmp_path / "in.tif", path, *steps, *options)
        assert (done.returncode, done.stderr) == (0, "")
        files.add(path.read_bytes())
    assert len(files) == 1
    with tifffile.TiffFile(tmp_path / "5.tif") as found:
        assert [page.shape[:2] for page in found.pages] == [
            (611, 203),
            (306, 102),
            (153, 51),
            (77, 26),
            (39, 13),
        ]


def test_a_suffix_asks_for_a_cloud_optimized_file(tmp_path, stack):
    path, planes = stack
    done = halorow("run", path, tmp_path / "out.cog.tif", "invert", "--tile", 32, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    with tifffile.TiffFile(tmp_path / "out.cog.tif") as found:
        assert np.array_equal(found.pages.first.asarray(), 65_535 - planes[0, 0])
        assert len(found.pages) == 3
