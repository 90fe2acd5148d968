"""Zarr folders that are damaged, or made to do harm: a typed error each, before memory is taken."""

import json
import os
import struct

import google_crc32c
import numpy as np
import pytest
import zarr
from formats_support import read
from zarr.codecs import BloscCodec, Crc32cCodec, GzipCodec, ZstdCodec

from mpi_stage.errors import DamagedInputError, InputError, LimitError, StageError, UnsupportedFormatError
from mpi_stage.formats.options import SourceOptions
from mpi_stage.formats.registry import open_source, read_header
from mpi_stage.process.timing import PhaseClock

ENTRY = struct.Struct("<QQ")
ABSENT = 2**64 - 1


@pytest.fixture
def sharded(tmp_path):
    """Give an array of four shards, each with an index of 16 chunks."""
    values = np.random.default_rng(0).integers(0, 255, (128, 128), np.uint8)
    path = tmp_path / "in.zarr"
    array = zarr.create_array(
        path, shape=(128, 128), chunks=(16, 16), shards=(64, 64), dtype="uint8", dimension_names=["y", "x"]
    )
    array[...] = values
    return path


def change(path, **fields):
    """Change fields of the array's metadata; None removes one."""
    document = json.loads((path / "zarr.json").read_text())
    document.update(fields)
    kept = {name: value for name, value in document.items() if value is not None}
    (path / "zarr.json").write_text(json.dumps(kept))


def grid(*shape):
    return {"name": "regular", "configuration": {"chunk_shape": list(shape)}}


def sharding(*chunk, **more):
    codecs = [{"name": "bytes"}]
    index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
    configuration = {"chunk_shape": list(chunk), "codecs": codecs, "index_codecs": index, **more}
    return [{"name": "sharding_indexed", "configuration": configuration}]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"chunk_grid": grid(0, 64)}, DamagedInputError),
        ({"chunk_grid": grid(-64, 64)}, DamagedInputError),
        ({"chunk_grid": grid(64)}, DamagedInputError),
        ({"chunk_grid": grid(1.5, 64)}, DamagedInputError),
        ({"chunk_grid": grid(2**40, 2**40), "codecs": [{"name": "bytes"}]}, LimitError),
        ({"chunk_grid": grid(2**63, 2**63)}, DamagedInputError),
        ({"chunk_grid": {"name": "rectangular"}}, UnsupportedFormatError),
        ({"chunk_grid": None}, DamagedInputError),
        ({"chunk_grid": [64, 64]}, DamagedInputError),
        ({"shape": [0, 128]}, DamagedInputError),
        ({"shape": [2**62, 2**62]}, DamagedInputError),
        ({"shape": [2**40, 2**40]}, UnsupportedFormatError),
        ({"shape": "wide"}, DamagedInputError),
        ({"shape": [True, 128]}, DamagedInputError),
        ({"shape": [1] * 40}, UnsupportedFormatError),
        ({"dimension_names": ["y"]}, DamagedInputError),
        ({"dimension_names": [1, 2]}, DamagedInputError),
        ({"data_type": {"name": "uint8"}}, UnsupportedFormatError),
        ({"data_type": None}, UnsupportedFormatError),
        ({"fill_value": 256}, DamagedInputError),
        ({"fill_value": "NaN"}, DamagedInputError),
        ({"fill_value": None}, DamagedInputError),
        ({"fill_value": 10**400, "data_type": "float32"}, DamagedInputError),
        ({"codecs": []}, UnsupportedFormatError),
        ({"codecs": "zstd"}, DamagedInputError),
        ({"codecs": [{"name": "bytes", "configuration": 5}]}, DamagedInputError),
        ({"codecs": [{"name": "bytes"}, {"name": "packbits"}]}, UnsupportedFormatError),
        ({"codecs": sharding(15, 16)}, DamagedInputError),
        ({"codecs": sharding(0, 16)}, DamagedInputError),
        ({"codecs": sharding(16, 16, index_location="middle")}, DamagedInputError),
        ({"codecs": sharding(16, 16, codecs=sharding(4, 4))}, UnsupportedFormatError),
        ({"codecs": [*sharding(16, 16), {"name": "zstd"}]}, UnsupportedFormatError),
        ({"codecs": sharding(1, 1), "chunk_grid": grid(2**20, 2**20)}, LimitError),
        (
            {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "/../"}}},
            DamagedInputError,
        ),
        ({"chunk_key_encoding": {"name": "spiral"}}, UnsupportedFormatError),
        ({"storage_transformers": [{"name": "other"}]}, UnsupportedFormatError),
        ({"must_know": {}}, UnsupportedFormatError),
        ({"zarr_format": 4}, UnsupportedFormatError),
        ({"node_type": "cube"}, UnsupportedFormatError),
    ],
)
def test_metadata_that_make_no_sense_are_refused_before_a_pixel_is_read(sharded, fields, kind):
    change(sharded, **fields)
    with pytest.raises(kind, match=r"in\.zarr"):
        read_header(str(sharded))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"zarr_format": 3, '])
