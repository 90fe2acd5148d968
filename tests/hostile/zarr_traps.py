"""Hostile Zarr folders."""

import json
import struct

import imagecodecs
import numpy as np
from streams import deflated_zeros, zstd_zeros
from trap import Trap


def array(shape, chunk, codecs=None, **more):
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default"},
        "fill_value": 0,
        "codecs": codecs or [{"name": "bytes"}],
        "attributes": {},
        **more,
    }


def coded(name):
    return [{"name": "bytes"}, {"name": name, "configuration": {}}]


def sharded(inner, codecs=None):
    index = [{"name": "bytes"}, {"name": "crc32c"}]
    configuration = {"chunk_shape": inner, "codecs": codecs or [{"name": "bytes"}], "index_codecs": index}
    return [{"name": "sharding_indexed", "configuration": configuration}]


def folder(document, chunks=None):
    """Return what writes a folder: its metadata, and chunks by their key."""

    def write(path):
        path.mkdir()
        text = document if isinstance(document, str) else json.dumps(document)
        (path / "zarr.json").write_text(text)
        for key, data in (chunks or {}).items():
            place = path / key
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data() if callable(data) else data)

    return write


def blosc_of_2_gib():
    """A Blosc buffer whose header says that it holds two GiB."""
    stream = bytearray(imagecodecs.blosc_encode(np.zeros(4096, np.uint8), numthreads=1))
    struct.pack_into("<I", stream, 4, 2**31 - 1)
    return bytes(stream)


def gzip_zeros():
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + deflated_zeros(1 << 30)[2:]


def linked(path):
    folder(array([8, 8], [8, 8]))(path)
    (path / "c" / "0").mkdir(parents=True)
    (path / "c" / "0" / "0").symlink_to("/dev/zero")


def looped(path):
    folder(array([8, 8], [8, 8]))(path)
    (path / "c").symlink_to(path)


def pyramid(depth):
    levels = [{"path": ".", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}]}] * depth
    axes = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    return {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}


SMALL, ONE = [64, 64], "c/0/0"
TRAPS = (
    Trap("shape-of-2-40.zarr", folder(array([2**40, 2**40], [64, 64]))),
    Trap("sides-of-2-30.zarr", folder(array([2**30, 2**30], [64, 64]))),
    Trap("chunk-of-2-39.zarr", folder(array([64, 64], [2**39, 2**39]))),
    Trap("chunks-of-one-pixel.zarr", folder(array([64, 50_000_000], [1, 1]))),
    Trap("index-of-2-30.zarr", folder(array([2**20, 2**20], [2**20, 2**20], sharded([32, 32])))),
    Trap("dimensions.zarr", folder(array([1] * 10_000, [1] * 10_000))),
    Trap("negative.zarr", folder(array([-8, 8], [8, 8]))),
    Trap("deep.zarr", folder("[" * 4_000_000)),
    Trap("wide.zarr", folder("[" + "[]," * 2_500_000 + "[]]")),
    Trap("long.zarr", folder('{"a": "' + "x" * (9 << 20) + '"}')),
    Trap("itself.zarr", folder(pyramid(100_000)), options={"level": 5}),
    Trap(
        "zstd-bomb.zarr",
        folder(array(SMALL, SMALL, coded("zstd")), {ONE: lambda: zstd_zeros(1 << 33)}),
        bomb=False,
    ),
    Trap(
        "untold-zstd-bomb.zarr",
        folder(array(SMALL, SMALL, coded("zstd")), {ONE: lambda: zstd_zeros(1 << 32, told=False)}),
        bomb=False,
    ),
    Trap("gzip-bomb.zarr", folder(array(SMALL, SMALL, coded("gzip")), {ONE: gzip_zeros}), bomb=False),
    Trap(
        "blosc-of-2-gib.zarr", folder(array(SMALL, SMALL, coded("blosc")), {ONE: blosc_of_2_gib}), bomb=False
    ),
    Trap(
        "shard-beyond.zarr",
        folder(
            array(SMALL, SMALL, sharded([32, 32])), {ONE: struct.pack("<8Q", *[2**63, 2**62] * 4) + bytes(4)}
        ),
        bomb=False,
    ),
    Trap("linked.zarr", linked, bomb=False),
    Trap("looped.zarr", looped, bomb=False),
)
