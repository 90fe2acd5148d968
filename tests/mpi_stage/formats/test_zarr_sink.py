"""Zarr 3 and OME-Zarr written by many ranks, opened by zarr-python."""

import json
from dataclasses import replace

import numpy as np
import pytest
import zarr
from formats_support import picture, read, spec_of, tree, write

from mpi_stage.errors import OutputError, OutputExistsError, ParameterError, UnsupportedImageError
from mpi_stage.formats.headers import Layout, Metadata
from mpi_stage.formats.memory import ArraySource
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import read_header
from mpi_stage.formats.sink_plans import plan_sink
from mpi_stage.formats.sinks import create_sink
from mpi_stage.formats.zarr.layout import choose_zarr
from mpi_stage.image import ImageSpec
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rows.pyramid import halve, halve_valid, halved

KINDS = [(1, "uint8"), (3, "uint8"), (4, "uint16"), (7, "float32")]
SMALL = (64, 64)
RGB = ImageSpec(40_000, 50_000, 3, "uint8")


def interleaved(values, channels):
    """Return rows × columns × channels of what zarr-python gives for an OME-Zarr level."""
    return np.moveaxis(values, 0, -1) if channels > 1 else values[..., np.newaxis]


@pytest.mark.parametrize("suffix", ["zarr", "ome.zarr"])
@pytest.mark.parametrize("compression", ["none", "zstd", "gzip", "blosc"])
def test_files_do_not_depend_on_ranks_blocks_and_threads_and_zarr_reads_them(tmp_path, suffix, compression):
    for channels, dtype in KINDS:
        pixels = picture(401, 333, channels, dtype)
        pixels[:300, :200] = 0
        name = f"{channels}.{suffix}"
        for folder, writers, block_rows, threads in (("one", 1, 401, 1), ("many", 3, 13, 3)):
            (tmp_path / folder).mkdir(exist_ok=True)
            options = SinkOptions(compression=compression, tile=SMALL, threads=threads)
            write(tmp_path / folder / name, pixels, writers=writers, block_rows=block_rows, options=options)
        assert tree(tmp_path / "one" / name) == tree(tmp_path / "many" / name)
        found = zarr.open(tmp_path / "one" / name, mode="r")
        if suffix == "zarr":
            assert np.array_equal(found[...].reshape(pixels.shape), pixels)
        else:
            assert np.array_equal(interleaved(found["0"][...], channels), pixels)
        assert np.array_equal(read(tmp_path / "one" / name, 50), pixels)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 300), (300, 1), (512, 512), (513, 1025)])
def test_odd_sizes_come_back(tmp_path, rows, columns):
    pixels = picture(rows, columns, 3, "uint8")
    for name in ("out.zarr", "out.ome.zarr"):
        write(tmp_path / name, pixels, block_rows=100, writers=2)
        assert np.array_equal(read(tmp_path / name, 77), pixels)
    assert np.array_equal(zarr.open_array(tmp_path / "out.zarr", mode="r")[...], pixels)


