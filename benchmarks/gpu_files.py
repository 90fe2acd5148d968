"""From file to file through the stage of one rank, on a CPU and on the GPU: seconds, memory, bytes."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from mpi_stage.contract import Request
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.worlds.world import World

SIZE_PX = 12288
TILE_PX = 256
MEMORY_BYTES = 8 << 30
DEADLINE_S = 60.0
SHOWN_S = 0.01
PIPELINES = ("invert", "gaussian", "median", "gaussian:sigma=9", "gaussian sobel otsu")


@dataclass(frozen=True)
class FileRun:
    """One run of the stage."""

    pipeline: str
    device: str
    seconds: float
    phases: str
    peak_bytes: int
    same: bool


def file_runs(size_px: int = SIZE_PX) -> Iterator[FileRun]:
    """Filter a large TIFF with each pipeline on both devices, warm."""
    memory = Path("/dev/shm")  # noqa: S108  (files in memory, in a folder of our own)
    place = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder, World(1) as world:
        source = Path(folder) / "in.tif"
        image = np.random.default_rng(5).integers(0, 256, (size_px, size_px, 3), np.uint8)
        tifffile.imwrite(source, image, photometric="rgb", tile=(TILE_PX, TILE_PX))
        del image
        for pipeline in PIPELINES:
            digests: list[str] = []
            for device in ("cpu", "gpu", "gpu"):  # the first time on the GPU compiles
                yield _run(world, source, pipeline, device, digests)


def _run(world: World, source: Path, pipeline: str, device: str, digests: list[str]) -> FileRun:
    output = source.with_name(f"{device}.tif")
    output.unlink(missing_ok=True)
    steps = to_json(parse(pipeline))
    request = Request(
        "gpu",
        str(source),
        str(output),
        output.name,
        steps,
        device=device,
        memory_bytes=MEMORY_BYTES,
        digest=False,
    )
    report = world.run(request, deadline_s=DEADLINE_S)
    digests.append(hashlib.sha256(output.read_bytes()).hexdigest())
    output.unlink()
    rank = report.ranks[0]
    phases = ", ".join(
        f"{name} {seconds:.2f}" for name, seconds in rank.seconds.items() if seconds >= SHOWN_S
    )
    return FileRun(
        pipeline, report.device, report.seconds, phases, rank.peak_anon_bytes, len(set(digests)) == 1
    )
