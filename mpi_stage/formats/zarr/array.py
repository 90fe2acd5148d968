"""The metadata of a Zarr 3 array, as far as reading its pixels needs them.

After the *Zarr core specification, version 3* and its sharding codec.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpi_stage.errors import DamagedInputError, LimitError, UnsupportedFormatError
from mpi_stage.formats.zarr.json_objects import Json, named, read_document, sizes
from mpi_stage.formats.zarr.tree import Tree

TYPES = ("uint8", "uint16", "float32")
COMPRESSORS = ("zstd", "gzip", "blosc")
MAX_SIDE = 2**40
MAX_DIMENSIONS = 8
MAX_CHUNK_BYTES = 1 << 30
MAX_INDEX_BYTES = 64 << 20
ENTRY_BYTES = 16
CRC_BYTES = 4
_READ = f"bytes, {', '.join(COMPRESSORS)}, crc32c and sharding_indexed are read. Write it anew with those."
_FIELDS = {
    *("zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value"),
    *("codecs", "attributes", "storage_transformers", "dimension_names"),
}
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True)
class Codecs:
    """How values become bytes: their order, then the bytes-to-bytes codecs in the order of encoding."""

    little: bool
    chain: tuple[str, ...]

    @property
    def compressor(self) -> str:
        """The name of the one codec that compresses, or ``none``."""
        return next((name for name in self.chain if name in COMPRESSORS), "none")


@dataclass(frozen=True)
class Sharding:
    """How the chunks of a shard are found.

    ``counts`` are the chunks of a shard along each dimension. The index has an offset and a length
    for each, and a checksum if ``checked``; it lies at the end of the shard or at its ``start``.
    """

    counts: tuple[int, ...]
    little: bool
    checked: bool
    start: bool

    @property
    def index_bytes(self) -> int:
        """Bytes of the index."""
        return math.prod(self.counts) * ENTRY_BYTES + CRC_BYTES * self.checked


@dataclass(frozen=True)
class ZarrArray:
    """An array: ``chunk`` is the shape of what is decoded at once, ``sharding`` how chunks are gathered."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    chunk: tuple[int, ...]
    codecs: Codecs
    sharding: Sharding | None
    separator: str
    prefix: str
    fill: float
    names: tuple[str | None, ...]

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a decoded chunk."""
        return math.prod(self.chunk) * np.dtype(self.dtype).itemsize

    def key(self, place: tuple[int, ...]) -> str:
        """Return the key of the object with the shard, or the chunk, at ``place`` of its grid."""
        name = self.separator.join([self.prefix, *map(str, place)] if self.prefix else map(str, place))
        return f"{self.path}/{name}" if self.path else name


def parse_array(tree: Tree, path: str, document: Json | None = None) -> ZarrArray:
    """Return the array at ``path`` of ``tree``; reads its metadata unless they are given.

    Raises DamagedInputError, UnsupportedFormatError with the list of what is read, LimitError.
    """
    found = read_document(tree, path) if document is None else document
    where = f"{tree.root}/{path}" if path else tree.root
    if found.get("node_type") != "array":
        raise DamagedInputError(f"{where} should be an array and is {str(found.get('node_type'))[:80]!r}.")
    _check_understood(found, where)
    dtype = _data_type(found.get("data_type"), where)
    shape = sizes(found.get("shape"), f"{where}: the shape", least=1, most=MAX_SIDE)
    if len(shape) > MAX_DIMENSIONS:
        raise UnsupportedFormatError(f"{where} has {len(shape)} dimensions; up to {MAX_DIMENSIONS} are read.")
    outer = _grid(found.get("chunk_grid"), len(shape), where)
    chunk, codecs, sharding = _codecs(found.get("codecs"), outer, where)
    prefix, separator = _keys(found.get("chunk_key_encoding"), where)
    array = ZarrArray(
        path=path,
        shape=shape,
        dtype=dtype,
        chunk=chunk,
        codecs=codecs,
        sharding=sharding,
        separator=separator,
        prefix=prefix,
        fill=_fill(found.get("fill_value"), dtype, where),
        names=_names(found.get("dimension_names"), len(shape), where),
    )
    if array.chunk_bytes > MAX_CHUNK_BYTES:
        raise LimitError(
            f"{where} has chunks of {array.chunk_bytes} bytes; up to {MAX_CHUNK_BYTES} are decoded at once. "
            "Write it anew with smaller chunks."
        )
    if sharding is not None and sharding.index_bytes > MAX_INDEX_BYTES:
        raise LimitError(
            f"{where} has shards with an index of {sharding.index_bytes} bytes; up to {MAX_INDEX_BYTES} are "
            "read. Write it anew with smaller shards."
        )
    return array


def _check_understood(found: Json, where: str) -> None:
    """Refuse extensions that change what the array means."""
    for name in sorted(set(found) - _FIELDS):
        value = found[name]
        if not (isinstance(value, dict) and value.get("must_understand") is False):
            raise UnsupportedFormatError(f"{where} uses the extension {name[:80]!r}, which is not read.")
    if found.get("storage_transformers"):
        raise UnsupportedFormatError(f"{where} uses storage transformers, which are not read.")


def _data_type(value: Any, where: str) -> str:  # noqa: ANN401 (any JSON)
    if isinstance(value, str) and value in TYPES:
        return value
    raise UnsupportedFormatError(
        f"{where} has values of type {str(value)[:80]}; {', '.join(TYPES)} are read. Convert it first."
    )


def _grid(value: Any, dimensions: int, where: str) -> tuple[int, ...]:  # noqa: ANN401 (any JSON)
    name, configuration = named(value, f"{where}: the chunk grid")
    if name != "regular":
        raise UnsupportedFormatError(
            f"{where} has a chunk grid of kind {name[:80]!r}; regular ones are read."
        )
    return _chunk(configuration.get("chunk_shape"), dimensions, where)


def _chunk(value: Any, dimensions: int, where: str) -> tuple[int, ...]:  # noqa: ANN401 (any JSON)
    found = sizes(value, f"{where}: the chunk shape", least=1, most=MAX_SIDE)
    if len(found) != dimensions:
        raise DamagedInputError(f"{where} has {dimensions} dimensions and chunks of {len(found)}.")
    return found


def _codecs(
    value: Any,  # noqa: ANN401 (any JSON)
    outer: tuple[int, ...],
    where: str,
) -> tuple[tuple[int, ...], Codecs, Sharding | None]:
    """Return the shape of the chunks, their codecs and how they are gathered into shards."""
    given = _list(value, where)
    if not given or named(given[0], where)[0] != "sharding_indexed":
        return outer, _chain(given, where), None
    if len(given) > 1:
        raise UnsupportedFormatError(f"{where} encodes its shards once more as a whole, which is not read.")
    configuration = named(given[0], where)[1]
    inner = _chunk(configuration.get("chunk_shape"), len(outer), where)
    if any(whole % part for whole, part in zip(outer, inner, strict=True)):
        raise DamagedInputError(f"{where} has shards of {outer}, which chunks of {inner} do not divide.")
    index = _chain(_list(configuration.get("index_codecs"), where), where)
    if index.compressor != "none" or len(index.chain) > 1:
        raise UnsupportedFormatError(f"{where} has a shard index that is compressed, which is not read.")
    location = configuration.get("index_location", "end")
    if location not in {"start", "end"}:
        raise DamagedInputError(
            f"{where} has its shard index at {str(location)[:80]!r}; start or end is due."
        )
    sharding = Sharding(
        counts=tuple(whole // part for whole, part in zip(outer, inner, strict=True)),
        little=index.little,
        checked=bool(index.chain),
        start=location == "start",
    )
    return inner, _chain(_list(configuration.get("codecs"), where), where), sharding


def _list(value: Any, where: str) -> list[Any]:  # noqa: ANN401 (any JSON)
    if not isinstance(value, list):
        raise DamagedInputError(f"{where} should have a list of codecs, and has {str(value)[:80]}.")
    return value


def _chain(given: list[Any], where: str) -> Codecs:
    """Return the codecs of a chunk or an index."""
    parsed = [named(one, f"{where}: a codec") for one in given]
    names = [name for name, _ in parsed]
    if not names or names[0] != "bytes" or not set(names[1:]) <= {*COMPRESSORS, "crc32c"}:
        raise UnsupportedFormatError(f"{where} is coded with {', '.join(names)[:200] or 'nothing'}; {_READ}")
    if sum(name in COMPRESSORS for name in names) > 1:
        raise UnsupportedFormatError(f"{where} is compressed more than once ({', '.join(names)}); {_READ}")
    endian = parsed[0][1].get("endian", "little")
    if endian not in {"little", "big"}:
        raise DamagedInputError(f"{where} has bytes in the order {str(endian)[:80]!r}; little or big is due.")
    return Codecs(endian == "little", tuple(names[1:]))


def _keys(value: Any, where: str) -> tuple[str, str]:  # noqa: ANN401 (any JSON)
    """Return what keys begin with and what separates their numbers."""
    name, configuration = named(value, f"{where}: the chunk key encoding")
    defaults = {"default": ("c", "/"), "v2": ("", ".")}
    if name not in defaults:
        raise UnsupportedFormatError(f"{where} names its chunks in the way {name[:80]!r}, which is not read.")
    prefix, separator = defaults[name]
    separator = configuration.get("separator", separator)
    if separator not in {"/", "."}:
        raise DamagedInputError(f"{where} separates its chunks' numbers by {str(separator)[:80]!r}.")
    return prefix, separator


def _fill(value: Any, dtype: str, where: str) -> float:  # noqa: ANN401 (any JSON)
    """Return the value of chunks that are not there."""
    if isinstance(value, str) and dtype == "float32":
        if value in _SPECIAL:
            return _SPECIAL[value]
        if value.startswith("0x") and len(value) == len("0x") + 8:
            try:
                return float(np.uint32(int(value, 16)).view(np.float32))
            except ValueError:
                pass
    elif isinstance(value, int | float) and not isinstance(value, bool):
        limits = np.finfo(dtype) if dtype == "float32" else np.iinfo(dtype)
        whole = isinstance(value, int) or value.is_integer()
        if float(limits.min) <= value <= float(limits.max) and (whole or dtype == "float32"):
            return float(value)
    raise DamagedInputError(f"{where} has the fill value {str(value)[:80]!r}, which is no {dtype}.")


def _names(value: Any, dimensions: int, where: str) -> tuple[str | None, ...]:  # noqa: ANN401 (any JSON)
    if value is None:
        return (None,) * dimensions
    if (
        isinstance(value, list)
        and len(value) == dimensions
        and all(one is None or isinstance(one, str) for one in value)
    ):
        return tuple(value)
    raise DamagedInputError(f"{where} should have {dimensions} dimension names, and has {str(value)[:80]}.")
