"""What is done to Redis: killed, stopped, emptied, and set back to where it was a second ago."""

import signal
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from pipeline.redis.connection import connect
from tests.chaos.ground import Ground
from tests.embedded_service import lives

STOP_S = 2.0
LOST_S = 1.0
POLL_S = 0.005


def kill_redis(ground: Ground, _: Random) -> bool:
    """Kill -9 the server; the supervisor starts it again with its file."""
    for server in ground.programs("redis-server"):
        server.kill()
        return True
    return False


def stop_redis(ground: Ground, _: Random) -> bool:
    """Stop the server for a while: connections stay, answers do not come."""
    for server in ground.programs("redis-server"):
        server.send_signal(signal.SIGSTOP)
        time.sleep(STOP_S)  # the fault lasts
        with suppress(psutil.Error):
            server.send_signal(signal.SIGCONT)
        return True
    return False


def empty_redis(ground: Ground, _: Random) -> bool:
    """Have the server forget everything."""
    client = connect(ground.service.settings.redis_url.get_secret_value())
    try:
        client.flushall()
    finally:
        client.close()
    return True


def set_redis_back(ground: Ground, _: Random) -> bool:
    """Kill the server and cut its file to what it was a second before, as a power cut would leave it."""
    server = next(iter(ground.programs("redis-server")), None)
    file = ground.data / "redis" / "appendonly.aof"
    if server is None or not file.exists():
        return False
    before = file.stat()
    time.sleep(LOST_S)  # what is written from here on is lost
    supervisor = ground.service.process
    supervisor.send_signal(signal.SIGSTOP)  # or it would start the server before the file is cut
    try:
        server.kill()
        while lives(server):
            time.sleep(POLL_S)
        _cut(file, before.st_size, before.st_ino)
    finally:
        supervisor.send_signal(signal.SIGCONT)
    return True


def _cut(file: Path, size_bytes: int, inode: int) -> None:
    now = file.stat()
    if now.st_ino == inode and now.st_size > size_bytes:  # else it was written anew meanwhile
        with file.open("r+b") as opened:
            opened.truncate(size_bytes)
