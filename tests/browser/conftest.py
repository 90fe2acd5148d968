"""A real Chromium, and the whole embedded service as ``halorow up`` starts it: one for all tests here.

Jobs and uploads of other tests are on the page as well: name your files so that they are yours alone.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

import pytest
from playwright.sync_api import expect, sync_playwright

from pipeline.worlds.processes import spawn

CHROMIUM = "/usr/bin/chromium"
OUTPUT = Path(__file__).parents[1] / "output"
START_S = 180
PATIENCE_MS = 30_000
STOP_S = 60


@pytest.fixture(scope="package")
def chromium():
    """Give a browser; without Chromium skip, but fail where CI promises one."""
    if shutil.which(CHROMIUM) is None:
        missing = f"{CHROMIUM} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, request):
    """Give a fresh visitor's tab; it leaves a screenshot of its last sight in ``tests/output``."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1100}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    tab = context.new_page()
    yield tab
    OUTPUT.mkdir(exist_ok=True)
    tab.screenshot(path=OUTPUT / f"{request.node.name}.png", full_page=True)
    context.close()


def lines_of(process):
    """Return a queue of the lines that a process prints, read in a thread so that waiting can end."""
    lines: Queue[str] = Queue()

    def read():
        with process.stdout:
            for line in process.stdout:
                lines.put(line.decode())
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    return lines


def page_address(lines):
    """Return the address of the page once the service says that it is ready."""
    said = []
    while True:
        try:
            line = lines.get(timeout=START_S)
        except Empty:
            pytest.fail(f"the service was not ready in {START_S} s; it said:\n{''.join(said)}")
        said.append(line)
        found = re.search(r"page: (http://\S+)", line)
        if found:
            return found[1]
        if not line:
            pytest.fail(f"the service ended before it was ready; it said:\n{''.join(said)}")


@dataclass(frozen=True)
class RunningService:
    """The embedded service: the address of its page, its folder, and its first process."""

    address: str
    data: Path
    pid: int


@pytest.fixture(scope="package")
def running_service(tmp_path_factory):
    """Give a running embedded service; in the end Ctrl-C must have it gone within ``STOP_S``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = tmp_path_factory.mktemp("service") / "data"
    process = spawn(  # so that it ends with the tests, however they end
        [
            sys.executable,
            "-m",
            "pipeline.cli.main",
            "up",
            "--data",
            str(data),
            "--port",
            str(port),
            "--workers",
            "2",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "HALOROW_ALERT_LOOK_S": "1", "HALOROW_ALERT_CLEAR_S": "1"},
    )
    try:
        yield RunningService(page_address(lines_of(process)), data, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail(f"the service did not end within {STOP_S} s of Ctrl-C")


@pytest.fixture(scope="package")
def service(running_service):
    """Give the address of the page of a running embedded service."""
    return running_service.address
