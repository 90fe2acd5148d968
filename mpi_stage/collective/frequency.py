"""Filters by frequency on a picture that no rank holds: a distributed two-dimensional transform.

Every row is transformed by its rank; the spectra are dealt anew by spectral lines, one for each
channel and frequency across; each line is transformed, weighed and transformed back by its rank; and
the way back is the same. Each one-dimensional transform is a whole row or line, so that the result
does not depend on how many ranks there are: it has the bits of ``scipy.fft.rfft2`` and ``irfft2``.
"""

import numpy as np

from mpi_stage.collective.transpose import Complexes, Rounds, to_lines, to_rows
from mpi_stage.geometry.partition import Partition, Rows
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import measured_channels
from mpi_stage.operations.frequency import (
    frequencies,
    gains,
    lines_at_once,
    lines_of,
    round_height,
    whole_batches,
)
from mpi_stage.rows.context import GlobalStep
from mpi_stage.rows.slab import Slab


def frequency(step: GlobalStep) -> Slab:
    """Return the filtered rows of this rank."""
    spectrum = _Spectrum(step)
    spectrum.transform()
    spectrum.weigh()
    return spectrum.restore()


class _Spectrum:
    """The lines of the spectrum that are this rank's, in a slab of complex numbers.

    What the ranks give in one round lies together: the slab has a row for each round and own line,
    in which the rows of the image follow one another as the ranks gave them.
    """

    def __init__(self, step: GlobalStep) -> None:
        self._step = step
        self._context = step.context
        spec, ranks = step.before, step.partition.ranks
        self._channels = measured_channels(spec)
        self._half = spec.columns // 2 + 1
        lines = lines_of(spec)
        height = round_height(lines, step.partition.largest, ranks)
        self._rounds = Rounds(step.partition, Partition(lines, ranks), height)
        self._lines = self._rounds.lines.slab(step.context.comm.rank)
        rows = max(1, self._rounds.count * self._lines.height)
        self._tiles = ImageSpec(rows, height * ranks, 1, "complex128")
        self._slab = step.slab(self._tiles, Rows(0, rows))

    def transform(self) -> None:
        """Transform this rank's rows and deal them by lines."""
        for number in range(self._rounds.count):
            given = self._given(number)
            pixels = self._step.before.empty(given.height)
            if given.height:
                self._step.reader.read_rows(given.first, pixels)
            with self._context.clock.phase("compute"):
                rows = self._transformed(pixels)
            self._put(number, to_lines(self._context, self._rounds, number, rows))

    def weigh(self) -> None:
        """Transform each line, multiply it by the filter's gains, and transform it back."""
        length = self._step.before.rows
        height = lines_at_once(length, self._lines.height)
        batch = np.zeros((height, length), np.complex128)
        for first in range(0, self._lines.height, height):
            count = min(height, self._lines.height - first)
            self._read_lines(first, batch[:count])
            with self._context.clock.phase("compute"):
                spectra = np.fft.fft(batch, axis=1)
                across = np.arange(first, first + count, dtype=np.int64) + self._lines.first
                spectra[:count] *= gains(
                    self._step.operation.name, across % self._half, frequencies(length), self._step.params
                )
                restored = np.fft.ifft(spectra, axis=1, norm="forward")
            self._write_lines(first, restored[:count])
            self._step.watch()

    def restore(self) -> Slab:
        """Deal the spectra by rows again and return this rank's rows of the picture."""
        result = self._step.slab(self._step.after, self._step.rows)
        for number in range(self._rounds.count):
            rows = to_rows(self._context, self._rounds, number, self._get(number))
            given = self._given(number)
            if given.height:
                result.write_rows(given.first, self._pixels(given, rows))
            self._step.watch()
        self._slab.close()
        return result

    def _given(self, number: int) -> Rows:
        return self._rounds.given(self._context.comm.rank, number)

    def _transformed(self, pixels: Pixels) -> Complexes:
        """Return the spectrum of each row of pixels: rows × lines."""
        count = len(pixels) * self._channels
        values = np.zeros((whole_batches(count), pixels.shape[1]))
        colour = pixels[..., : self._channels]
        values[:count].reshape(len(pixels), self._channels, pixels.shape[1])[...] = colour.transpose(0, 2, 1)
        spectra: Complexes = np.fft.rfft(values, axis=1)[:count]
        return spectra.reshape(len(pixels), self._channels * self._half)

    def _pixels(self, given: Rows, spectra: Complexes) -> Pixels:
        """Return the pixels of rows × lines of spectra, with the alpha channel that went around."""
        before, after = self._step.before, self._step.after
        with self._context.clock.phase("compute"):
            count = given.height * self._channels
            values = np.zeros((whole_batches(count), self._half), np.complex128)
            values[:count] = spectra.reshape(count, self._half)
            rows = np.fft.irfft(values, n=before.columns, axis=1, norm="forward")[:count]
            rows *= 1.0 / before.pixels
            shape = (given.height, self._channels, before.columns)
            colour = _as_type(rows.reshape(shape).transpose(0, 2, 1), after.dtype)
        if after.channels == self._channels:
            return colour
        pixels = before.empty(given.height)
        self._step.reader.read_rows(given.first, pixels)
        pixels[..., : self._channels] = colour
        return pixels

    def _put(self, number: int, received: Complexes) -> None:
        """Store what a round brought, all its rows × own lines, turned round."""
        mine = self._lines.height
        if mine:
            tile = np.zeros((mine, self._tiles.columns, 1), np.complex128)
            tile[:, : len(received), 0] = received.T
            self._slab.write_rows(number * mine, tile)
        self._step.watch()

    def _get(self, number: int) -> Complexes:
        """Return what :meth:`_put` stored."""
        mine = self._lines.height
        total = sum(rows.height for rows in self._rounds.all_given(number))
        if not mine:
            return np.empty((total, 0), np.complex128)
        tile = self._tiles.empty(mine)
        self._slab.read_rows(number * mine, tile)
        return np.ascontiguousarray(tile[:, :total, 0].T)

    def _read_lines(self, first: int, lines: Complexes) -> None:
        """Fill ``lines`` with whole lines, from the tiles of all rounds."""
        tile = self._tiles.empty(len(lines))
        for number in range(self._rounds.count):
            self._slab.read_rows(number * self._lines.height + first, tile)
            place = 0
            for rows in self._rounds.all_given(number):
                lines[:, rows.first : rows.end] = tile[:, place : place + rows.height, 0]
                place += rows.height

    def _write_lines(self, first: int, lines: Complexes) -> None:
        """Undo :meth:`_read_lines`."""
        tile = np.zeros((len(lines), self._tiles.columns, 1), np.complex128)
        for number in range(self._rounds.count):
            place = 0
            for rows in self._rounds.all_given(number):
                tile[:, place : place + rows.height, 0] = lines[:, rows.first : rows.end]
                place += rows.height
            self._slab.write_rows(number * self._lines.height + first, tile)


def _as_type(values: Pixels, dtype: str) -> Pixels:
    """Return values in an image's type: integers rounded and saturated."""
    if dtype == "float32":
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(values.astype(np.float32))
    return np.ascontiguousarray(np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype))
