"""Warm worlds of 1, 2, 3, 5 and 8 ranks, and an image filtered by each of them."""

from dataclasses import dataclass
from pathlib import Path

import tifffile

from mpi_stage.contract import Report, Request
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.worlds.world import World

RANKS = (1, 2, 3, 5, 8)
DEADLINE_S = 100.0


@dataclass(frozen=True)
class Filtered:
    """What one world made of an image."""

    ranks: int
    block_rows: int | None
    report: Report
    content: bytes
    path: Path


class Worlds:
    """One warm world for each number of ranks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._worlds: dict[int, World] = {}

    def run(self, ranks: int, source: Path, pipeline, *, read: bool = True, **options) -> Filtered:
        """Filter the image at ``source`` with one world; without ``read`` its content stays on disk."""
        request = self._request(ranks, source, pipeline, **options)
        report = self._world(ranks).run(request, deadline_s=DEADLINE_S)
        path = Path(request.output)
        content = path.read_bytes() if read else b""
        return Filtered(ranks, options.get("block_rows"), report, content, path)

    def plan(self, ranks: int, source: Path, pipeline, *, of: int | None = None, **options) -> dict:
        """Return the plan that one world would follow, or makes for a world of so many ranks."""
        return self._world(ranks).plan(self._request(ranks, source, pipeline, **options), ranks=of)

    def _world(self, ranks: int) -> World:
        if ranks not in self._worlds or not self._worlds[ranks].alive:
            self._worlds[ranks] = World(ranks)
        return self._worlds[ranks]

    def _request(self, ranks: int, source: Path, pipeline, *, suffix: str = ".tif", **options) -> Request:
        target = self.folder / f"out-{ranks}{suffix}"
        target.unlink(missing_ok=True)
        steps = to_json(parse(pipeline)) if isinstance(pipeline, str) else pipeline
        return Request("case", str(source), str(target), target.name, steps, **options)

    def write(self, pixels, **layout) -> Path:
        """Write an image for the worlds to read."""
        path = self.folder / "in.tif"
        photometric = "rgb" if pixels.shape[2] in {3, 4} else "minisblack"
        planar = "contig" if pixels.shape[2] > 1 else None
        pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
        tifffile.imwrite(path, pixels, photometric=photometric, planarconfig=planar, metadata=None, **layout)
        return path

    def close(self) -> None:
        """End all worlds."""
        for world in self._worlds.values():
            world.close()