def test_document_that_is_no_json_object_is_damaged(sharded, text):
    (sharded / "zarr.json").write_bytes(text)
    with pytest.raises(DamagedInputError, match=r"zarr\.json"):
        read_header(str(sharded))


def test_document_of_any_size_is_not_read(sharded):
    os.truncate(sharded / "zarr.json", 1 << 40)
    with pytest.raises(LimitError, match=r"zarr\.json"):
        read_header(str(sharded))


def test_extension_that_need_not_be_understood_is_passed_over(sharded):
    change(sharded, hint={"must_understand": False})
    assert read_header(str(sharded)).spec.rows == 128


def rewrite_index(shard, entries, *, checked=True):
    """Put other entries into the index at the end of a shard."""
    data = shard.read_bytes()
    index = bytearray(data[-260:-4])
    for number, (offset, count) in entries.items():
        ENTRY.pack_into(index, number * 16, offset, count)
    crc = struct.pack("<I", google_crc32c.value(bytes(index))) if checked else data[-4:]
    shard.write_bytes(data[:-260] + index + crc)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ((10**9, 100), "which has"),
        ((0, 10**9), "which has"),
        ((2**64 - 2, 2), "which has"),
        ((ABSENT, 5), "which has"),
        ((0, ABSENT), "which has"),
        ((0, 0), "does not decode|0 bytes"),
    ],
)
def test_shard_index_that_points_nowhere_is_damaged(sharded, entry, words):
    rewrite_index(sharded / "c" / "0" / "0", {5: entry})
    with pytest.raises(DamagedInputError, match=words):
        read(sharded)


def test_chunk_stored_in_far_more_bytes_than_it_has_is_damaged(sharded):
    shard = sharded / "c" / "0" / "0"
    shard.write_bytes(bytes(1 << 20) + shard.read_bytes())
    rewrite_index(shard, {0: (0, 1 << 20)})
    with pytest.raises(DamagedInputError, match="make sense"):
        read(sharded)


def test_shard_index_with_a_wrong_checksum_is_damaged(sharded):
    rewrite_index(sharded / "c" / "0" / "0", {5: (0, 100)}, checked=False)
    with pytest.raises(DamagedInputError, match="checksum"):
        read(sharded)


@pytest.mark.parametrize("left", [0, 100, 259])
def test_shard_shorter_than_its_index_is_damaged(sharded, left):
    os.truncate(sharded / "c" / "1" / "1", left)
    with pytest.raises(DamagedInputError, match="index"):
        read(sharded)


CHECKED = {"crc32c": Crc32cCodec(), "zstd with checksums": ZstdCodec(checksum=True), "gzip": GzipCodec()}
CODED = {"none": None, "zstd": ZstdCodec(), "blosc": BloscCodec(), **CHECKED}


def test_damage_is_told_by_whichever_thread_finds_it(sharded):
    before = read(sharded, options=SourceOptions(threads=3))
    rewrite_index(sharded / "c" / "1" / "1", {5: (0, 0)})
    source = open_source(str(sharded), PhaseClock(), SourceOptions(threads=3))
    rows = source.header.spec.empty(64)
    with pytest.raises(DamagedInputError, match="chunk 5, 5"):
        source.read_rows(64, rows)
    source.read_rows(0, rows)
    source.close()
    assert np.array_equal(rows, before[:64])


