"""Where the tiles of a Cloud-Optimized GeoTIFF go that is a file of this machine."""

import os
import tempfile
from collections.abc import Sequence

import numpy as np

from mpi_stage.formats.cog.layout import FRAME_BYTES, CogLayout
from mpi_stage.formats.tiff.append import Appender
from mpi_stage.process.files import copy_bytes, create_file, output_errors, write_all
from mpi_stage.process.timing import PhaseClock


class CogFile:
    """Each level of a rank goes into an unnamed scratch file, and from there to its place.

    Where a level's tiles stand is known last: behind all smaller ones. Only uncompressed tiles, whose
    sizes are known, go straight to their place.
    """

    def __init__(
        self, path: str, layout: CogLayout, front_bytes: int, *, scratch_dir: str, clock: PhaseClock
    ) -> None:
        """Prepare to write ``path``; touches no file."""
        self._path, self._layout, self._front_bytes = path, layout, front_bytes
        self._scratch_dir, self._clock = scratch_dir, clock
        self._fd = -1
        self._scratch: dict[int, int] = {}

    def create(self) -> None:
        """Make the file; raises OutputExistsError, DiskFullError, OutputError."""
        create_file(self._path)

    def open(self) -> None:
        """Open the file for writing."""
        with output_errors(self._path):
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)

    def appender(self, level: int, row: int) -> Appender:
        """Return what takes this rank's tiles of a level, which begin at a row."""
        layout = self._layout.levels[level]
        if layout.compression == "none":
            whole = [np.full(one.segments, one.segment_bytes, np.uint64) for one in self._layout.levels]
            index = row // layout.segment_rows * layout.across
            place = int(self._layout.places(self._front_bytes, whole)[level][index]) - FRAME_BYTES // 2
            return Appender(self._fd, place, self._clock, framed=True)
        with output_errors(self._scratch_dir), tempfile.TemporaryFile(dir=self._scratch_dir) as scratch:
            self._scratch[level] = os.dup(scratch.fileno())
        return Appender(self._scratch[level], 0, self._clock, framed=True)

    def end(self) -> None:
        """Do nothing: what was appended is written."""

    def put(self, own: Sequence[tuple[int, int]]) -> None:
        """Copy each level of this rank to its place, given that and how many bytes it has."""
        with output_errors(self._path), self._clock.phase("write"):
            for level, fd in self._scratch.items():
                copy_bytes(fd, self._fd, *own[level])

    def finish(self, front: bytes, size_bytes: int) -> None:
        """Write the front, on rank 0; the file then has ``size_bytes``."""
        del size_bytes
        with output_errors(self._path), self._clock.phase("write"):
            write_all(self._fd, front, 0)

    def close(self) -> None:
        """Close the files; scratch files vanish with that. Safe to call at any time."""
        for fd in (self._fd, *self._scratch.values()):
            if fd >= 0:
                os.close(fd)
        self._fd, self._scratch = -1, {}
