"""Attempts at one image, one after the other, by worlds of any number of ranks."""

import os
import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile

from mpi_stage.contract import Bands, Request
from mpi_stage.errors import DamagedInputError, WorldError
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.worlds.world import World

BAND_ROWS = 32
ROWS, COLUMNS = 500, 700
DEADLINE_S = 100.0


class Worlds:
    """A warm world for each number of ranks; another where that has ended."""

    def __init__(self) -> None:
        self._worlds: dict[int, World] = {}

    def of(self, ranks: int) -> World:
        if ranks not in self._worlds or not self._worlds[ranks].alive:
            self._worlds[ranks] = World(ranks)
        return self._worlds[ranks]

    def close(self) -> None:
        for world in self._worlds.values():
            world.close()


class Attempts:
    """Attempts that keep their bands in folders of their own, each of which is told of those before."""

    def __init__(self, folder: Path, worlds: Worlds) -> None:
        self.folder = folder
        self.pixels = np.random.default_rng(6).integers(0, 256, (ROWS, COLUMNS, 3), np.uint8)
        self.sound, self.broken = folder / "sound.tif", folder / "broken.tif"
        tifffile.imwrite(
            self.sound, self.pixels, photometric="rgb", compression="zlib", rowsperstrip=16, metadata=None
        )
        self.world = worlds.of
        self._number = 0

    def places(self) -> list[Path]:
        """Return the folders of the attempts so far, newest first."""
        return sorted((self.folder / "bands").glob("*"), reverse=True)

    def request(self, source: Path, steps: str, *, name="out.tif", generation="1", bands=True, **options):
        self._number += 1
        output = self.folder / f"{self._number}-{name}"
        kept = None
        if bands:
            own = self.folder / "bands" / f"{self._number:04d}"
            earlier = [str(path) for path in self.places()]
            kept = Bands(str(own), generation, earlier, BAND_ROWS * COLUMNS * 3)
        told = to_json(parse(steps))
        options = {"compression": "none", "block_rows": 20, **options}
        return Request("case", str(source), str(output), name, told, bands=kept, **options)

    def run(self, ranks: int, steps: str, *, source: Path | None = None, **options):
        """Return the report of an attempt and what it made."""
        request = self.request(source or self.sound, steps, **options)
        report = self.world(ranks).run(request, deadline_s=DEADLINE_S)
        return report, made(request, report)

    def quiet(self, steps: str, **options):
        """Return what a run makes that keeps no bands."""
        return self.run(1, steps, bands=False, **options)

    def stopped(self, ranks: int, steps: str, *, at_row: int, **options) -> None:
        """Make an attempt that comes upon a damaged row."""
        shutil.copy(self.sound, self.broken)
        with tifffile.TiffFile(self.broken) as file:
            offset = file.pages[0].dataoffsets[at_row // 16]
        with self.broken.open("r+b") as file:
            file.seek(offset)
            file.write(b"not what zlib makes")
        request = self.request(self.broken, steps, **options)
        with pytest.raises(DamagedInputError):
            self.world(ranks).run(request, deadline_s=DEADLINE_S)

    def killed(self, ranks: int, steps: str, *, after: int, **options) -> int:
        """Make an attempt of which a rank is killed once ``after`` bands are there; return how many were."""
        request = self.request(self.sound, steps, **options)
        world = self.world(ranks)
        folder = Path(request.bands.folder)

        over = threading.Event()

        def strike() -> None:
            while not over.wait(0.001):
                if journalled(folder) >= after:
                    os.kill(world.pids()[-1], signal.SIGKILL)
                    return

        with ThreadPoolExecutor(1) as striker:
            struck = striker.submit(strike)
            try:
                with pytest.raises(WorldError, match=r"SIGKILL|rank"):
                    world.run(request, deadline_s=DEADLINE_S)
            finally:
                over.set()
            struck.result()
        return journalled(folder)


def made(request, report) -> dict[str, bytes] | bytes:
    """Return the bytes of an output, by file where it is a folder."""
    place = Path(request.bands.folder) / "output" if report.band_rows else Path(request.output)
    if place.is_dir():
        return {str(one.relative_to(place)): one.read_bytes() for one in place.rglob("*") if one.is_file()}
    return place.read_bytes()


def journalled(folder: Path) -> int:
    """Return how many bands the journals of an attempt have."""
    return sum(max(0, path.read_bytes().count(b"\n") - 1) for path in folder.glob("journal-*"))


def bands_of(report) -> int:
    """Return how many bands the output has."""
    return -(-report.rows // report.band_rows)


def count(report, what: str) -> int:
    """Return how many bands of a kind all ranks together had."""
    return sum(getattr(rank, f"bands_{what}") for rank in report.ranks)