def cut(data):
    return data[: len(data) // 2]


def emptied(_data):
    return b""


def changed(data):
    data[len(data) // 2] ^= 0xFF
    return data


@pytest.mark.parametrize(
    ("coding", "harm"),
    [*((coding, harm) for coding in CODED for harm in (cut, emptied)), *((one, changed) for one in CHECKED)],
)
def test_chunk_that_is_damaged_is_noticed(tmp_path, coding, harm):
    values = np.random.default_rng(0).integers(0, 7, (64, 64)).astype(np.uint8)
    path = tmp_path / "in.zarr"
    options = {"shape": (64, 64), "chunks": (64, 64), "dtype": "uint8", "compressors": CODED[coding]}
    zarr.create_array(path, **options)[...] = values
    chunk = path / "c" / "0" / "0"
    chunk.write_bytes(harm(bytearray(chunk.read_bytes())))
    with pytest.raises(DamagedInputError, match="chunk 0, 0"):
        read(path)


def test_chunk_that_decodes_to_far_more_than_it_should_is_damaged(tmp_path):
    for compressors in (ZstdCodec(), GzipCodec(), BloscCodec()):
        bomb = zarr.create_array(
            tmp_path / "bomb.zarr",
            overwrite=True,
            shape=(2048, 2048),
            chunks=(2048, 2048),
            dtype="uint8",
            compressors=compressors,
        )
        bomb[...] = 1
        change(tmp_path / "bomb.zarr", shape=[8, 8], chunk_grid=grid(8, 8))
        with pytest.raises(DamagedInputError):
            read(tmp_path / "bomb.zarr")


@pytest.mark.parametrize("what", ["zarr.json", "c", "c/0", "c/0/0"])
def test_link_out_of_the_folder_is_not_followed(sharded, tmp_path, what):
    outside = tmp_path / "outside"
    (sharded / what).rename(outside)
    (sharded / what).symlink_to(outside)
    with pytest.raises(DamagedInputError, match="leads out of"):
        read(sharded)


def test_link_inside_the_folder_is_followed(sharded):
    before = read(sharded)
    (sharded / "c" / "0" / "0").rename(sharded / "elsewhere")
    (sharded / "c" / "0" / "0").symlink_to(sharded / "elsewhere")
    assert np.array_equal(read(sharded), before)


def test_pipe_or_folder_in_the_place_of_a_file_does_not_block(sharded):
    (sharded / "c" / "0" / "0").unlink()
    os.mkfifo(sharded / "c" / "0" / "0")
    with pytest.raises(DamagedInputError, match="should be a file"):
        read(sharded)
    (sharded / "c" / "0" / "0").unlink()
    (sharded / "c" / "0" / "0").mkdir()
    with pytest.raises(DamagedInputError, match="should be a file"):
        read(sharded)


@pytest.mark.parametrize("level_path", ["..", "../other", "/etc", "a//b", "", 5, "a\x00b", "a\\b"])
def test_level_outside_of_the_group_is_damaged(tmp_path, level_path):
    image = {"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": level_path}]}
    zarr.open_group(
        tmp_path / "in.zarr",
        mode="w",
        zarr_format=3,
        attributes={"ome": {"version": "0.5", "multiscales": [image]}},
    )
    with pytest.raises(DamagedInputError, match="no path in it"):
        read_header(str(tmp_path / "in.zarr"))


@pytest.mark.parametrize(
    "ome",
    [
        {"multiscales": []},
        {"multiscales": {}},
        {"multiscales": [5]},
        {"multiscales": [{"axes": [], "datasets": []}]},
        {"multiscales": [{"axes": 5, "datasets": [{"path": "0"}]}]},
        {"multiscales": [{"axes": [{"name": "y"}, {}], "datasets": [{"path": "0"}]}]},
        {"multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [7]}]},
        {"multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "absent"}]}]},
    ],
)
def test_ome_metadata_that_make_no_sense_are_refused(tmp_path, ome):
    attributes = {"ome": {"version": "0.5", **ome}}
    zarr.open_group(tmp_path / "in.zarr", mode="w", zarr_format=3, attributes=attributes)
    with pytest.raises(InputError, match=r"in\.zarr"):
        read_header(str(tmp_path / "in.zarr"))


def test_any_byte_of_the_metadata_may_be_wrong(sharded):
    """Whatever is changed, the header is read or a typed error is raised; nothing else."""
    document = (sharded / "zarr.json").read_bytes()
    random = np.random.default_rng(0)
    outcomes = set()
    for _ in range(300):
        broken = bytearray(document)
        for place in random.integers(0, len(document), 3):
            broken[place] = random.integers(32, 127)
        (sharded / "zarr.json").write_bytes(broken)
        try:
            read_header(str(sharded))
            outcomes.add("read")
        except StageError as error:
            outcomes.add(type(error).__name__)
    assert "DamagedInputError" in outcomes
