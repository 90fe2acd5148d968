"""Bytes over MPI are halo rows only, and memory does not grow with the image."""

import numpy as np
import pytest
import tifffile
from operation_harness import picture

MEBIBYTE = 1 << 20
MOST_ANONYMOUS_BYTES = 300 * MEBIBYTE


@pytest.mark.parametrize("rows", [200, 800])
@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_a_rank_sends_its_neighbours_the_halo_rows_and_nothing_else(worlds, rows, ranks):
    source = worlds.write(picture(1, rows, 64, 3, "uint8"))
    report = worlds.run(ranks, source, "gaussian:size=9 grayscale box:size=5 sobel").report
    halo_rows = 4 + 2 + 1
    per_neighbour = halo_rows * 64 * 3
    neighbours = [1, *[2] * (ranks - 2), 1]
    assert [rank.sent_bytes for rank in report.ranks] == [n * per_neighbour for n in neighbours]
    assert [rank.received_bytes for rank in report.ranks] == [n * per_neighbour for n in neighbours]


def test_a_point_pipeline_sends_nothing(worlds):
    source = worlds.write(picture(1, 100, 64, 3, "uint8"))
    report = worlds.run(3, source, "invert grayscale threshold:value=100").report
    assert [rank.sent_bytes for rank in report.ranks] == [0, 0, 0]


def sparse(path, rows, columns):
    """Make a large RGB TIFF of which only a strip is written."""
    image = tifffile.memmap(
        path, shape=(rows, columns, 3), dtype=np.uint8, photometric="rgb", bigtiff=True, metadata=None
    )
    image[rows // 2 : rows // 2 + 64] = picture(3, 64, columns, 3, "uint8")
    image.flush()
    return path


@pytest.mark.slow
def test_an_image_of_three_gigabytes_passes_with_little_memory(worlds, tmp_path):
    source = sparse(tmp_path / "large.tif", 32768, 32768)
    report = worlds.run(2, source, "gaussian:sigma=3 sobel", digest=False, read=False).report
    assert (report.rows, report.columns, report.channels) == (32768, 32768, 1)
    assert all(0 < rank.peak_anon_bytes < MOST_ANONYMOUS_BYTES for rank in report.ranks)


def test_memory_does_not_depend_on_the_height(worlds, tmp_path):
    peaks = []
    for rows in (1024, 10240):
        source = sparse(tmp_path / f"{rows}.tif", rows, 4096)
        report = worlds.run(2, source, "gaussian:sigma=3 sobel", digest=False).report
        peaks.append(max(rank.peak_anon_bytes for rank in report.ranks))
    assert peaks[1] <= 1.1 * peaks[0]


def test_memory_does_not_depend_on_the_height_of_a_narrow_picture_of_many_rows(worlds, tmp_path):
    peaks = []
    for rows in (10_000, 1_000_000):
        source = sparse(tmp_path / f"{rows}.tif", rows, 64)
        report = worlds.run(1, source, "gaussian:sigma=3 sobel", digest=False, read=False).report
        peaks.append(report.ranks[0].peak_anon_bytes)
    assert peaks[1] <= 1.1 * peaks[0]


def test_the_prediction_is_never_below_the_measured_peak(worlds, tmp_path):
    source = sparse(tmp_path / "some.tif", 2048, 4096)
    for pipeline in ("invert", "gaussian:sigma=3 sobel", "equalize", "canny", "otsu"):
        plan = worlds.plan(2, source, pipeline)
        report = worlds.run(2, source, pipeline, digest=False).report
        measured = max(rank.peak_anon_bytes for rank in report.ranks)
        assert measured <= plan["peak_bytes_per_rank"], pipeline


GEOMETRY = (
    "crop:x=100,y=100,width=3000,height=1800",
    "pad:top=500,left=500",
    "flip:axis=vertical",
    "rotate90",
    "rotate:degrees=30,interpolation=nearest",
    "resize:scale=0.4",
    "gaussian:sigma=2 rotate90 gaussian:sigma=2 resize:scale=0.3,interpolation=area",
)


@pytest.mark.parametrize("pipeline", GEOMETRY)
def test_geometry_stays_within_its_prediction(worlds, tmp_path, pipeline):
    source = sparse(tmp_path / "some.tif", 2048, 4096)
    plan = worlds.plan(2, source, pipeline)
    report = worlds.run(2, source, pipeline, digest=False).report
    assert max(rank.peak_anon_bytes for rank in report.ranks) <= plan["peak_bytes_per_rank"]


def test_a_crop_reads_and_sends_only_what_it_keeps(worlds, tmp_path):
    source = sparse(tmp_path / "some.tif", 2048, 4096)
    report = worlds.run(3, source, "crop:y=10,height=40").report
    assert [rank.sent_bytes for rank in report.ranks] == [0, 0, 0]
    kept = worlds.run(3, source, "gaussian crop:y=10,height=40").report
    halo = 2 * 2 * 6 * source_row_bytes(4096)
    assert sum(rank.sent_bytes for rank in kept.ranks) <= halo + 40 * source_row_bytes(4096)


def source_row_bytes(columns):
    return columns * 3


def test_rotation_needs_less_memory_of_each_of_more_ranks(worlds, tmp_path):
    source = sparse(tmp_path / "some.tif", 4096, 4096)
    two, eight = (
        worlds.plan(2, source, "gaussian rotate90", of=ranks)["peak_bytes_per_rank"] for ranks in (2, 8)
    )
    slabs = 2 * 4096 * 4096 * 3
    assert two - eight >= slabs * (1 / 2 - 1 / 8)
