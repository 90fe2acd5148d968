"""The CPU as a device, for the tests of kernels."""

import pytest
from host_backend import HostBackend, Library, compiler


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """Give a folder of compiled kernels."""
    if compiler() is None:
        pytest.skip("g++ is not installed, so the CUDA sources cannot be run on this CPU")
    return Library(tmp_path_factory.mktemp("kernels"))


@pytest.fixture
def host_backend(library):
    """Give a device that is this CPU."""
    return HostBackend(library)
