"""Zarr 3 arrays and OME-Zarr images made by zarr-python, read by rows."""

import itertools
import json

import numpy as np
import pytest
import zarr
from formats_support import picture, read
from zarr.codecs import (
    BloscCodec,
    BytesCodec,
    Crc32cCodec,
    GzipCodec,
    ShardingCodec,
    TransposeCodec,
    ZstdCodec,
)

from mpi_stage.errors import DamagedInputError, MissingInputError, MissingPageError, UnsupportedFormatError
from mpi_stage.formats.options import SourceOptions
from mpi_stage.formats.registry import list_pages, open_source, read_header
from mpi_stage.process.timing import PhaseClock

SIZES = {"y": 70, "x": 90, "c": 5, "t": 2, "z": 3}
CHUNK = {"y": 16, "x": 32, "c": 2, "t": 1, "z": 2}
SHARD = {"y": 32, "x": 64, "c": 4, "t": 1, "z": 2}
COMPRESSORS = {
    "none": None,
    "zstd": ZstdCodec(),
    "zstd with checksums": [ZstdCodec(checksum=True), Crc32cCodec()],
    "gzip": GzipCodec(),
    "blosc": BloscCodec(),
    "checked, then blosc": [Crc32cCodec(), BloscCodec(cname="lz4", shuffle="noshuffle")],
}


def make(path, values, axes, *, sharded=False, compressors=None, **options):
    """Write ``values`` by zarr-python, its dimensions named by the letters of ``axes``."""
    array = zarr.create_array(
        path,
        shape=values.shape,
        dtype=values.dtype,
        chunks=[CHUNK[axis] for axis in axes],
        shards=[SHARD[axis] for axis in axes] if sharded else None,
        compressors=compressors,
        **{"dimension_names": list(axes), **options},
    )
    array[...] = values
    return path


def cube(axes, dtype="uint8"):
    """Return noise, with a part that is all zero."""
    values = np.random.default_rng(0).integers(0, 250, [SIZES[axis] for axis in axes]).astype(dtype)
    values[..., :40] = 0
    return values


def as_rows(values, axes):
    """Return rows × columns × channels."""
    if "c" not in axes:
        return values[..., np.newaxis]
    return np.moveaxis(values, axes.index("c"), -1)


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("coding", COMPRESSORS)
def test_every_coding_is_read_whole_and_in_blocks(tmp_path, coding, sharded):
    for axes, dtype in zip(("yx", "yxc", "cyx"), ("uint8", "uint16", "float32"), strict=True):
        values = cube(axes, dtype)
        path = make(tmp_path / f"{axes}.zarr", values, axes, sharded=sharded, compressors=COMPRESSORS[coding])
        for block_rows, threads in ((7, 1), (16, 1), (70, 1), (9, 3)):
            found = read(path, block_rows, SourceOptions(threads=threads))
            assert found.dtype == values.dtype
            assert np.array_equal(found, as_rows(values, axes))


def test_header_says_all_before_a_pixel_is_decoded(tmp_path):
    path = make(tmp_path / "in.zarr", cube("cyx", "uint16"), "cyx", compressors=GzipCodec())
    for chunk in (path / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"")
    header = read_header(str(path))
    spec = header.spec
    assert (spec.rows, spec.columns, spec.channels, spec.dtype) == (70, 90, 5, "uint16")
    assert (header.layout.format, header.layout.tile, header.layout.compression) == ("zarr", (16, 32), "gzip")
    assert (header.divisible, header.row_unit) == (True, 16)


@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize("location", ["start", "end"])
def test_shard_index_at_either_end_and_either_byte_order_are_read(tmp_path, location, endian):
    values = cube("yx", "float32")
    sharding = ShardingCodec(
        chunk_shape=(16, 32),
        codecs=[BytesCodec(endian=endian), ZstdCodec()],
        index_codecs=[BytesCodec(endian=endian), Crc32cCodec()],
        index_location=location,
    )
    array = zarr.create(
        store=tmp_path / "in.zarr",
        shape=values.shape,
        dtype="float32",
        chunks=(32, 64),
        codecs=[sharding],
        zarr_format=3,
        dimension_names=["y", "x"],
    )
    array[...] = values
    assert np.array_equal(read(tmp_path / "in.zarr", 11)[..., 0], values)


