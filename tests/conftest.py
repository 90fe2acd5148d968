"""Fixtures that many tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.embedded.redis_server import RedisServer
from pipeline.redis.connection import connect
from tests.embedded_service import RAY_AGENT_PORT, EmbeddedService, taken

settings.register_profile("halorow", deadline=None)
settings.load_profile("halorow")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Have tests of whole services run one after another, though others run beside them."""
    from tests.lanes import Lanes  # noqa: PLC0415  (pytest alone runs a part of the tests without xdist)

    return Lanes(config, log)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """Give a real Redis server, as embedded mode runs it."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_client(redis_server):
    """Give a patient client of an empty server."""
    client = connect(redis_server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def own_redis(tmp_path: Path):
    """Give a server that a test may kill."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """Give a running embedded service, shared by the tests of a module, and by nobody beside them.

    It is not the machine's first: where Ray's agent would listen, somebody else does.
    """
    with taken(RAY_AGENT_PORT):
        service = EmbeddedService(tmp_path_factory.mktemp("embedded") / "data")
        yield service
        service.stop()
