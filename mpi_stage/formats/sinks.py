"""The sink for an output; ``registry`` has the source for an input.

The codecs are imported when they are needed, as there.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.formats.byte_sink import ByteSink, FileSink
from mpi_stage.formats.cog.layout import CogLayout
from mpi_stage.formats.headers import Header, Metadata
from mpi_stage.formats.nodata import nodata_value
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.ports import Sink, SinkPlan
from mpi_stage.formats.sink_plans import kind_written, plan_written
from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.zarr.layout import ZarrLayout
from mpi_stage.image import ImageSpec
from mpi_stage.process.timing import PhaseClock

if TYPE_CHECKING:
    from mpi_stage.formats.cog.sink import CogStore
    from mpi_stage.formats.zarr.place import ZarrPlace


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
    plan, settled, layout = plan_written(name, spec, metadata, like, options)
    order = _Order(path, spec, settled.metadata, plan, options, scratch_dir, clock)
    if isinstance(layout, ZarrLayout):
        return _zarr_sink(order, layout, nodata_value(metadata.nodata, spec.dtype))
    if isinstance(layout, CogLayout):
        return _cog_sink(order, layout)
    if layout is not None:
        return _tiff_sink(order, layout)
    return _raster_sink(order, kind_written(name, options))


@dataclass(frozen=True)
class _Order:
    """Everything that a sink is made of, beside its layout."""

    path: str
    spec: ImageSpec
    metadata: Metadata
    plan: SinkPlan
    options: SinkOptions
    scratch_dir: str
    clock: PhaseClock


def _zarr_sink(order: _Order, layout: ZarrLayout, nodata: float | None) -> Sink:
    if order.options.bands is not None and order.plan.band_rows:
        from mpi_stage.formats.zarr.band_sink import ZarrBandSink  # noqa: PLC0415 (start-up time)

        return ZarrBandSink(
            order.options.bands,
            layout,
            order.metadata,
            plan=order.plan,
            nodata=nodata,
            clock=order.clock,
            threads=order.options.threads,
        )
    from mpi_stage.formats.zarr.sink import ZarrSink  # noqa: PLC0415 (start-up time)

    return ZarrSink(
        _zarr_place(order),
        layout,
        order.metadata,
        plan=order.plan,
        nodata=nodata,
        clock=order.clock,
        threads=order.options.threads,
    )


def _zarr_place(order: _Order) -> "ZarrPlace":
    """Return where the shards of a Zarr go."""
    if order.options.uploads is None:
        from mpi_stage.formats.zarr.place import ZarrInFolder  # noqa: PLC0415 (start-up time)

        return ZarrInFolder(order.path)
    from mpi_stage.formats.zarr.objects import ZarrInBucket  # noqa: PLC0415 (start-up time)

    return ZarrInBucket(order.options.uploads.bucket, order.path, order.scratch_dir)


def _cog_sink(order: _Order, layout: CogLayout) -> Sink:
    from mpi_stage.formats.cog.sink import CogSink  # noqa: PLC0415 (start-up time)

    return CogSink(
        _cog_store(order, layout),
        layout,
        order.metadata,
        plan=order.plan,
        name=order.path,
        clock=order.clock,
        threads=order.options.threads,
    )


def _cog_store(order: _Order, layout: CogLayout) -> "CogStore":
    """Return where the tiles of a Cloud-Optimized GeoTIFF go."""
    if order.options.uploads is not None:
        from mpi_stage.formats.cog.parts import CogParts  # noqa: PLC0415 (start-up time)

        return CogParts(order.path, layout, uploads=order.options.uploads, clock=order.clock)
    from mpi_stage.formats.cog.file import CogFile  # noqa: PLC0415 (start-up time)

    front_bytes = layout.front_bytes(order.metadata)
    return CogFile(order.path, layout, front_bytes, scratch_dir=order.scratch_dir, clock=order.clock)


def _tiff_sink(order: _Order, layout: TiffLayout) -> Sink:
    threads = order.options.threads
    if order.options.uploads is not None and order.options.bands is not None and order.plan.band_rows:
        from mpi_stage.formats.tiff.object_bands import TiffObjectBandSink  # noqa: PLC0415 (start-up time)

        return TiffObjectBandSink(
            order.path,
            order.options.bands,
            layout,
            order.metadata,
            plan=order.plan,
            uploads=order.options.uploads,
            clock=order.clock,
            threads=threads,
        )
    if order.options.uploads is not None:
        from mpi_stage.formats.tiff.parts_sink import TiffPartsSink  # noqa: PLC0415 (start-up time)

        return TiffPartsSink(
            order.path,
            layout,
            order.metadata,
            plan=order.plan,
            uploads=order.options.uploads,
            clock=order.clock,
            threads=threads,
        )
    if order.options.bands is not None and order.plan.band_rows:
        from mpi_stage.formats.tiff.band_sink import TiffBandSink  # noqa: PLC0415 (start-up time)

        return TiffBandSink(
            order.options.bands,
            layout,
            order.metadata,
            plan=order.plan,
            clock=order.clock,
            threads=threads,
        )
    from mpi_stage.formats.tiff.sink import TiffSink  # noqa: PLC0415 (start-up time)

    return TiffSink(
        order.path,
        layout,
        order.metadata,
        plan=order.plan,
        scratch_dir=order.scratch_dir,
        clock=order.clock,
        threads=threads,
    )


def _raster_sink(order: _Order, kind: str) -> Sink:
    from mpi_stage.formats.raster.sink import RasterSink  # noqa: PLC0415 (start-up time)

    return RasterSink(
        _whole_sink(order.path, order.options),
        kind,
        order.spec,
        order.metadata,
        plan=order.plan,
        quality=order.options.quality,
        clock=order.clock,
    )


def _whole_sink(place: str, options: SinkOptions) -> ByteSink:
    """Return the sink for a file that one rank writes as a whole."""
    if options.uploads is None:
        return FileSink(place)
    from mpi_stage.objects.sink import ObjectSink  # noqa: PLC0415 (start-up time)

    return ObjectSink(options.uploads, place)