@pytest.mark.parametrize("encoding", ["default", "v2"])
@pytest.mark.parametrize("separator", ["/", "."])
def test_every_naming_of_chunks_is_read(tmp_path, encoding, separator):
    values = cube("yx")
    keys = {"name": encoding, "separator": separator}
    path = make(tmp_path / "in.zarr", values, "yx", chunk_key_encoding=keys)
    assert np.array_equal(read(path)[..., 0], values)


@pytest.mark.parametrize(("dtype", "fill"), [("uint8", 7), ("float32", 0.25), ("float32", np.nan)])
@pytest.mark.parametrize("sharded", [False, True])
def test_chunks_that_were_left_out_have_the_fill_value(tmp_path, dtype, fill, sharded):
    values = np.full((70, 90), fill, dtype)
    values[40:50, 70:] = 1
    path = make(tmp_path / "in.zarr", values, "yx", sharded=sharded, fill_value=fill)
    files = [entry for entry in (path / "c").rglob("*") if entry.is_file()]
    assert len(files) == (1 if sharded else 2)
    assert np.array_equal(read(path)[..., 0], values, equal_nan=True)


@pytest.mark.parametrize(
    ("shape", "channels"), [((70, 90), 1), ((70, 90, 3), 3), ((5, 70, 90), 5), ((70, 90, 5), 5)]
)
def test_dimensions_without_names_are_told_by_their_sizes(tmp_path, shape, channels):
    zarr.create_array(tmp_path / "in.zarr", shape=shape, chunks=shape, dtype="uint8")
    spec = read_header(str(tmp_path / "in.zarr")).spec
    assert (spec.rows, spec.columns, spec.channels) == (70, 90, channels)


def test_dimensions_that_cannot_be_told_are_refused_with_the_remedy(tmp_path):
    zarr.create_array(tmp_path / "in.zarr", shape=(9, 9, 9), chunks=(9, 9, 9), dtype="uint8")
    with pytest.raises(UnsupportedFormatError, match="dimension_names"):
        read_header(str(tmp_path / "in.zarr"))


def test_rank_reads_only_the_chunks_of_its_rows(tmp_path):
    values = cube("yx") | np.uint8(1)
    path = make(tmp_path / "in.zarr", values, "yx")
    for down, across in itertools.product((0, 1, 3, 4), range(3)):
        (path / "c" / str(down) / str(across)).write_bytes(b"broken")
    source = open_source(str(path), PhaseClock())
    rows = source.header.spec.empty(16)
    source.read_rows(32, rows)
    assert np.array_equal(rows[..., 0], values[32:48])
    with pytest.raises(DamagedInputError):
        source.read_rows(31, rows)
    source.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "int16"}, "uint8, uint16, float32 are read"),
        ({"dtype": "float64"}, "uint8, uint16, float32 are read"),
        ({"filters": [TransposeCodec(order=(1, 0))]}, "bytes, zstd, gzip, blosc, crc32c"),
        ({"compressors": [ZstdCodec(), GzipCodec()]}, "more than once"),
        ({"zarr_format": 2}, "Zarr 2"),
        ({"dimension_names": ["y", "q"]}, "c, z and t are known"),
    ],
)
def test_what_is_not_read_is_refused_with_what_is(tmp_path, options, words):
    zarr.create_array(
        tmp_path / "in.zarr", **{"shape": (70, 90), "chunks": (16, 16), "dtype": "uint8"} | options
    )
    with pytest.raises(UnsupportedFormatError, match=words):
        read_header(str(tmp_path / "in.zarr"))


