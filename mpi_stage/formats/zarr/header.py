"""The header of a Zarr image: an array, or one level of an OME-Zarr image, and one plane of it."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from mpi_stage.errors import MissingPageError, UnsupportedFormatError
from mpi_stage.formats.headers import Header, Layout, Metadata
from mpi_stage.formats.tile_pool import TILES_PER_THREAD
from mpi_stage.formats.zarr.array import ZarrArray, parse_array
from mpi_stage.formats.zarr.axes import Axes, find_axes
from mpi_stage.formats.zarr.chunks import shards_across
from mpi_stage.formats.zarr.codecs import most_stored_bytes
from mpi_stage.formats.zarr.json_objects import Json, read_document
from mpi_stage.formats.zarr.ome import parse_ome, resolution_of
from mpi_stage.formats.zarr.tree import Tree
from mpi_stage.image import ImageSpec

MAX_SIDE_PX = 2**31 - 1
MAX_CHANNELS = 65_535
_FIXED_BYTES = 1 << 20
_COPIES_OF_STORED = 3


@dataclass(frozen=True)
class ZarrImage:
    """An array, what its dimensions mean, and what is known of the image in it."""

    array: ZarrArray
    axes: Axes
    header: Header


def parse_zarr(
    tree: Tree, *, level: int = 0, indices: Mapping[str, int] | None = None, threads: int = 1
) -> ZarrImage:
    """Return the image that ``tree`` holds: level ``level``, and of stacks the plane at ``indices``.

    ``threads`` are to decode it.

    Raises DamagedInputError, UnsupportedFormatError, LimitError, and MissingPageError for a level or an
    index that there is not.
    """
    document = read_document(tree, "")
    if document.get("node_type") == "array":
        array = parse_array(tree, "", document)
        axes = find_axes(array.names, array.shape, indices or {}, tree.root)
        if level:
            raise MissingPageError(f"{tree.root} is a single array; it has no level {level}.")
        return ZarrImage(
            array, axes, _header(tree, array, axes, Metadata(other=_attributes(document)), 0, threads)
        )
    image = parse_ome(document, level, tree.root)
    array = parse_array(tree, image.path)
    axes = find_axes(image.names, _fitting(array, len(image.names), tree), indices or {}, tree.root)
    resolution = resolution_of(image, axes.y, axes.x)
    metadata = Metadata(resolution=resolution, other=(*image.other, *_attributes(document, but="ome")))
    return ZarrImage(array, axes, _header(tree, array, axes, metadata, level, threads))


def list_levels(tree: Tree) -> list[tuple[int, int]]:
    """Return columns and rows of each level of the image in ``tree``; raises as :func:`parse_zarr`."""
    found: list[tuple[int, int]] = []
    with suppress(MissingPageError):
        while True:
            spec = parse_zarr(tree, level=len(found)).header.spec
            found.append((spec.columns, spec.rows))
    return found


def _attributes(document: Json, but: str = "") -> tuple[str, ...]:
    """Name what no output takes over."""
    attributes = document.get("attributes")
    left = isinstance(attributes, dict) and bool(set(attributes) - {but})
    return ("Zarr attributes",) if left else ()


def _fitting(array: ZarrArray, dimensions: int, tree: Tree) -> tuple[int, ...]:
    """Return the shape of an array whose group says how many dimensions it has."""
    if len(array.shape) != dimensions:
        raise UnsupportedFormatError(
            f"{tree.root} has {dimensions} axes and an array of {len(array.shape)} dimensions."
        )
    return array.shape


def _header(  # noqa: PLR0917 (all of one image)
    tree: Tree, array: ZarrArray, axes: Axes, metadata: Metadata, level: int, threads: int
) -> Header:
    channels = 1 if axes.c is None else array.shape[axes.c]
    rows, columns = array.shape[axes.y], array.shape[axes.x]
    if max(rows, columns) > MAX_SIDE_PX or channels > MAX_CHANNELS:
        raise UnsupportedFormatError(
            f"{tree.root} has {columns} × {rows} px and {channels} channels; up to {MAX_SIDE_PX} px a side "
            f"and {MAX_CHANNELS} channels are read."
        )
    spec = ImageSpec(rows, columns, channels, array.dtype)
    chunk_rows = min(array.chunk[axes.y], rows)
    under_way = TILES_PER_THREAD * threads if threads > 1 else 0
    index_bytes = array.sharding.index_bytes if array.sharding else 0
    return Header(
        spec=spec,
        layout=Layout("zarr", (array.chunk[axes.y], array.chunk[axes.x]), array.codecs.compressor),
        metadata=metadata,
        divisible=True,
        row_unit=chunk_rows,
        decode_bytes=chunk_rows * spec.row_bytes
        + threads * array.chunk_bytes
        + (_COPIES_OF_STORED * threads + under_way) * most_stored_bytes(array.chunk_bytes)
        + (shards_across(array, axes.y) + 2) * index_bytes
        + tree.held_bytes
        + _FIXED_BYTES,
        stored_bytes=_chunks(array, axes) * array.chunk_bytes,
        level=level,
    )


def _chunks(array: ZarrArray, axes: Axes) -> int:
    """Return how many chunks hold a plane."""
    along = [
        math.ceil(length / side)
        for axis, (length, side) in enumerate(zip(array.shape, array.chunk, strict=True))
        if axis not in axes.fixed
    ]
    return math.prod(along)
