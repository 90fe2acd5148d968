"""Which format a file has, and the source for it; ``sinks`` has the sinks.

The codecs are imported when they are needed: a page or a plan that never opens an image starts
without them.
"""

import os
from contextlib import closing
from typing import TYPE_CHECKING

from mpi_stage.errors import DamagedInputError, MissingInputError, MissingPageError, UnsupportedFormatError
from mpi_stage.formats.byte_source import ByteSource, FileSource, read_start
from mpi_stage.formats.headers import Header
from mpi_stage.formats.options import SourceOptions
from mpi_stage.formats.ports import Source
from mpi_stage.formats.raster.kinds import KINDS, START_BYTES
from mpi_stage.formats.zarr.tree import MAX_DOCUMENT_BYTES
from mpi_stage.process.limits import LIMITS
from mpi_stage.process.timing import PhaseClock

if TYPE_CHECKING:
    from mpi_stage.formats.zarr.tree import Tree

_ZARR_2 = (".zarray", ".zgroup", ".zattrs")
_TIFF_MAGICS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_SHOWN_BYTES = 16
_AS_IT_IS = SourceOptions()


def read_header(path: str, options: SourceOptions = _AS_IT_IS) -> Header:
    """Return what the file at ``path`` says of the image that is asked for; decodes no pixel.

    Raises as :func:`open_source`.
    """
    source = open_source(path, PhaseClock(), options)
    source.close()
    return source.header


def open_source(path: str, clock: PhaseClock, options: SourceOptions = _AS_IT_IS) -> Source:
    """Open the image at ``path`` for reading rows; its header is parsed, no pixel decoded.

    Of an object of a bucket ``path`` is the URL. Raises MissingInputError, MissingPageError,
    UnsupportedFormatError, DamagedInputError, StorageError.
    """
    tree = _tree_of(path, options)
    if tree is not None:
        with LIMITS.parsing(MAX_DOCUMENT_BYTES):
            return _tree_source(tree, clock, options)
    data = _open_bytes(path, options)
    try:
        with LIMITS.parsing(data.size_bytes):
            return _source_of(data, clock, options)
    except BaseException:
        data.close()
        raise


def _open_bytes(place: str, options: SourceOptions) -> ByteSource:
    """Open a file or an object; see :func:`open_source`."""
    if options.bucket is None:
        return FileSource(place)
    from mpi_stage.objects.source import ObjectSource  # noqa: PLC0415 (start-up time)

    return ObjectSource(options.bucket, place)


def _source_of(data: ByteSource, clock: PhaseClock, options: SourceOptions) -> Source:
    """Return the source for a file of whatever format its bytes show; it closes ``data`` in the end."""
    kind = _kind_of(data)
    if kind == "tiff":
        from mpi_stage.formats.tiff.source import TiffSource  # noqa: PLC0415 (start-up time)

        return TiffSource(data, clock, options)
    _check_single(data.name, kind, options)
    from mpi_stage.formats.raster.source import RasterSource  # noqa: PLC0415 (start-up time)

    return RasterSource(data, kind, clock)


def _check_single(path: str, kind: str, options: SourceOptions) -> None:
    """Refuse a page, plane or level of a file that holds one image; raises MissingPageError."""
    if options.page or options.plane is not None or options.level:
        raise MissingPageError(
            f"{path} is {KINDS[kind].name}, which holds one image: no page, plane or level can be asked for."
        )


def list_pages(
    path: str, most: int, options: SourceOptions = _AS_IT_IS
) -> tuple[list[list[tuple[int, int]]], int]:
    """Return the columns and rows of each level of the first ``most`` images of a file, and their number.

    Raises what :func:`open_source` raises.
    """
    tree = _tree_of(path, options)
    if tree is not None:
        from mpi_stage.formats.zarr import header as zarr_header  # noqa: PLC0415 (start-up time)

        with closing(tree), LIMITS.parsing(MAX_DOCUMENT_BYTES):
            return [zarr_header.list_levels(tree)], 1
    with closing(_open_bytes(path, options)) as data, LIMITS.parsing(data.size_bytes):
        if _kind_of(data) == "tiff":
            from mpi_stage.formats.tiff import pages as tiff_pages  # noqa: PLC0415 (start-up time)

            return tiff_pages.list_pages(data, most)
    spec = read_header(path, SourceOptions(bucket=options.bucket)).spec
    return [[(spec.columns, spec.rows)]], 1


def _tree_of(place: str, options: SourceOptions) -> "Tree | None":
    """Return what an image consists of that is many files or objects, None where it is one."""
    if options.bucket is not None:
        from mpi_stage.objects.address import ObjectAddress  # noqa: PLC0415 (start-up time)
        from mpi_stage.objects.tree import ObjectTree, is_tree  # noqa: PLC0415 (start-up time)

        return ObjectTree(options.bucket, place) if is_tree(ObjectAddress.parse(place)) else None
    if not os.path.isdir(place):  # noqa: PTH112 (the path is a plain string throughout)
        return None
    from mpi_stage.formats.zarr.tree import FolderTree  # noqa: PLC0415 (start-up time)

    return FolderTree(place)


def _tree_source(tree: "Tree", clock: PhaseClock, options: SourceOptions) -> Source:
    """Return the source for an image that is many files or objects; it closes ``tree`` in the end."""
    from mpi_stage.formats.tiff.ome_planes import parse_plane  # noqa: PLC0415 (start-up time)
    from mpi_stage.formats.zarr.source import ZarrSource  # noqa: PLC0415 (start-up time)

    try:
        _check_zarr(tree, options)
        indices = None if options.plane is None else parse_plane(options.plane)
    except BaseException:
        tree.close()
        raise
    return ZarrSource(tree, clock, level=options.level, indices=indices, threads=options.threads)


def _check_zarr(tree: "Tree", options: SourceOptions) -> None:
    """Refuse what is no Zarr of a version that is read, and a page of one."""
    if any(tree.size(name) is not None for name in _ZARR_2):
        raise UnsupportedFormatError(f"{tree.root} is of Zarr 2; Zarr 3 is read. Convert it first.")
    if tree.size("zarr.json") is None:
        raise MissingInputError(f"{tree.root} is a folder and no Zarr; name one image in it.")
    if options.page:
        raise MissingPageError(
            f"{tree.root} is a Zarr, which has no pages; ask for a plane or a level of it."
        )


def _kind_of(data: ByteSource) -> str:
    """Return the format that a file's first bytes show, whatever it is called."""
    start = read_start(data, START_BYTES)
    if start.startswith(_TIFF_MAGICS):
        return "tiff"
    for name, kind in KINDS.items():
        if kind.is_of(start):
            return name
    if not start:
        raise DamagedInputError(f"{data.name} is empty. Get a fresh copy.")
    magics = [*_TIFF_MAGICS, *(magic for kind in KINDS.values() for magic in kind.magics)]
    if any(magic.startswith(start) for magic in magics):
        raise DamagedInputError(f"{data.name} ends after {len(start)} bytes. Get a fresh copy.")
    raise UnsupportedFormatError(
        f"{data.name} is no image of a kind that is read here "
        f"(TIFF, Zarr, {', '.join(kind.name for kind in KINDS.values())}): "
        f"it begins with {start[:_SHOWN_BYTES]!r}."
    )
