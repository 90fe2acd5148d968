"""Whole images through the CPU's chain and the GPU's, with the same steps."""

import numpy as np

from gpu_kernels.chain import Chain as GpuChain
from gpu_kernels.program import make_program
from mpi_stage.geometry.partition import Partition, Rows, halo_need
from mpi_stage.image import ImageSpec
from mpi_stage.planning.gpu_steps import gpu_steps
from mpi_stage.sweep.measure import Measurement
from mpi_stage.sweep.stream import Chain


def fresh_picture(rng, rows, columns, channels, dtype):
    """Return a random picture: noise, flat parts and extremes."""
    shape = (rows, columns, channels)
    values = rng.random(shape)
    values[rng.random(shape) < 0.1] = 1.0
    values[rng.random(shape) < 0.1] = 0.0
    values[rng.random(rows) < 0.2] = 0.5
    if dtype == "float32":
        return (values * 3 - 1).astype(np.float32)
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)


def _arriving(one, partition, rank):
    need = halo_need(partition, rank, one.halo_rows, periodic=one.periodic)
    return Rows(need.above.first, need.below.end)


def _push_all(chain, image, arriving, block_rows):
    parts = []

    def emit(rows):
        parts.append(rows.copy())

    for first in range(arriving.first, arriving.end, block_rows):
        index = np.arange(first, min(first + block_rows, arriving.end)) % len(image)
        chain.push(np.ascontiguousarray(image[index]), emit)
    chain.finish(emit)
    return parts


def measured_by(one, image):
    """Return what the first halves of the reduce steps of a pass find out about an image that it gets."""
    found = []
    for step in one.steps:
        if step.applies is not None:
            measurement = Measurement(step)
            while measurement.pending:
                measurement.add(0, image)
                measurement.finish(measurement.state)
            found.append(measurement.found)
    return found


def on_cpu(one, image):
    """Return the image after a pass by the stage's own chain."""
    slab = Rows(0, len(image))
    arriving = _arriving(one, Partition(len(image), 1), 0)
    chain = Chain(one.steps, arriving, slab, 16, periodic=one.periodic, measured=measured_by(one, image))
    return np.concatenate(_push_all(chain, image, arriving, 16))


def on_device(one, image, backend, block_rows, *, ranks=1):
    """Return the image after a pass by the GPU's chain, rank after rank; None where it has no kernel."""
    program = make_program(gpu_steps(one.steps, measured_by(one, image)))
    if isinstance(program, str):
        return None
    partition, parts = Partition(len(image), ranks), []
    for rank in range(ranks):
        slab = partition.slab(rank)
        if not slab.height:
            continue
        arriving = _arriving(one, partition, rank)
        chain = GpuChain(program, backend, tuple(arriving), tuple(slab), block_rows, periodic=one.periodic)
        parts += _push_all(chain, image, arriving, block_rows)
    return np.concatenate(parts)


def spec_of(image):
    """Return what an image is."""
    return ImageSpec(*image.shape, str(image.dtype))


def differing(result, expected):
    """Return how many values differ: integers at all, floats by more than 1e-5 of their range."""
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    if expected.dtype != np.float32:
        return int((result != expected).sum())
    finite = np.isfinite(expected)
    span = float(np.ptp(expected[finite])) if finite.any() else 0.0
    far = np.abs(result.astype(np.float64) - expected) > 1e-5 * max(span, 1e-30)
    return int((far & finite).sum() + ((result != expected) & ~finite & ~np.isnan(result)).sum())
