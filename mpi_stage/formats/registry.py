"""Which format a file has, and the source or sink for it.

The codecs are imported when they are needed: a page or a plan that never opens an image starts
without them.
"""

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_stage.errors import (
    DamagedInputError,
    MissingInputError,
    MissingPageError,
    ParameterError,
    UnsupportedFormatError,
)
from mpi_stage.formats.base import Header, Metadata, Sink, SinkOptions, SinkPlan, Source, SourceOptions
from mpi_stage.formats.byte_sink import ByteSink, FileSink
from mpi_stage.formats.byte_source import ByteSource, FileSource, read_start
from mpi_stage.formats.cog_layout import CogLayout, choose_cog
from mpi_stage.formats.metadata import EXIF_PREFIX, Settled, settle
from mpi_stage.formats.nodata import nodata_value
from mpi_stage.formats.raster_kinds import KINDS, NAMES, check_quality, check_raster
from mpi_stage.formats.tiff_layout import TiffLayout, choose_layout
from mpi_stage.formats.zarr_layout import ZarrLayout, choose_zarr
from mpi_stage.image import ImageSpec
from mpi_stage.timing import PhaseClock

if TYPE_CHECKING:
    from mpi_stage.formats.cog_sink import CogStore

SUFFIXES = {
    ".tif": "tiff",
    ".tiff": "tiff",
    ".btf": "tiff",
    ".tf8": "tiff",
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
    ".bmp": "bmp",
    ".zarr": "zarr",
}
_OME_ZARR = ".ome.zarr"
_ZARR_2 = (".zarray", ".zgroup", ".zattrs")
FORMATS = ("cog", *dict.fromkeys(SUFFIXES.values()), "ome-zarr")
"""What may be asked for, whatever a file's name."""

_COG = (".cog.tif", ".cog.tiff")
_MAGICS = (
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"BM", "bmp"),
)
_AVIF_BRANDS = (b"avif", b"avis", b"mif1", b"msf1")
_START_BYTES = 16
_AS_IT_IS = SourceOptions()
_BMP_HEADER_BYTES = 26
_ENCODER_BYTES = 4 << 20
_TIFF_TAKES = ("icc_profile", "resolution", "description", "orientation", "geo", "nodata")
_MAX_JPEG_EXIF_BYTES = 65_533 - len(EXIF_PREFIX)


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
    if os.path.isdir(path):  # noqa: PTH112 (the path is a plain string throughout)
        return _folder_source(path, clock, options)
    data = _open_bytes(path, options)
    try:
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
        from mpi_stage.formats.tiff_source import TiffSource  # noqa: PLC0415 (start-up time)

        return TiffSource(data, clock, options)
    _check_single(data.name, kind, options)
    from mpi_stage.formats.raster_source import RasterSource  # noqa: PLC0415 (start-up time)

    return RasterSource(data, kind, clock)


def _check_single(path: str, kind: str, options: SourceOptions) -> None:
    """Refuse a page, plane or level of a file that holds one image; raises MissingPageError."""
    if options.page or options.plane is not None or options.level:
        raise MissingPageError(
            f"{path} is {NAMES[kind]}, which holds one image: no page, plane or level can be asked for."
        )


def list_pages(
    path: str, most: int, options: SourceOptions = _AS_IT_IS
) -> tuple[list[list[tuple[int, int]]], int]:
    """Return the columns and rows of each level of the first ``most`` images of a file, and their number.

    Raises what :func:`open_source` raises.
    """
    if os.path.isdir(path):  # noqa: PTH112 (the path is a plain string throughout)
        from mpi_stage.formats import zarr_header  # noqa: PLC0415 (start-up time)

        return [zarr_header.list_levels(path)], 1
    with closing(_open_bytes(path, options)) as data:
        if _kind_of(data) == "tiff":
            from mpi_stage.formats import tiff_pages  # noqa: PLC0415 (start-up time)

            return tiff_pages.list_pages(data, most)
    spec = read_header(path, SourceOptions(bucket=options.bucket)).spec
    return [[(spec.columns, spec.rows)]], 1


def plan_sink(name: str, spec: ImageSpec, like: Header | None, options: SinkOptions) -> SinkPlan:
    """Say how an image of ``spec`` would be written under ``name``, whose suffix gives the format.

    ``like`` is the input's header, whose layout and metadata the output follows. Touches no file.
    Raises UnsupportedFormatError for a suffix that is not written, UnsupportedImageError where the
    format cannot hold the image, ParameterError for options that it does not have.
    """
    return _plan(name, spec, like.metadata if like else Metadata(), like, options)[0]


