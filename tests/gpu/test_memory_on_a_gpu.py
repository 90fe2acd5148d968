"""The limit on a GPU's memory holds, and what a program predicts is enough."""

import numpy as np
import pytest
from kernel_cases import pass_of
from kernel_harness import fresh_picture, on_device, spec_of

from gpu_kernels.errors import GpuMemoryError
from gpu_kernels.program import make_program
from mpi_stage.planning.gpu_steps import gpu_steps

pytestmark = pytest.mark.gpu

TABLES_BYTES = 1 << 20
"""For small tables and for rounding by the allocator."""


def _backend(limit_bytes):
    from gpu_kernels.cuda_backend import CudaBackend  # noqa: PLC0415  (needs CuPy)

    return CudaBackend(0, limit_bytes)


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("pipeline", ["gaussian grayscale median", "gaussian:sigma=9", "gamma"])
def test_the_predicted_memory_is_enough(pipeline):
    image = fresh_picture(np.random.default_rng(1), 400, 333, 3, "uint8")
    one = pass_of(pipeline, spec_of(image))
    needed = make_program(gpu_steps(one.steps, ())).device_bytes(64) + TABLES_BYTES
    backend = _backend(needed)
    try:
        on_device(one, image, backend, 64)
        assert backend.used_bytes <= needed
    finally:
        backend.close()


@pytest.mark.usefixtures("gpu")
def test_a_pass_that_would_need_more_than_the_limit_fails_by_name():
    image = fresh_picture(np.random.default_rng(1), 400, 333, 3, "uint8")
    one = pass_of("gaussian", spec_of(image))
    backend = _backend(1 << 16)
    try:
        with pytest.raises(GpuMemoryError, match="memory"):
            on_device(one, image, backend, 64)
    finally:
        backend.close()
