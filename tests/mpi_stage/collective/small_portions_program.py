"""What the ranks of test_small_portions run: collectives with portions so small that there are many."""

import sys

import cv2
import numpy as np
import scipy.fft
from mpi4py import MPI

from mpi_stage.collective import hough as hough_step
from mpi_stage.collective.frequency import frequency
from mpi_stage.collective.hough import hough
from mpi_stage.collective.transpose import Rounds, to_lines, to_rows
from mpi_stage.formats.memory import ArraySource
from mpi_stage.geometry.partition import Partition
from mpi_stage.image import ImageSpec
from mpi_stage.operations import frequency as frequencies
from mpi_stage.operations import hough as hough_operation
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.rows.context import GlobalStep, RankContext
from mpi_stage.rows.slab import Slab

WORLD = MPI.COMM_WORLD


def global_step(image, pipeline, block_rows, scratch):
    """Return what the engine would hand to a global operation, with this rank's rows."""
    step = parse(pipeline)[0]
    before = ImageSpec(*image.shape, str(image.dtype))
    after = step.operation.output(before, step.params)
    partition = Partition(before.rows, WORLD.size)
    return GlobalStep(
        context=RankContext(WORLD),
        partition=partition,
        after_partition=partition,
        rows=partition.slab(WORLD.rank),
        reader=ArraySource(image),
        before=before,
        after=after,
        params=step.params,
        block_rows=block_rows,
        slab=lambda spec, rows: Slab(spec, rows, scratch=scratch, in_memory=block_rows % 2 == 0),
        operation=step.operation,
        watch=lambda: None,
    )


def rows_of(step, reader):
    """Return this rank's rows of what a step made."""
    out = step.after.empty(step.rows.height)
    if len(out):
        reader.read_rows(step.rows.first, out)
    return out


def check_transpose(rng, _scratch):
    """Lines are the matrix's columns, and the way back leads to the rows that were given."""
    matrix = rng.random((int(rng.integers(1, 30)), int(rng.integers(1, 20)))).astype(np.complex128)
    height = int(rng.integers(1, 6))
    rounds = Rounds(Partition(len(matrix), WORLD.size), Partition(matrix.shape[1], WORLD.size), height)
    own = rounds.lines.slab(WORLD.rank)
    for number in range(rounds.count):
        given = rounds.given(WORLD.rank, number)
        lines = to_lines(RankContext(WORLD), rounds, number, matrix[given.first : given.end])
        everyone = [matrix[one.first : one.end, own.first : own.end] for one in rounds.all_given(number)]
        np.testing.assert_array_equal(lines, np.concatenate(everyone))
        back = to_rows(RankContext(WORLD), rounds, number, lines)
        np.testing.assert_array_equal(back, matrix[given.first : given.end])


def check_frequency(rng, scratch):
    """Many rounds and batches give the bits of one transform of the whole picture."""
    image = rng.random((int(rng.integers(1, 70)), int(rng.integers(1, 30)), 3)).astype(np.float32)
    frequencies.EXCHANGE_BYTES = int(rng.integers(100, 20000))
    step = global_step(image, "lowpass:cutoff=4.5", int(rng.integers(1, 5)), scratch)
    down = np.rint(np.fft.fftfreq(len(image), 1 / len(image))).astype(int)
    gains = frequencies.gains("lowpass", down, np.arange(image.shape[1] // 2 + 1), step.params)
    spectrum = scipy.fft.rfft2(image.astype(np.float64), axes=(0, 1)) * gains[..., np.newaxis]
    expected = scipy.fft.irfft2(spectrum, s=image.shape[:2], axes=(0, 1)).astype(np.float32)
    own = expected[step.rows.first : step.rows.end]
    assert rows_of(step, frequency(step)).tobytes() == own.tobytes()


def check_hough(rng, scratch):
    """Many bands of angles give the lines of one."""
    image = np.zeros((int(rng.integers(20, 60)), 50, 1), np.uint8)
    for ends in rng.integers(0, 60, (3, 4)).tolist():
        cv2.line(image, ends[:2], ends[2:], 255)
    hough_operation.BAND_BYTES = int(rng.integers(1000, 20000))
    hough_step.EDGES_AT_ONCE = 50
    hough_step.SEEN_PIXELS = hough_step.LABELLED_PIXELS = 300
    step = global_step(image, "hough:threshold=12,max_lines=7", int(rng.integers(1, 5)), scratch)
    hough(step)
    edges = cv2.Canny(image, 50, 150)
    expected = cv2.HoughLines(edges, 1, np.radians(1), 12)
    expected = np.zeros((0, 2)) if expected is None else expected.reshape(-1, 2)[:7]
    found = [(line["rho"], line["theta"]) for line in step.found["lines"]]
    np.testing.assert_array_equal(np.array(found, np.float32).reshape(-1, 2), expected.astype(np.float32))


if __name__ == "__main__":
    for seed in range(10):
        for check in (check_transpose, check_frequency, check_hough):
            check(np.random.default_rng(seed), sys.argv[1])
