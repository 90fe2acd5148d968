"""What the health check of a container looks at."""

import shutil
import signal
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import psutil
import pytest

from pipeline.cluster import health
from pipeline.worlds.processes import end, is_stopped, spawn


@pytest.fixture
def raylet(tmp_path):
    """Give a process that bears the name of Ray's."""
    program = shutil.copy(shutil.which("sleep"), tmp_path / health.RAYLET)
    process = spawn([program, "600"])
    while psutil.Process(process.pid).name() != health.RAYLET:
        time.sleep(0.01)  # it is still the program that starts it
    yield psutil.Process(process.pid)
    process.send_signal(signal.SIGCONT)
    end(process)


@pytest.fixture
def page():
    """Give a server that answers as it is told to, and its port."""

    class Handler(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self):
            self.send_response(self.status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Handler, server.server_address[1]
        server.shutdown()


def test_a_node_of_ray_does_its_part(raylet):
    assert health.is_node(raylet)


def test_a_node_that_was_stopped_does_not(raylet):
    raylet.suspend()
    while not is_stopped(raylet.pid):
        time.sleep(0.01)
    assert not health.is_node(raylet)


def test_another_program_is_no_node():
    assert not health.is_node(psutil.Process())


def test_a_page_does_its_part_when_it_answers(page):
    handler, port = page
    assert health.page_answers(port)
    handler.status = 503
    assert not health.page_answers(port)


def test_no_page_is_no_answer(page):
    _, port = page
    assert not health.page_answers(port + 1 if port < 65535 else 1)


def test_wrong_settings_are_told_as_such(monkeypatch, capsys):
    monkeypatch.setenv("HALOROW_PAGE_PORT", "none")
    assert health.main() != 0
    assert "page_port" in capsys.readouterr().err
