"""What a Redis server says of itself, for ``halorow doctor``."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import redis

from pipeline.redis.connection import address, connect, redis_errors

PATIENCE_S = 1.0


@dataclass(frozen=True)
class RedisFacts:
    """What there is to know of a server.

    Attributes
    ----------
    where: its address, without password.
    version: as it says.
    asks_password: whether somebody without one is refused.
    keeps: whether it writes what it knows to the disk.
    evicts: whether it forgets keys when its memory is full.
    ahead_s: how far its clock is ahead of ours; a round trip's length at most is wrong with it.
    answer_s: how long a round trip takes.

    """

    where: str
    version: str
    asks_password: bool
    keeps: bool
    evicts: bool
    ahead_s: float
    answer_s: float


def examine(url: str) -> RedisFacts:
    """Ask a server. Raises QueueUnavailableError."""
    client = connect(url, patience_s=PATIENCE_S)
    try:
        with redis_errors(client):
            began = time.time()
            at: Any = client.time()
            ended = time.time()
            info: Any = client.info()
            policy: Any = info.get("maxmemory_policy", "noeviction")
            return RedisFacts(
                where=address(client),
                version=str(info["redis_version"]),
                asks_password=_asks_password(url),
                keeps=bool(info.get("aof_enabled")) or bool(info.get("rdb_last_save_time")),
                evicts=bool(info.get("maxmemory")) and policy != "noeviction",
                ahead_s=at[0] + at[1] / 1e6 - (began + ended) / 2,
                answer_s=ended - began,
            )
    finally:
        client.close()


def _asks_password(url: str) -> bool:
    """Whether the same server refuses a stranger."""
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
    stranger = connect(bare, patience_s=0.0, timeout_s=PATIENCE_S)
    try:
        stranger.ping()
    except redis.RedisError:
        return True
    else:
        return False
    finally:
        stranger.close()
