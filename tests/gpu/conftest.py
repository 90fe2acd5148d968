"""A real GPU for the tests that need one; they skip with the reason where there is none."""

import sys
from pathlib import Path

import pytest

from gpu_kernels.device import device_of, why_unusable

sys.path.append(str(Path(__file__).parents[1] / "gpu_kernels"))  # the harness of the kernels

POISON = 0xA5


@pytest.fixture
def gpu():
    """Give a backend on the first GPU, with poisoned memory."""
    reason = why_unusable()
    if reason:
        pytest.skip(f"no GPU can be used: {reason}")
    from gpu_kernels.cuda_backend import CudaBackend  # noqa: PLC0415  (needs CuPy)

    backend = CudaBackend(0, device_of(0).free_bytes // 2, poison=POISON)
    yield backend
    backend.close()
