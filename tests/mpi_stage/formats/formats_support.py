"""What the tests of the formats share: one image written by several writers, and read back."""

import itertools
from pathlib import Path

import numpy as np

from mpi_stage.formats.headers import Header, Metadata
from mpi_stage.formats.options import SinkOptions, SourceOptions
from mpi_stage.formats.ports import SeamSink
from mpi_stage.formats.registry import open_source
from mpi_stage.formats.sinks import create_sink
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.process.timing import PhaseClock


def picture(rows: int, columns: int, channels: int, dtype: str, seed: int = 0) -> Pixels:
    """Draw smooth shapes with noise on them, using the type's whole range."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    waves = [0.5 + 0.4 * np.sin(x / (7 + c) + c) * np.cos(y / (5 + c)) for c in range(channels)]
    values = np.dstack(waves) + random.normal(0, 0.02, (rows, columns, channels))
    top = 1.0 if dtype == "float32" else float(np.iinfo(dtype).max)
    return (np.clip(values, 0, 1) * top).astype(dtype)


def spec_of(pixels: Pixels) -> ImageSpec:
    """Return the spec of an array."""
    rows, columns, channels = pixels.shape
    return ImageSpec(rows, columns, channels, pixels.dtype.name)


def slabs(rows: int, unit: int, writers: int) -> list[tuple[int, int]]:
    """Deal rows to writers in multiples of ``unit``; late writers may get none."""
    units = -(-rows // unit)
    cuts = [min(rows, units * i // writers * unit) for i in range(writers)] + [rows]
    return list(itertools.pairwise(cuts))


def write(
    path: Path,
    pixels: Pixels,
    *,
    writers: int = 1,
    block_rows: int = 64,
    options: SinkOptions | None = None,
    like: Header | None = None,
    metadata: Metadata | None = None,
) -> bytes:
    """Write ``pixels`` as ranks would, in the order of the Sink protocol; return the file's bytes.

    Of a folder no bytes are returned; see :func:`tree`.
    """
    scratch = path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    options, metadata = options or SinkOptions(), metadata or Metadata()
    sinks = [
        create_sink(
            str(path), path.name, spec_of(pixels), metadata, like, options, str(scratch), PhaseClock()
        )
        for _ in range(writers)
    ]
    plan = sinks[0].plan
    if plan.divisible:
        parts = slabs(len(pixels), plan.row_unit, writers)
    else:
        parts = [(0, len(pixels))] + [(0, 0)] * (writers - 1)
    try:
        sinks[0].create()
        for sink in sinks:
            sink.open()
        for sink, (first, last) in zip(sinks, parts, strict=True):
            for row in range(first, last, block_rows):
                sink.write_rows(row, pixels[row : min(last, row + block_rows)])
        for seam in [seam for sink in sinks if isinstance(sink, SeamSink) for seam in sink.seams()]:
            owner = next(
                sink for sink, (first, last) in zip(sinks, parts, strict=True) if first <= seam.home < last
            )
            owner.take_seam(seam.level, seam.first, seam.rows)
        sizes = [sink.end_part() for sink in sinks]
        for rank in reversed(range(writers)):
            sinks[rank].assemble(sizes, rank)
    finally:
        for sink in sinks:
            sink.close()
    assert list(scratch.iterdir()) == []
    return b"" if path.is_dir() else path.read_bytes()


def tree(path: Path) -> dict[str, bytes]:
    """Return the bytes of all files in a folder, by their paths in it."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def read(path: Path, block_rows: int = 1000, options: SourceOptions | None = None) -> Pixels:
    """Read the whole image through its source, block by block."""
    source = open_source(str(path), PhaseClock(), options or SourceOptions())
    spec = source.header.spec
    pixels = spec.empty(spec.rows)
    try:
        for first in range(0, spec.rows, block_rows):
            source.read_rows(first, pixels[first : first + block_rows])
    finally:
        source.close()
    return pixels