def create_sink(  # noqa: PLR0917 (every rank calls it alike, with all there is)
    path: str,
    name: str,
    spec: ImageSpec,
    metadata: Metadata,
    like: Header | None,
    options: SinkOptions,
    scratch_dir: str,
    clock: PhaseClock,
) -> Sink:
    """Return a sink that writes ``path`` in the format that ``name`` has; raises what the plan raises.

    Every rank passes the same arguments; with uploads in the options ``path`` is the URL of an object.
    ``scratch_dir`` takes the parts of a compressed TIFF, best
    on the device that holds ``path``. The file is made by the sink's ``create``.
    """
    plan, settled, layout = _plan(name, spec, metadata, like, options)
    if isinstance(layout, ZarrLayout):
        from mpi_stage.formats.zarr_sink import ZarrSink  # noqa: PLC0415 (start-up time)

        nodata = nodata_value(metadata.nodata, spec.dtype)
        return ZarrSink(
            path,
            layout,
            settled.metadata,
            plan=plan,
            nodata=nodata,
            clock=clock,
            threads=options.threads,
        )
    if isinstance(layout, CogLayout):
        from mpi_stage.formats.cog_sink import CogSink  # noqa: PLC0415 (start-up time)

        store = _cog_store(path, layout, settled.metadata, options, scratch_dir, clock)
        threads = options.threads
        return CogSink(store, layout, settled.metadata, plan=plan, name=path, clock=clock, threads=threads)
    if layout is not None:
        if options.uploads is not None:
            from mpi_stage.formats.tiff_parts_sink import TiffPartsSink  # noqa: PLC0415 (start-up time)

            return TiffPartsSink(
                path,
                layout,
                settled.metadata,
                plan=plan,
                uploads=options.uploads,
                clock=clock,
                threads=options.threads,
            )
        from mpi_stage.formats.tiff_sink import TiffSink  # noqa: PLC0415 (start-up time)

        return TiffSink(
            path,
            layout,
            settled.metadata,
            plan=plan,
            scratch_dir=scratch_dir,
            clock=clock,
            threads=options.threads,
        )
    from mpi_stage.formats.raster_sink import RasterSink  # noqa: PLC0415 (start-up time)

    kind = _kind_written(name, options)
    return RasterSink(
        _whole_sink(path, options),
        kind,
        spec,
        settled.metadata,
        plan=plan,
        quality=options.quality,
        clock=clock,
    )


def _cog_store(  # noqa: PLR0917 (called in one place)
    path: str,
    layout: CogLayout,
    metadata: Metadata,
    options: SinkOptions,
    scratch_dir: str,
    clock: PhaseClock,
) -> "CogStore":
    """Return where the tiles of a Cloud-Optimized GeoTIFF go."""
    if options.uploads is not None:
        from mpi_stage.formats.cog_parts import CogParts  # noqa: PLC0415 (start-up time)

        return CogParts(path, layout, uploads=options.uploads, clock=clock)
    from mpi_stage.formats.cog_file import CogFile  # noqa: PLC0415 (start-up time)

    return CogFile(path, layout, layout.front_bytes(metadata), scratch_dir=scratch_dir, clock=clock)


def _plan(
    name: str, spec: ImageSpec, metadata: Metadata, like: Header | None, options: SinkOptions
) -> tuple[SinkPlan, Settled, CogLayout | TiffLayout | ZarrLayout | None]:
    """Return the plan, what becomes of the metadata and, for a TIFF or a Zarr, its layout."""
    kind = _kind_written(name, options)
    check_quality(options.quality)
    if kind == "cog":
        cog = choose_cog(spec, like, options)
        settled = settle(metadata, _TIFF_TAKES, spec, "TIFF")
        encode_bytes = cog.encode_bytes(options.threads)
        if options.uploads is not None:
            from mpi_stage.formats.cog_parts import upload_bytes  # noqa: PLC0415 (start-up time)

            encode_bytes += upload_bytes(cog)
        return _divisible(cog.row_unit, encode_bytes, settled), settled, cog
    if kind == "tiff":
        layout = choose_layout(spec, like, options)
        settled = settle(metadata, _TIFF_TAKES, spec, "TIFF")
        if options.uploads is None:
            return _divisible(layout.row_unit, layout.encode_bytes(options.threads), settled), settled, layout
        row_unit = min(layout.segment_rows, spec.rows)
        encode_bytes = layout.encode_bytes(options.threads, in_order=True)
        encode_bytes += _upload_bytes(options, layout.segment_bytes)
        return _divisible(row_unit, encode_bytes, settled), settled, layout
    if kind in {"zarr", "ome-zarr"}:
        if options.uploads is not None:
            raise UnsupportedFormatError(
                f"{name} is a Zarr, which is many objects; into a bucket only single ones are written. "
                "Write a TIFF."
            )
        ome = kind == "ome-zarr"
        cut = choose_zarr(spec, like, options, ome=ome)
        settled = settle(metadata, _zarr_takes(metadata, ome=ome), spec, "OME-Zarr" if ome else "Zarr")
        return _divisible(cut.row_unit, cut.encode_bytes(options.threads), settled), settled, cut
    limits = KINDS[kind]
    check_raster(limits, spec, options)
    takes = [field for field in limits.takes if field != "exif" or _exif_fits(kind, metadata)]
    settled = settle(metadata, takes, spec, limits.name)
    encode_bytes = int(limits.encode_factor * spec.total_bytes) + limits.encode_bytes_per_px * spec.pixels
    plan = SinkPlan(
        divisible=False,
        row_unit=1,
        encode_bytes=encode_bytes + _ENCODER_BYTES + _upload_bytes(options, 0),
        kept=settled.kept,
        dropped=settled.dropped,
    )
    return plan, settled, None


