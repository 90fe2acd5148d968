"""Each stencil's kernels alone, on a slab that stays on the device."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from gpu_kernels.backend import WORK
from gpu_kernels.cuda_backend import CudaBackend
from gpu_kernels.device import device_of
from gpu_kernels.errors import GpuError
from gpu_kernels.program import Program, make_program
from gpu_kernels.stencils import Marching, Place
from mpi_stage.errors import UnsupportedImageError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.gpu_steps import gpu_steps
from mpi_stage.planning.plan import PlannedStep
from mpi_stage.planning.planned_steps import plan_steps
from mpi_stage.sweep.measure import Measurement

COLUMNS = 16384
RUNS = 7
NOISE_BYTES = 64 << 20
TUNING_BYTES = 256 << 20
COPY_WIDTHS = (1 << 16, 1 << 20, 1 << 26)
COPY_RUNS = 21

WITHOUT_NODATA = "without nodata"
NODATA = 0.0

PIPELINES = (
    "median",
    "median:size=5",
    "dilate",
    "dilate:size=5",
    "erode:size=5,shape=ellipse",
    "gaussian:size=5",
    "gaussian",
    "box",
    "box:size=15",
    "sharpen",
    "convolve:kernel=0.1,0.2,0.1,0.2,0.3,0.2,0.1,0.2,0.1",
    "unsharp",
    "sobel",
    "laplacian",
    "adaptive_mean",
    "gaussian:sigma=7",
    "gradient",
    "gradient:size=5,shape=ellipse",
    "tophat",
    "saturation",
    "hue",
    "sepia",
    "equalize",
    "clahe",
    f"box {WITHOUT_NODATA}",
    f"gaussian {WITHOUT_NODATA}",
    "median:size=9",
    "median:size=15",
    "median:size=31",
    "bilateral",
    "denoise:patch=5,search=11",
    "adaptive_gaussian",
    "adaptive_gaussian:size=51",
)

TUNED = ("median:size=5", "gaussian:size=5", "gaussian", "box:size=15", "unsharp", "sobel", "adaptive_mean")
SHAPES = (*((words, chunk, 128) for words in (1, 2, 4) for chunk in (32, 128)), (4, 128, 64))
"""Words of a strip, rows of a chunk, threads of a block."""


@dataclass(frozen=True)
class CopyRate:
    """A copy on the device: bytes read and written in a second."""

    bytes_per_s: float


@dataclass(frozen=True)
class KernelRate:
    """A stencil: bytes of input and result in a second; ``error`` where it failed."""

    pipeline: str
    dtype: str
    channels: int
    shape: str
    bytes_per_s: float
    error: str = ""


def copy_rate(slab_bytes: int) -> CopyRate:
    """Measure copies of a slab in several ways and sizes of rows; return the fastest."""
    backend = _backend()
    try:
        source, target = backend.allocate(slab_bytes), backend.allocate(slab_bytes)
        _fill(backend, source, slab_bytes)
        ways: list[Callable[[], None]] = [lambda: backend.copy_plain(target, source, slab_bytes)]
        ways += [
            partial(backend.copy, target, source, (width, width), width, slab_bytes // width)
            for width in COPY_WIDTHS
        ]
        seconds = min(timed(backend, way, COPY_RUNS) for way in ways)
        return CopyRate(2 * slab_bytes / seconds)
    finally:
        backend.close()


def kernel_rates(slab_bytes: int, *, tuning: bool) -> Iterator[KernelRate]:
    """Measure the kernels of all pipelines and types, or the shapes of a few."""
    kinds = (("uint8", 3), ("uint8", 1), ("uint16", 3), ("float32", 3))
    for pipeline in TUNED if tuning else PIPELINES:
        for dtype, channels in kinds:
            step = _last_step(pipeline, ImageSpec(1 << 20, COLUMNS, channels, dtype))
            program = make_program(gpu_steps([step], _found(step))) if step else None
            if step is None or not isinstance(program, Program):
                continue
            kernel = _Kernel(pipeline, step.before, step.after, program)
            slab_bytes = min(slab_bytes, TUNING_BYTES) if tuning else slab_bytes
            yield _rate(kernel, slab_bytes, "as built")
            stencil = program.stencils[0].stencil if program.stencils else None
            if tuning and isinstance(stencil, Marching):
                for shape in SHAPES:
                    node = replace(program.stencils[0], stencil=stencil.tuned(*shape))
                    tuned = replace(kernel, program=replace(program, stencils=(node,)))
                    yield _rate(tuned, slab_bytes, " × ".join(map(str, shape)))


def _last_step(pipeline: str, spec: ImageSpec) -> PlannedStep | None:
    """Return the last step of a pipeline, None where it takes no such image or turns it to gray before."""
    try:
        steps = list(plan_steps(parse(pipeline.removesuffix(WITHOUT_NODATA)), spec))
    except UnsupportedImageError:
        return None
    if steps[0].operation.name == "grayscale":
        return None
    nodata = NODATA if pipeline.endswith(WITHOUT_NODATA) else None
    return replace(steps[-1], nodata=nodata, applies=0 if steps[-1].operation.reduction else None)


def _found(step: PlannedStep) -> list[Any]:
    """Return what a reduce step finds out about an image without pixels."""
    if step.operation.reduction is None:
        return []
    measurement = Measurement(step)
    while measurement.pending:
        measurement.finish(measurement.state)
    return [measurement.found]


def _rate(kernel: "_Kernel", slab_bytes: int, shape: str) -> KernelRate:
    spec = kernel.before
    try:
        return KernelRate(kernel.pipeline, spec.dtype, spec.channels, shape, kernel.measured(slab_bytes))
    except GpuError as error:
        text = str(error)[:300].replace("\n", " ")
        return KernelRate(kernel.pipeline, spec.dtype, spec.channels, shape, 0.0, text)


@dataclass(frozen=True)
class _Kernel:
    """A program of one step."""

    pipeline: str
    before: ImageSpec
    after: ImageSpec
    program: Program

    def measured(self, slab_bytes: int) -> float:
        """Return bytes in and out per second."""
        rows = slab_bytes // self.before.row_bytes
        backend = _backend()
        try:
            work = self._stencil(backend, rows) if self.program.stencils else self._points(backend, rows)
            return rows * (self.before.row_bytes + self.after.row_bytes) / timed(backend, work)
        finally:
            backend.close()

    def _stencil(self, backend: CudaBackend, rows: int) -> Callable[[], None]:
        (node,) = self.program.stencils
        room = node.room(rows)
        source = backend.allocate(room.size_bytes)
        _fill(backend, source, room.size_bytes)
        target, pitch = self._target(backend, rows, room.pitch)
        temporary = node.stencil.temporary_bytes(rows + 2 * node.step.halo)
        extra = backend.allocate(temporary) if temporary else 0
        place = Place(room.row(source, node.step.halo), room.pitch, target, pitch, rows, 0)
        return partial(node.stencil.launch, backend, place, extra)

    def _points(self, backend: CudaBackend, rows: int) -> Callable[[], None]:
        (kernel,) = self.program.points
        if kernel is None:
            message = f"{self.pipeline} does nothing"
            raise ValueError(message)
        source = backend.allocate(rows * self.program.before.pitch)
        _fill(backend, source, rows * self.program.before.pitch)
        target, pitch = self._target(backend, rows, self.program.before.pitch)
        return partial(
            kernel.launch, backend, Place(source, self.program.before.pitch, target, pitch, rows, 0)
        )

    def _target(self, backend: CudaBackend, rows: int, pitch: int) -> tuple[int, int]:
        """Return memory for the result, and its pitch: that of the input or more."""
        pitch = max(pitch, self.program.after.pitch)
        return backend.allocate(rows * pitch), pitch


def _fill(backend: CudaBackend, address: int, size_bytes: int) -> None:
    """Fill memory with noise, some of it again and again."""
    noise = np.random.default_rng(1).integers(0, 256, NOISE_BYTES, np.uint8)
    noise[3::4] &= 0x3F  # as floats neither NaN nor infinite
    for first in range(0, size_bytes, NOISE_BYTES):
        count = min(NOISE_BYTES, size_bytes - first)
        backend.copy_up(address + first, count, noise[np.newaxis, :count])
    backend.wait(backend.mark("up"))


def timed(backend: CudaBackend, work: Callable[[], None], runs: int = RUNS) -> float:
    """Return the median seconds of work on the device, after a first time that does not count."""
    work()
    marks = [backend.mark(WORK)]
    for _ in range(runs):
        work()
        marks.append(backend.mark(WORK))
    return statistics.median(backend.seconds_between(start, end) for start, end in pairwise(marks))


def _backend() -> CudaBackend:
    return CudaBackend(0, int(device_of(0).free_bytes * 0.9), timed=True)
