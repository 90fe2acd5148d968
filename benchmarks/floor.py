"""P1b: the least that a step can take here: a bare parallel copy of its bytes, and its bare kernel.

The copy reads the input once and writes as many bytes as the result has, to a new file, by one
process per core through a small buffer. The kernel is OpenCV's, on blocks that stay in cache, in one
process per core at the same time. Neither decodes, plans, swaps halo rows nor starts anything.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path

import cv2

from benchmarks.kernels import KERNELS
from benchmarks.machine import cores
from benchmarks.pictures import CELL_PX, cell

BUFFER_BYTES = 1 << 20
BLOCK_ROWS = 128
KERNEL_S = 0.4


def pixels_per_second(name: str) -> float:
    """Run a kernel on one block for a while; return what this process, on its core, does of it."""
    kernel, block = KERNELS[name], cell(0)[:BLOCK_ROWS].copy()
    kernel(block)
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < KERNEL_S:
        kernel(block)
        done += 1
    return done * BLOCK_ROWS * CELL_PX / (time.perf_counter() - start)


def copy_part(source: Path, target: Path, divisor: int, number: int, parts: int) -> None:
    """Read one of so many parts of a file; write the ``divisor``-th part of every buffer."""
    size = source.stat().st_size
    start, end = (size * n // parts // BUFFER_BYTES * BUFFER_BYTES for n in (number, number + 1))
    end = size if number + 1 == parts else end
    buffer = memoryview(bytearray(BUFFER_BYTES))
    reading = os.open(source, os.O_RDONLY)
    writing = os.open(target, os.O_WRONLY)
    try:
        for place in range(start, end, BUFFER_BYTES):
            got = os.preadv(reading, [buffer], place)
            os.pwrite(writing, buffer[: got // divisor], place // divisor)
    finally:
        os.close(reading)
        os.close(writing)


def copy_all(pool: Pool, source: Path, target: Path, divisor: int) -> dict[str, float]:
    """Copy a file to a new one by all processes of the pool; the output is removed outside the clock."""
    target.unlink(missing_ok=True)
    start = time.perf_counter()
    target.touch()
    parts = cores()
    pool.starmap(partial(copy_part, source, target, divisor), [(n, parts) for n in range(parts)], chunksize=1)
    seconds = time.perf_counter() - start
    target.unlink()
    return {"inside": seconds}


def kernel_seconds(pool: Pool, name: str, pixels: int) -> float:
    """Return how long the bare kernel takes for so many pixels on all cores at once."""
    return pixels / sum(pool.map(pixels_per_second, [name] * cores(), chunksize=1))


@contextmanager
def copiers() -> Iterator[Pool]:
    """Start a process per core, ready to work."""
    with get_context("spawn").Pool(cores(), initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        pool.map(abs, range(cores()))
        yield pool
