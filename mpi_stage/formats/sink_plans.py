"""Which format an output has, and what writing it takes: decided before any file is touched."""

from dataclasses import replace
from pathlib import Path

from mpi_stage.bands.grid import LEAST_BANDED_BYTES, choose_band_rows
from mpi_stage.errors import ParameterError, UnsupportedFormatError
from mpi_stage.formats.cog.layout import CogLayout, choose_cog
from mpi_stage.formats.headers import Header, Metadata
from mpi_stage.formats.metadata import Settled, settle
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.formats.raster.kinds import KINDS, WRITTEN, check_quality, check_raster
from mpi_stage.formats.tiff.layout import TiffLayout, choose_layout
from mpi_stage.formats.zarr.layout import ZarrLayout, choose_zarr
from mpi_stage.image import ImageSpec

SUFFIXES = {
    ".tif": "tiff",
    ".tiff": "tiff",
    ".btf": "tiff",
    ".tf8": "tiff",
    **{suffix: name for name in WRITTEN for suffix in KINDS[name].suffixes},
    ".zarr": "zarr",
}
_OME_ZARR = ".ome.zarr"
FOLDERS = ("zarr", "ome-zarr")
"""Formats that are folders of many files."""

FORMATS = ("cog", *dict.fromkeys(SUFFIXES.values()), "ome-zarr")
"""What may be asked for, whatever a file's name."""

_COG = (".cog.tif", ".cog.tiff")
_ENCODER_BYTES = 4 << 20
_TIFF_TAKES = ("icc_profile", "resolution", "description", "orientation", "geo", "nodata")


def plan_sink(name: str, spec: ImageSpec, like: Header | None, options: SinkOptions) -> SinkPlan:
    """Say how an image of ``spec`` would be written under ``name``, whose suffix gives the format.

    ``like`` is the input's header, whose layout and metadata the output follows. Touches no file.
    Raises UnsupportedFormatError for a suffix that is not written, UnsupportedImageError where the
    format cannot hold the image, ParameterError for options that it does not have.
    """
    return plan_written(name, spec, like.metadata if like else Metadata(), like, options)[0]


Planned = tuple[SinkPlan, Settled, CogLayout | TiffLayout | ZarrLayout | None]
"""A sink's plan, what becomes of the metadata and, for a TIFF or a Zarr, its layout."""


def plan_written(
    name: str, spec: ImageSpec, metadata: Metadata, like: Header | None, options: SinkOptions
) -> Planned:
    """Return all that is decided of an output; raises as :func:`plan_sink`."""
    kind = kind_written(name, options)
    check_quality(options.quality)
    plan, settled, layout = _plan_kind(kind, spec, metadata, like, options)
    if options.bands is not None and plan.band_rows is None and plan.no_bands is None:
        plan = replace(plan, no_bands=f"outputs of the format {kind} are not kept in bands")
    return plan, settled, layout


def _plan_kind(
    kind: str, spec: ImageSpec, metadata: Metadata, like: Header | None, options: SinkOptions
) -> Planned:
    if kind == "cog":
        return _plan_cog(spec, metadata, like, options)
    if kind == "tiff":
        return _plan_tiff(spec, metadata, like, options)
    if kind in FOLDERS:
        return _plan_zarr(spec, metadata, like, options, ome=kind == "ome-zarr")
    return _plan_raster(kind, spec, metadata, options)


def _plan_cog(spec: ImageSpec, metadata: Metadata, like: Header | None, options: SinkOptions) -> Planned:
    cog = choose_cog(spec, like, options)
    settled = settle(metadata, _TIFF_TAKES, spec, "TIFF")
    encode_bytes = cog.encode_bytes(options.threads)
    if options.uploads is not None:
        from mpi_stage.formats.cog.parts import upload_bytes  # noqa: PLC0415 (start-up time)

        encode_bytes += upload_bytes(cog)
    return _divisible(cog.row_unit, encode_bytes, settled), settled, cog


def _plan_tiff(spec: ImageSpec, metadata: Metadata, like: Header | None, options: SinkOptions) -> Planned:
    layout = choose_layout(spec, like, options)
    settled = settle(metadata, _TIFF_TAKES, spec, "TIFF")
    if options.uploads is None:
        plan = _divisible(layout.row_unit, layout.encode_bytes(options.threads), settled)
        return _banded(plan, spec, layout.band_unit, options), settled, layout
    row_unit = min(layout.segment_rows, spec.rows)
    encode_bytes = layout.encode_bytes(options.threads, in_order=True)
    from mpi_stage.objects.parts import PART_BYTES  # noqa: PLC0415 (start-up time)

    plan = _banded(_divisible(row_unit, encode_bytes, settled), spec, row_unit, options, PART_BYTES)
    held_bytes = layout.segment_bytes
    if plan.band_rows:  # a band is uploaded as a whole
        held_bytes = layout.worst_bytes(plan.band_rows)
    encode_bytes += _upload_bytes(options, held_bytes)
    return replace(plan, encode_bytes=encode_bytes), settled, layout


def _plan_zarr(
    spec: ImageSpec, metadata: Metadata, like: Header | None, options: SinkOptions, *, ome: bool
) -> Planned:
    cut = choose_zarr(spec, like, options, ome=ome)
    settled = settle(metadata, _zarr_takes(metadata, ome=ome), spec, "OME-Zarr" if ome else "Zarr")
    plan = _divisible(cut.row_unit, cut.encode_bytes(options.threads), settled)
    return plan if options.uploads else _banded(plan, spec, cut.row_unit, options), settled, cut


def _plan_raster(kind: str, spec: ImageSpec, metadata: Metadata, options: SinkOptions) -> Planned:
    check_raster(kind, spec, options)
    written = WRITTEN[kind]
    fits = len(metadata.exif or b"") <= written.max_exif_bytes
    takes = [field for field in written.takes if field != "exif" or fits]
    settled = settle(metadata, takes, spec, KINDS[kind].name)
    encode_bytes = int(written.encode_factor * spec.total_bytes) + written.encode_bytes_per_px * spec.pixels
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


def _banded(
    plan: SinkPlan, spec: ImageSpec, unit_rows: int, options: SinkOptions, usual_bytes: int | None = None
) -> SinkPlan:
    """Return the plan with bands, multiples of ``unit_rows``, where they are asked for and it is worth it."""
    if options.bands is None:
        return plan
    band_rows = choose_band_rows(spec, unit_rows, options.bands.band_bytes, usual_bytes)
    if band_rows is None:
        small = f"the output has {spec.total_bytes} bytes of pixels, and bands begin at {LEAST_BANDED_BYTES}"
        return replace(plan, no_bands=small)
    return replace(plan, row_unit=band_rows, band_rows=band_rows)


def _zarr_takes(metadata: Metadata, *, ome: bool) -> tuple[str, ...]:
    """Return what a Zarr has a place for: OME-Zarr has pixel sizes, in units of length."""
    sized = ome and metadata.resolution is not None and metadata.resolution[2] != "none"
    return ("resolution",) if sized else ()


def _upload_bytes(options: SinkOptions, segment_bytes: int) -> int:
    """Bound of the memory that uploading takes on one rank."""
    if options.uploads is None:
        return 0
    from mpi_stage.objects.parts import held_bytes  # noqa: PLC0415 (start-up time)

    return held_bytes(segment_bytes)


def kind_written(name: str, options: SinkOptions) -> str:
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