def ome_image(path, values, axes, *, unit="micrometer", levels=1, **more):
    """Write an OME-Zarr image with levels that are merely cut out, its pixels 0.5 and 0.25 across."""
    group = zarr.open_group(path, mode="w", zarr_format=3)
    scale = {"y": 0.25, "x": 0.5}
    datasets = []
    for level in range(levels):
        make(path / f"level{level}", values[..., :: 2**level, :: 2**level], axes)
        sizes = [scale.get(axis, 1.0) * (2**level if axis in scale else 1) for axis in axes]
        steps = [{"type": "scale", "scale": sizes}]
        datasets.append({"path": f"level{level}", "coordinateTransformations": steps})
    units = {"unit": unit} if unit else {}
    named = [{"name": axis, **(units if axis in "yx" else {})} for axis in axes]
    multiscales = [{"axes": named, "datasets": datasets}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales, **more}
    return path


def test_ome_zarr_gives_its_largest_level_and_the_size_of_its_pixels(tmp_path):
    values = cube("cyx")
    path = ome_image(tmp_path / "in.ome.zarr", values, "cyx", levels=2, omero={"channels": []})
    assert np.array_equal(read(path), as_rows(values, "cyx"))
    metadata = read_header(str(path)).metadata
    assert metadata.resolution is not None
    assert metadata.resolution[:2] == pytest.approx((20_000, 40_000))
    assert metadata.resolution[2] == "centimeter"
    assert metadata.other == ("omero",)


def test_levels_are_listed_with_their_sizes(tmp_path):
    path = ome_image(tmp_path / "in.ome.zarr", cube("tczyx"), "tczyx", levels=3)
    assert list_pages(str(path), 5) == ([[(90, 70), (45, 35), (23, 18)]], 1)
    path = make(tmp_path / "in.zarr", cube("yx"), "yx")
    assert list_pages(str(path), 5) == ([[(90, 70)]], 1)


def test_ome_zarr_without_a_unit_has_no_resolution(tmp_path):
    path = ome_image(tmp_path / "in.ome.zarr", cube("yx"), "yx", unit=None)
    assert read_header(str(path)).metadata.resolution is None


@pytest.mark.parametrize("plane", ["t=1,z=2", "t=1,z=2,c=3", "z=1"])
def test_level_and_plane_of_a_stack_are_chosen_by_index(tmp_path, plane):
    values = cube("tczyx", "uint16")
    path = ome_image(tmp_path / "in.ome.zarr", values, "tczyx", levels=2)
    wanted = {"t=1,z=2": values[1, :, 2], "t=1,z=2,c=3": values[1, 3:4, 2], "z=1": values[0, :, 1]}[plane]
    options = SourceOptions(level=1, plane=plane)
    assert np.array_equal(read(path, 9, options), np.moveaxis(wanted[:, ::2, ::2], 0, -1))
    assert read_header(str(path), options).level == 1


@pytest.mark.parametrize(
    "options",
    [SourceOptions(level=2), SourceOptions(plane="z=3"), SourceOptions(plane="t=9"), SourceOptions(page=1)],
)
def test_level_plane_or_page_that_is_not_there_is_named(tmp_path, options):
    path = ome_image(tmp_path / "in.ome.zarr", cube("tczyx"), "tczyx", levels=2)
    with pytest.raises(MissingPageError, match=r"in\.ome\.zarr"):
        read_header(str(path), options)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({}, "no OME-Zarr image"),
        ({"ome": {"version": "0.5", "bioformats2raw.layout": 3}}, "folder 0"),
        ({"ome": {"version": "0.5", "plate": {}}}, "plate"),
        ({"ome": {"version": "0.6", "multiscales": [{}]}}, "0.5 is read"),
    ],
)
def test_group_that_is_no_image_is_refused_with_the_remedy(tmp_path, attributes, words):
    zarr.open_group(tmp_path / "in.zarr", mode="w", zarr_format=3, attributes=attributes)
    with pytest.raises(UnsupportedFormatError, match=words):
        read_header(str(tmp_path / "in.zarr"))


def test_folder_that_is_no_zarr_is_told_apart(tmp_path):
    with pytest.raises(MissingInputError, match="no Zarr"):
        read_header(str(tmp_path))


def test_attributes_are_reported(tmp_path):
    path = make(tmp_path / "in.zarr", picture(70, 90, 1, "uint8")[..., 0], "yx", attributes={"made": "today"})
    assert json.loads((path / "zarr.json").read_text())["attributes"] == {"made": "today"}
    assert read_header(str(path)).metadata.other == ("Zarr attributes",)