def test_levels_are_means_of_four_pixels_each(tmp_path):
    pixels = picture(1201, 777, 3, "uint8")
    write(tmp_path / "out.ome.zarr", pixels, writers=3, block_rows=50, options=SinkOptions(tile=SMALL))
    group = zarr.open_group(tmp_path / "out.ome.zarr", mode="r")
    level, wanted = 1, pixels
    while str(level) in group:
        smaller = halved(spec_of(wanted)).empty(-(-len(wanted) // 2))
        halve(wanted, smaller)
        assert np.array_equal(interleaved(group[str(level)][...], 3), smaller)
        level, wanted = level + 1, smaller
    assert level == 3
    assert max(wanted.shape[:2]) <= 512


def test_levels_leave_out_values_without_data(tmp_path):
    pixels = picture(700, 700, 1, "uint8")
    pixels[::2, ::3] = 9
    write(tmp_path / "out.ome.zarr", pixels, metadata=Metadata(nodata="9"))
    wanted = np.empty((350, 350, 1), np.uint8)
    halve_valid(9)(pixels, wanted)
    found = zarr.open_group(tmp_path / "out.ome.zarr", mode="r")["1"][...]
    assert np.array_equal(found, wanted[..., 0])


@pytest.mark.parametrize(
    ("name", "asked"), [("out.ome.zarr", None), ("out.zarr", "ome-zarr"), ("out", "ome-zarr")]
)
def test_ome_zarr_is_written_for_its_suffix_or_when_asked_for(tmp_path, name, asked):
    write(tmp_path / name, picture(20, 30, 1, "uint8"), options=SinkOptions(format=asked))
    assert "ome" in zarr.open_group(tmp_path / name, mode="r").attrs


def test_metadata_are_those_of_an_ome_zarr_image(tmp_path):
    metadata = Metadata(resolution=(254.0, 127.0, "inch"))
    write(tmp_path / "out.ome.zarr", picture(700, 900, 3, "uint8"), metadata=metadata)
    ome = zarr.open_group(tmp_path / "out.ome.zarr", mode="r").attrs["ome"]
    assert ome["version"] == "0.5"
    (image,) = ome["multiscales"]
    assert [axis["name"] for axis in image["axes"]] == ["c", "y", "x"]
    assert [axis["type"] for axis in image["axes"]] == ["channel", "space", "space"]
    assert [axis.get("unit") for axis in image["axes"]] == [None, "micrometer", "micrometer"]
    scales = [one["coordinateTransformations"][0]["scale"] for one in image["datasets"]]
    assert scales == [pytest.approx([1, 200, 100]), pytest.approx([1, 400, 200])]
    shifts = [one["coordinateTransformations"][1:] for one in image["datasets"]]
    assert shifts == [[], [{"type": "translation", "translation": pytest.approx([0, 100, 50])}]]
    found = read_header(str(tmp_path / "out.ome.zarr")).metadata.resolution
    assert found is not None
    assert found[:2] == pytest.approx((100, 50))


def test_dimensions_have_their_names(tmp_path):
    for channels, names in ((1, ("y", "x")), (3, ("y", "x", "c"))):
        write(tmp_path / f"{channels}.zarr", picture(30, 40, channels, "uint8"))
        array = zarr.open_array(tmp_path / f"{channels}.zarr", mode="r")
        assert array.metadata.dimension_names == names


def test_metadata_without_a_place_are_reported_as_dropped():
    like = header_like(
        Layout("tiff"), Metadata(icc_profile=b"x", resolution=(1.0, 1.0, "inch"), description="d")
    )
    assert set(plan_sink("a.zarr", RGB, like, SinkOptions()).dropped) == {
        "icc_profile",
        "resolution",
        "description",
    }
    plan = plan_sink("a.ome.zarr", RGB, like, SinkOptions())
    assert (plan.kept, set(plan.dropped)) == (("resolution",), {"icc_profile", "description"})


def header_like(layout, metadata=Metadata()):  # noqa: B008  (it is frozen)
    return replace(ArraySource(picture(1, 1, 3, "uint8")).header, layout=layout, metadata=metadata)


@pytest.mark.parametrize("ome", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 200])
def test_shards_have_tens_of_megabytes_and_levels_end_where_shards_end(ome, channels):
    spec = RGB.with_channels(channels)
    layout = choose_zarr(spec, None, SinkOptions(), ome=ome)
    for number, level in enumerate(layout.levels[: layout.in_pass]):
        assert layout.row_unit == level.shard_rows * 2**number
        assert level.shard_rows % level.chunk_rows == 0
    first = layout.levels[0]
    shard_bytes = first.shard_rows * first.shard_columns * first.shard_channels
    assert 8 << 20 <= shard_bytes <= 64 << 20
    assert first.chunk_bytes <= 8 << 20
    assert len(layout.levels) == (8 if ome else 1)


def test_chunks_and_compression_follow_those_of_a_zarr():
    layout = choose_zarr(
        RGB, header_like(Layout("zarr", (256, 128), "blosc")), SinkOptions(), ome=False
    ).levels[0]
    assert (layout.chunk_rows, layout.chunk_columns, layout.coding.name) == (256, 128, "blosc")
    layout = choose_zarr(
        RGB, header_like(Layout("zarr", (1, 50_000), "none")), SinkOptions(), ome=False
    ).levels[0]
    assert (layout.chunk_rows, layout.chunk_columns, layout.coding.name) == (512, 512, "none")
    layout = choose_zarr(
        RGB, header_like(Layout("tiff", (256, 256), "lzw")), SinkOptions(), ome=False
    ).levels[0]
    assert (layout.chunk_rows, layout.coding.name) == (512, "zstd")


def test_chunks_of_zeros_are_left_out_and_negative_zeros_are_not(tmp_path):
    pixels = np.zeros((300, 300, 1), np.float32)
    write(tmp_path / "empty.zarr", pixels, options=SinkOptions(tile=SMALL))
    assert set(tree(tmp_path / "empty.zarr")) == {"zarr.json"}
    assert not zarr.open_array(tmp_path / "empty.zarr", mode="r")[...].any()
    pixels[200, 200] = -0.0
    write(tmp_path / "negative.zarr", pixels, options=SinkOptions(tile=SMALL))
    assert np.signbit(zarr.open_array(tmp_path / "negative.zarr", mode="r")[...][200, 200])
    assert np.signbit(read(tmp_path / "negative.zarr")[200, 200])


def test_image_of_one_chunk_has_no_shards(tmp_path):
    write(tmp_path / "out.zarr", picture(300, 300, 1, "uint8"))
    document = json.loads((tmp_path / "out.zarr" / "zarr.json").read_text())
    assert [codec["name"] for codec in document["codecs"]] == ["bytes", "zstd"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (SinkOptions(compression="lzw"), "none, zstd, gzip, blosc"),
        (SinkOptions(compression="none:1"), "takes no number"),
        (SinkOptions(compression="gzip:10"), "a level from 1 to 9"),
        (SinkOptions(compression="zstd:high"), "a level from 1 to 22"),
        (SinkOptions(quality=50), "no quality"),
        (SinkOptions(tile=(0, 512)), "512 × 512"),
    ],
)
def test_options_that_zarr_does_not_have_are_refused(options, words):
    with pytest.raises(ParameterError, match=words):
        plan_sink("a.zarr", RGB, None, options)


