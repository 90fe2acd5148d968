"""The two ends of a request: what its input is read with, and its output written."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_stage.contract import Access, Request
from mpi_stage.formats.options import BandOptions, SinkOptions, SourceOptions
from mpi_stage.objects.address import ObjectAddress, is_object

if TYPE_CHECKING:
    from mpi_stage.objects.bucket import Bucket

Token = Callable[[], str | None]
"""Gives the access token where it is another one by now than the request's."""


@contextmanager
def open_bucket(request: Request, token: Token | None = None) -> Iterator["Bucket | None"]:
    """Yield what reads and writes the objects of a request; None where all is on this machine."""
    if not (is_object(request.input) or is_object(request.output)):
        yield None
        return
    from mpi_stage.objects.bucket import Bucket  # noqa: PLC0415 (start-up time)

    with closing(Bucket(request.access or Access(), token)) as bucket:
        yield bucket


def source_options(request: Request, bucket: "Bucket | None") -> SourceOptions:
    """Return which image of the input is read, and with what."""
    return SourceOptions(
        page=request.page,
        plane=request.plane,
        level=request.level,
        threads=request.threads,
        bucket=bucket if is_object(request.input) else None,
    )


def sink_options(request: Request, bucket: "Bucket | None") -> SinkOptions:
    """Return how the output is to be written, and with what."""
    tile = None if request.tile is None else (request.tile, request.tile)
    bands = request.bands
    options = SinkOptions(
        bands=None if bands is None else BandOptions(bands.folder, bands.band_bytes, request.digest),
        format=request.format,
        compression=request.compression,
        quality=request.quality,
        tile=tile,
        threads=request.threads,
    )
    if bucket is None or not is_object(request.output):
        return options
    from mpi_stage.objects.parts import Uploads  # noqa: PLC0415 (start-up time)

    prefix = ObjectAddress.parse(request.parts or f"{request.output}.parts/")
    return replace(options, uploads=Uploads(bucket, prefix))


def scratch_folder(request: Request) -> str:
    """Return the folder for what does not fit in memory: the one that was asked for, which is made.

    Else it is on the device of the output where that has one.
    """
    if request.scratch:  # who has made it may be on another machine
        Path(request.scratch).mkdir(parents=True, exist_ok=True)
        return request.scratch
    return tempfile.gettempdir() if is_object(request.output) else str(Path(request.output).parent)
