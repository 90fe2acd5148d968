"""What the tests of compiled kernels share: the kernels, and the library path beside them."""

import os
from contextlib import contextmanager
from importlib import import_module

import pytest

from mpi_stage import native


def compiled():
    """Return the kernels; skip where they are not built, fail where the checks of a change run."""
    if native.kernels is None and not os.environ.get("CI"):
        pytest.skip("the kernels are not built: python setup.py build_ext --inplace", allow_module_level=True)
    assert native.kernels is not None, "HALOROW_NATIVE=0, or no compiler, or a failed build"
    return native.kernels


@contextmanager
def library_path(module):
    """Let an operation's module do without the kernels."""
    place = import_module(module)
    kept, place.kernels = place.kernels, None
    try:
        yield
    finally:
        place.kernels = kept
