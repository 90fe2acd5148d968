"""A small service without Ray for what must be stopped at an exact point: real Redis, store and stage."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.client import Client
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.embedded.redis_server import RedisServer
from pipeline.parts import Parts

LEASE_S = 0.4
HEARTBEAT_S = 0.1


@dataclass(frozen=True)
class Bench:
    """The parts, a client of them, and the environment by which other processes find the same."""

    parts: Parts
    client: Client
    env: dict[str, str]


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Run a Redis and yield the parts on it, with short leases."""
    server = RedisServer(folder / "redis")
    server.start()
    try:
        chosen = {
            "HALOROW_REDIS_URL": server.url,
            "HALOROW_STORE_URI": (folder / "store").as_uri(),
            "HALOROW_LINK_SECRET": "chaos",
            "HALOROW_LEASE_S": str(LEASE_S),
            "HALOROW_HEARTBEAT_S": str(HEARTBEAT_S),
        }
        names = {name.removeprefix("HALOROW_").lower(): value for name, value in chosen.items()}
        settings = Settings.load(find_service=False, **names)
        parts = connect_parts(settings)
        with Client(parts, settings) as client:
            yield Bench(parts, client, {**os.environ, **chosen})
    finally:
        server.stop()
