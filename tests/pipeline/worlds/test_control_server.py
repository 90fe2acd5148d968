"""The control channel, heard from both ends without ranks."""

import json
import socket
import stat
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.worlds import control
from pipeline.worlds.control import ControlServer


@pytest.fixture
def server():
    server = ControlServer(2)
    yield server
    server.close()


@contextmanager
def rank(server, number=0, *, hello=None):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(server.path)
        say(connection, hello or {"event": "hello", "rank": number, "ranks": 2, "pid": 1})
        yield connection


def say(connection, message):
    connection.sendall(json.dumps(message).encode() + b"\n")


def hear(server, count):
    """Return the next ``count`` events."""
    events = []
    while len(events) < count:
        found = server.wait(5.0)
        events += found
    return events


def test_events_come_in_order_with_the_rank_of_their_connection(server):
    with rank(server, 1) as one:
        for done in (1, 2):
            say(one, {"event": "progress", "job": "j", "rank": 0, "rows_done": done, "rows_total": 2})
        events = hear(server, 3)
    assert [event.get("rows_done") for event in events] == [None, 1, 2]
    assert {event["rank"] for event in events} == {1}


def test_a_line_may_come_in_pieces(server):
    with rank(server) as one:
        hear(server, 1)
        one.sendall(b'{"event": "prog')
        assert server.wait(5.0) == []
        one.sendall(b'ress", "job": "j", "rows_done": 1, "rows_total": 2}\n')
        assert hear(server, 1)[0]["event"] == "progress"


def test_the_end_of_a_connection_is_an_event(server):
    with rank(server):
        hear(server, 1)
    assert hear(server, 1)[0] == {"event": "gone", "rank": 0, "reason": "its connection ended"}
    assert server.connected == 0


def test_a_message_reaches_every_rank(server):
    with rank(server, 0) as one, rank(server, 1) as other:
        hear(server, 2)
        server.send_all({"request": "run"})
        server.send_all({"request": "stop"})
        for connection in (one, other):
            with connection.makefile() as lines:
                assert [json.loads(lines.readline())["request"] for _ in range(2)] == ["run", "stop"]


def test_sending_to_a_rank_that_has_gone_is_told_by_the_next_wait(server):
    with rank(server):
        hear(server, 1)
    server.send_all({"request": "run"})
    assert hear(server, 1)[0]["event"] == "gone"


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"[1, 2]\n",
        b"\xff\xfe\n",
        b"7\n",
        b"[" * 5000 + b"\n",
        b"{}\n",
        b'{"event": ["report"]}\n',
        b'{"event": "gone", "reason": "so it says"}\n',
        b'{"event": "report", "job": "j"}\n',
        b'{"event": "progress", "job": "j", "rows_done": "many", "rows_total": 2}\n',
    ],
)
def test_a_rank_that_talks_nonsense_is_cut_off(server, line):
    with rank(server) as one:
        hear(server, 1)
        one.sendall(line)
        event = hear(server, 1)[0]
        assert event["event"] == "gone"
        assert "protocol" in event["reason"]
        assert one.recv(1) == b""


def test_a_line_without_end_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(control, "MAX_LINE_BYTES", 1000)
    with rank(server) as one:
        hear(server, 1)
        one.sendall(b"x" * 1001)
        assert "more than 1000 bytes" in hear(server, 1)[0]["reason"]


@pytest.mark.parametrize("number", [-1, 2])
def test_a_rank_that_is_not_of_this_world_is_cut_off_unheard(server, number):
    with rank(server, number) as one:
        assert server.wait(5.0) == []
        server.wait(5.0)
        assert one.recv(1) == b""
    assert server.hello == {}


def test_a_second_rank_of_the_same_number_is_cut_off_unheard(server):
    with rank(server, 0), rank(server, 0) as double:
        hear(server, 1)
        while server.wait(0.05):
            pass
        assert double.recv(1) == b""
        assert server.connected == 1


def test_the_socket_is_for_this_user_alone(server):
    assert stat.S_IMODE(Path(server.path).parent.stat().st_mode) == 0o700


def test_the_socket_goes_when_all_ranks_have_come(server):
    with rank(server, 0), rank(server, 1):
        hear(server, 2)
        assert not Path(server.path).parent.exists()
        assert server.connected == 2


def test_closing_ends_the_connections_and_removes_the_socket(server):
    with rank(server) as one:
        hear(server, 1)
        server.close()
        assert one.recv(1) == b""
    assert not Path(server.path).parent.exists()


def test_a_long_temporary_folder_is_no_trouble(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(control.tempfile, "gettempdir", lambda: str(deep))
    server = ControlServer(1)
    server.close()
    assert len(server.path) <= 107


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_the_ends_of_connections_are_told_in_their_order_whoever_has_spoken_last(server, first, second):
    progress = {"event": "progress", "job": "j", "rows_done": 1, "rows_total": 2}
    with rank(server, first) as one, rank(server, second) as other:
        hear(server, 2)
        say(other, progress)
        hear(server, 1)
        say(one, progress)
        one.shutdown(socket.SHUT_RDWR)
        other.shutdown(socket.SHUT_RDWR)
        events = server.wait(5.0)
    assert [event["rank"] for event in events if event["event"] == "gone"] == [first, second]