@pytest.mark.parametrize("compression", ["zstd:22", "gzip:9", "blosc:9"])
def test_higher_level_makes_a_smaller_zarr(tmp_path, compression):
    pixels = picture(300, 300, 3, "uint8")
    for name, asked in (("low.zarr", f"{compression.partition(':')[0]}:1"), ("high.zarr", compression)):
        write(tmp_path / name, pixels, options=SinkOptions(compression=asked))
        assert np.array_equal(zarr.open_array(tmp_path / name, mode="r")[...], pixels)
    low, high = (sum(map(len, tree(tmp_path / name).values())) for name in ("low.zarr", "high.zarr"))
    assert high < low


def test_labels_are_not_written_as_zarr():
    with pytest.raises(UnsupportedImageError, match=r"Write a \.tif"):
        plan_sink("a.zarr", ImageSpec(9, 9, 1, "uint32"), None, SinkOptions())


def test_what_is_there_is_not_written_over(tmp_path):
    (tmp_path / "out.zarr").mkdir()
    with pytest.raises(OutputExistsError, match="is there already"):
        write(tmp_path / "out.zarr", picture(10, 10, 3, "uint8"))


def test_metadata_come_last_and_only_if_all_rows_were_written(tmp_path):
    path, pixels = tmp_path / "out.zarr", picture(300, 50, 3, "uint8")
    options = SinkOptions(tile=SMALL)
    sink = create_sink(
        str(path), path.name, spec_of(pixels), Metadata(), None, options, str(tmp_path), PhaseClock()
    )
    sink.create()
    sink.open()
    sink.write_rows(0, pixels[:128])
    with pytest.raises(OutputError, match="rows are missing"):
        sink.assemble([sink.end_part()], 0)
    sink.close()
    assert not (path / "zarr.json").exists()
