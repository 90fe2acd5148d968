"""The page's process, as the service starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from pipeline.client import Client
from pipeline.config import Settings
from ui import serve

START_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url, process):
    """Wait until the page answers, and tell whether it does."""
    deadline = time.monotonic() + START_S
    with httpx.Client(transport=httpx.HTTPTransport(retries=0)) as http:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                return http.get(f"{url}/healthz").text == "ok\n"
            except httpx.TransportError:
                # Nothing tells from outside when a server listens: ask again after a while.
                time.sleep(0.1)
    return False


@pytest.fixture
def settings(redis_server, tmp_path):
    return Settings.load(
        find_service=False,
        data_dir=tmp_path,
        redis_url=redis_server.url,
        link_secret="of the tests",  # noqa: S106  (a test's)
        page_port=free_port(),
    )


@pytest.fixture
def page(settings, tmp_path):
    environment = {
        **os.environ,
        "HALOROW_DATA_DIR": str(tmp_path),
        "HALOROW_STORE_URI": settings.store_uri,
        "HALOROW_REDIS_URL": settings.redis_url.get_secret_value(),
        "HALOROW_LINK_SECRET": settings.link_secret.get_secret_value(),
    }
    with (tmp_path / "page.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ui.serve", "--port", str(settings.page_port)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        assert answers(settings.base_url, process), (tmp_path / "page.log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_page_and_the_signed_files_come_from_one_process(page, settings, tmp_path):  # noqa: ARG001  (page runs)
    (tmp_path / "cat.png").write_bytes(b"not looked at before it runs")
    with Client.connect(settings) as client:
        job = client.submit(tmp_path / "cat.png", "invert")
        link = client.input_link(job.id)
    answer = httpx.get(link, headers={"accept-encoding": "gzip", "range": "bytes=4-9"})
    assert (answer.status_code, answer.content) == (206, b"looked")
    assert re.search("<title>", httpx.get(settings.base_url).text)


def test_the_page_ends_when_it_is_told_to(page):
    page.send_signal(signal.SIGTERM)
    assert page.wait(START_S) in {0, -signal.SIGTERM}


def test_wrong_settings_are_named_and_nothing_is_served(monkeypatch, capsys):
    serve.service.settings.cache_clear()
    monkeypatch.setenv("HALOROW_PAGE_PORT", "a lot")
    assert serve.main([]) == 2
    assert "page_port" in capsys.readouterr().err
    serve.service.settings.cache_clear()


def test_no_trace_of_an_error_reaches_the_browser_and_nothing_is_sent_out():
    config = serve.page_config("127.0.0.1", 8501)
    assert config["client.showErrorDetails"] == "none"
    assert config["browser.gatherUsageStats"] is False
