"""Whole passes as streams of blocks, from pinned memory of the host through the device and back."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.gpu_kernel import timed
from gpu_kernels.backend import DOWN, UP
from gpu_kernels.chain import Chain
from gpu_kernels.cuda_backend import CudaBackend
from gpu_kernels.device import device_of
from gpu_kernels.program import Program, make_program
from gpu_kernels.stencils import Place
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.devices import BLOCK_TARGET_BYTES
from mpi_stage.planning.gpu_steps import gpu_steps
from mpi_stage.planning.planned_steps import plan_steps

SPECS = (ImageSpec(16384, 16384, 3, "uint8"), ImageSpec(8192, 16384, 3, "uint16"))
PIPELINES = (
    "invert",
    "median",
    "gaussian",
    "gaussian grayscale sobel threshold:value=40 dilate invert",
    "gaussian:sigma=9",
)
RUNS = 5
COPIES = 20


@dataclass(frozen=True)
class StreamRate:
    """One stream: its seconds, and those of its transfers and of its kernels alone."""

    pipeline: str
    dtype: str
    size_bytes: int
    transfer_s: float
    compute_s: float
    stream_s: float


class TransferRates(NamedTuple):
    """Bytes per second of pinned blocks: up alone, down alone, and both ways together."""

    up: float
    down: float
    both: float

    def seconds(self, up_bytes: int, down_bytes: int) -> float:
        """Return the least time: of either way alone, or of both that share the link."""
        return max(up_bytes / self.up, down_bytes / self.down, (up_bytes + down_bytes) / self.both)


def transfer_rates() -> TransferRates:
    """Measure blocks on their way up, down, and both ways at once."""
    backend = _backend()
    try:
        size = BLOCK_TARGET_BYTES
        device = [backend.allocate(size) for _ in range(2)]
        host = [backend.pinned(size).reshape(1, -1) for _ in range(2)]

        def copies(*, up: bool, down: bool) -> float:
            started = time.perf_counter()
            for _ in range(COPIES):
                if up:
                    backend.copy_up(device[0], size, host[0])
                if down:
                    backend.copy_down(host[1], device[1], size)
            for stream in (UP, DOWN):
                backend.wait(backend.mark(stream))
            return COPIES * size * (up + down) / (time.perf_counter() - started)

        ways = ({"up": True, "down": False}, {"up": False, "down": True}, {"up": True, "down": True})
        rates = [statistics.median(copies(**way) for _ in range(RUNS)) for way in ways]
        return TransferRates(*rates)
    finally:
        backend.close()


def stream_rates(rates: TransferRates) -> Iterator[StreamRate]:
    """Measure the chains."""
    for spec in SPECS:
        for pipeline in PIPELINES:
            steps = tuple(plan_steps(parse(pipeline), spec))
            program = make_program(gpu_steps(steps, ()))
            if isinstance(program, Program):
                yield _stream(pipeline, spec, program, rates)


def _stream(pipeline: str, spec: ImageSpec, program: Program, rates: TransferRates) -> StreamRate:
    block_rows = max(16, BLOCK_TARGET_BYTES // spec.row_bytes)
    up, down = spec.rows * program.before.row_bytes, spec.rows * program.after.row_bytes
    seconds = [_run(program, spec, block_rows) for _ in range(RUNS + 1)][1:]
    compute_s = _kernels_alone(program, block_rows) * spec.rows / block_rows
    transfer_s = rates.seconds(up, down)
    return StreamRate(pipeline, spec.dtype, up + down, transfer_s, compute_s, statistics.median(seconds))


def _run(program: Program, spec: ImageSpec, block_rows: int) -> float:
    """Send an image through, whose blocks are made in the buffers that they are sent from."""
    backend = _backend()
    try:
        span = (0, spec.rows)
        chain = Chain(program, backend, span, span, block_rows, periodic=False)
        backend.prepare(program.codes)
        chain.room(block_rows)[...] = 77
        started = time.perf_counter()
        for first in range(0, spec.rows, block_rows):
            chain.push(chain.room(min(block_rows, spec.rows - first)), _ignored)
        chain.finish(_ignored)
        return time.perf_counter() - started
    finally:
        backend.close()


def _kernels_alone(program: Program, block_rows: int) -> float:
    """Return the seconds of all kernels on one block."""
    backend = _backend()
    total = 0.0
    try:
        for node in program.stencils:
            room = node.room(block_rows)
            source = backend.allocate(room.size_bytes)
            target = backend.allocate(room.size_bytes)
            size = node.stencil.temporary_bytes(block_rows)
            extra = backend.allocate(size) if size else 0
            place = Place(room.row(source, node.step.halo), room.pitch, target, room.pitch, block_rows, 0)
            total += timed(backend, partial(node.stencil.launch, backend, place, extra))
        for number, kernel in enumerate(program.points):
            if kernel is not None:
                rows = program.before if number == 0 else program.between(number - 1)
                source = backend.allocate(block_rows * rows.pitch)
                target = backend.allocate(block_rows * rows.pitch * 4)
                place = Place(source, rows.pitch, target, rows.pitch * 4, block_rows, 0)
                total += timed(backend, partial(kernel.launch, backend, place))
        return total
    finally:
        backend.close()


def _ignored(rows: Pixels) -> None:
    """Look at the last value, as a reader would have to wait for it."""
    np.asarray(rows).item(-1)


def _backend() -> CudaBackend:
    return CudaBackend(0, int(device_of(0).free_bytes * 0.9), timed=True)