def _divisible(row_unit: int, encode_bytes: int, settled: Settled) -> SinkPlan:
    """Return the plan of a sink in which every rank writes its own rows."""
    return SinkPlan(
        divisible=True,
        row_unit=row_unit,
        encode_bytes=encode_bytes,
        kept=settled.kept,
        dropped=settled.dropped,
    )


def _zarr_takes(metadata: Metadata, *, ome: bool) -> tuple[str, ...]:
    """Return what a Zarr has a place for: OME-Zarr has pixel sizes, in units of length."""
    sized = ome and metadata.resolution is not None and metadata.resolution[2] != "none"
    return ("resolution",) if sized else ()


def _whole_sink(place: str, options: SinkOptions) -> ByteSink:
    """Return the sink for a file that one rank writes as a whole."""
    if options.uploads is None:
        return FileSink(place)
    from mpi_stage.objects.sink import ObjectSink  # noqa: PLC0415 (start-up time)

    return ObjectSink(options.uploads, place)


def _upload_bytes(options: SinkOptions, segment_bytes: int) -> int:
    """Bound of the memory that uploading takes on one rank."""
    if options.uploads is None:
        return 0
    from mpi_stage.objects.parts import held_bytes  # noqa: PLC0415 (start-up time)

    return held_bytes(segment_bytes)


def _exif_fits(kind: str, metadata: Metadata) -> bool:
    """Whether an EXIF block fits the one segment that JPEG has for it."""
    return kind != "jpeg" or len(metadata.exif or b"") <= _MAX_JPEG_EXIF_BYTES


def _kind_written(name: str, options: SinkOptions) -> str:
    """Return the format that is asked for, or else the one that a file name's suffix stands for."""
    if options.format is not None:
        if options.format not in FORMATS:
            raise ParameterError(f"outputs are written as {', '.join(FORMATS)}, not as {options.format!r}")
        return options.format
    if name.lower().endswith(_COG):
        return "cog"
    if name.lower().endswith(_OME_ZARR):
        return "ome-zarr"
    suffix = Path(name).suffix
    kind = SUFFIXES.get(suffix.lower())
    if kind is None:
        raise UnsupportedFormatError(
            f"{name} ends in {suffix or 'no suffix'}; outputs are written as {', '.join(SUFFIXES)}. "
            "Choose one of them."
        )
    return kind


def _folder_source(path: str, clock: PhaseClock, options: SourceOptions) -> Source:
    """Return the source for an image that is a folder."""
    if any(os.path.lexists(f"{path}/{name}") for name in _ZARR_2):
        raise UnsupportedFormatError(f"{path} is of Zarr 2; Zarr 3 is read. Convert it first.")
    if not os.path.lexists(f"{path}/zarr.json"):
        raise MissingInputError(f"{path} is a folder and no Zarr; name one image in it.")
    if options.page:
        raise MissingPageError(f"{path} is a Zarr, which has no pages; ask for a plane or a level of it.")
    from mpi_stage.formats.ome_planes import parse_plane  # noqa: PLC0415 (start-up time)
    from mpi_stage.formats.zarr_source import ZarrSource  # noqa: PLC0415 (start-up time)

    indices = None if options.plane is None else parse_plane(options.plane)
    return ZarrSource(path, clock, level=options.level, indices=indices, threads=options.threads)


def _kind_of(data: ByteSource) -> str:
    """Return the format that a file's first bytes show, whatever it is called."""
    start = read_start(data, _BMP_HEADER_BYTES)
    for magic, kind in _MAGICS:
        if start.startswith(magic) and (kind != "bmp" or _looks_like_bmp(start)):
            return kind
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    if start[4:8] == b"ftyp" and start[8:12] in _AVIF_BRANDS:
        return "avif"
    if not start:
        raise DamagedInputError(f"{data.name} is empty. Get a fresh copy.")
    for magic, kind in _MAGICS:
        if kind != "bmp" and magic.startswith(start):
            raise DamagedInputError(f"{data.name} ends after {len(start)} bytes. Get a fresh copy.")
    raise UnsupportedFormatError(
        f"{data.name} is no image of a kind that is read here "
        f"(TIFF, Zarr, {', '.join(NAMES.values())}): "
        f"it begins with {start[:_START_BYTES]!r}."
    )


def _looks_like_bmp(start: bytes) -> bool:
    """Whether more than two letters speak for a BMP: reserved zeros and a known header size."""
    return start[6:10] == bytes(4) and start[14:18] in {
        size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)
    }
