"""Fixtures for the contract suites."""

import pytest
from fakes.gcs.fixture import fake_gcs, gcs_client, service_account_key
from queue_rigs import MemoryRig, RedisRig

__all__ = ["fake_gcs", "gcs_client", "service_account_key"]


@pytest.fixture(params=["memory", "redis"])
def rig(request):
    """Give a queue of each kind."""
    if request.param == "memory":
        return MemoryRig()
    return RedisRig(request.getfixturevalue("redis_client"))
