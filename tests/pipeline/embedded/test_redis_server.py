"""The embedded Redis server: private, durable, and gone when its owner is."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.embedded.redis_server import RedisServer
from pipeline.errors import ServiceError
from pipeline.redis.connection import answers, connect
from pipeline.worlds.processes import wait_gone


def test_it_answers_only_to_its_password(own_redis):
    assert answers(own_redis.url)
    assert not answers(f"redis://127.0.0.1:{own_redis.port}/0")


def test_its_password_is_neither_on_its_command_line_nor_readable_by_others(own_redis, tmp_path):
    password = own_redis.url.split("@")[0].removeprefix("redis://:")
    assert len(password) >= 32
    assert password not in Path(f"/proc/{own_redis.pid}/cmdline").read_text()
    assert password not in repr(own_redis)
    assert stat.S_IMODE((tmp_path / "redis" / "redis.conf").stat().st_mode) == 0o600


def test_it_listens_on_the_loopback_interface_alone(own_redis):
    client = connect(own_redis.url)
    assert client.config_get("bind")["bind"] == "127.0.0.1"
    client.close()


def test_what_was_written_is_there_after_kill_and_restart_on_the_same_port(own_redis):
    url, pid = own_redis.url, own_redis.pid
    client = connect(url)
    client.set("k", "v")
    os.kill(pid, signal.SIGKILL)
    own_redis.restart()
    assert own_redis.url == url
    assert own_redis.pid != pid
    assert client.get("k") == "v"
    client.close()


def test_what_was_written_is_there_after_an_orderly_stop_and_a_new_start(tmp_path):
    for expected in (None, "v"):
        server = RedisServer(tmp_path / 'a "b" ü')
        server.start()
        client = connect(server.url)
        assert client.get("k") == expected
        client.set("k", "v")
        client.close()
        server.stop()
        assert not server.is_alive()


def test_a_server_that_hangs_is_killed(own_redis):
    pid = own_redis.pid
    os.kill(pid, signal.SIGSTOP)
    own_redis.stop(grace_s=0.1)
    assert not own_redis.is_alive()
    assert not wait_gone([pid], 10)


def test_starting_and_stopping_twice_is_the_same_as_once(tmp_path):
    server = RedisServer(tmp_path)
    server.stop()
    server.start()
    pid = server.pid
    server.start()
    assert server.pid == pid
    server.stop()
    server.stop()
    assert server.pid is None


def test_a_port_that_is_taken_is_an_error_that_says_so(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = RedisServer(tmp_path, port=taken.getsockname()[1])
        with pytest.raises(ServiceError, match=r"exit code 1 .*[Aa]ddress already in use"):
            server.start()
    assert not server.is_alive()


def test_it_ends_with_the_process_that_started_it(tmp_path):
    code = (
        "import sys, os, pathlib, signal\n"
        "from pipeline.embedded.redis_server import RedisServer\n"
        "server = RedisServer(pathlib.Path(sys.argv[1]))\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    owner = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert owner.returncode == -signal.SIGKILL
    assert not wait_gone([int(owner.stdout)], 10)
