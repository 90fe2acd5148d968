"""The operators' page in a real browser: nodes, a job that kills its workers, and the alert for that."""

import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
import tifffile
from playwright.sync_api import expect

from pipeline.access.page_access import page_answers
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.embedded.service import free_port
from pipeline.models import JobState
from pipeline.worlds.processes import spawn
from tests.browser.conftest import OUTPUT

pytestmark = [pytest.mark.browser, pytest.mark.cluster, pytest.mark.slow]

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WRITES_DOCS = os.environ.get("HALOROW_WRITE_DOCS") == "1"
PATIENCE_S = 120
NARROW = {"width": 420, "height": 2300}
WIDE = {"width": 1280, "height": 1650}


@pytest.fixture
def client(running_service):
    with Client.connect(Settings.load(data_dir=running_service.data)) as made:
        yield made


@pytest.fixture
def endless(client, tmp_path):
    """Give a job that does not end by itself while the test runs; it is gone afterwards."""
    path = tmp_path / "deadly-scan.tif"
    tifffile.imwrite(path, np.random.default_rng(5).integers(0, 65536, (20_000, 3000), np.uint16))
    job = client.submit(path, "median:size=31", ranks=1).id
    yield job
    with suppress(Exception):
        client.cancel(job)


def stage_of(service_pid, job):
    """Return the process that has a job's image open, None while there is none."""
    for process in psutil.Process(service_pid).children(recursive=True):
        with suppress(psutil.Error):
            if any(job in file.path for file in process.open_files()):
                return process
    return None


def kill_until_dead(client, service_pid, job):
    """Kill whatever works on a job until the service gives it up."""
    deadline = time.monotonic() + PATIENCE_S
    for event in client.watch(job, timeout_s=PATIENCE_S):
        if event.status.state is JobState.DEAD:
            return
        victim = stage_of(service_pid, job) if event.status.state is JobState.RUNNING else None
        if victim is not None and "mpi_stage" in " ".join(victim.cmdline()):
            victim.kill()
    assert time.monotonic() < deadline, client.status(job)


def picture(tab, name, *, for_docs=False):
    OUTPUT.mkdir(exist_ok=True)
    tab.screenshot(path=OUTPUT / f"operators-{name}.png", full_page=True)
    if for_docs and WRITES_DOCS:
        PICTURES.mkdir(exist_ok=True)
        tab.screenshot(path=PICTURES / "operators.png")


def test_an_operator_sees_nodes_and_a_dead_letter_whose_alert_is_cleared_when_it_is_re_queued(
    visit, running_service, client, endless
):
    visit.set_viewport_size(WIDE)
    visit.goto(running_service.address)
    visit.get_by_role("link", name="Operators").click()
    row = visit.get_by_role("row", name=re.compile(r"127\.0\.0\.1"))
    expect(row).to_contain_text(re.compile(r"\d+ %"))
    expect(row).to_contain_text(re.compile(r"[\d.]+ GB of [\d.]+ GB"))
    expect(visit.get_by_role("link", name="Ray's dashboard")).to_be_visible()
    expect(visit.get_by_text("Jobs in the queue, by lane")).to_be_visible()

    visit.get_by_text("15 minutes").click()
    charts = visit.get_by_test_id("stVegaLiteChart")
    for number in range(2):
        hours = charts.nth(number).locator("svg text").filter(has_text=re.compile(r"^\d\d:\d\d$"))
        expect(hours.first).to_be_visible()

    kill_until_dead(client, running_service.pid, endless)
    alert = visit.locator('[class*="st-key-alert_dead-letter"]')
    expect(alert).to_contain_text("Dead letters of the last day: 1")
    letter = visit.locator(f'[class*="st-key-dead_{endless}"]')
    letter.get_by_text("Evidence of").click()
    expect(letter.get_by_text("127.0.0.1 (worker-")).to_be_visible()
    expect(letter.get_by_text(re.compile("attempt 3 by"))).to_be_visible()
    for scheme in ("dark", "light"):
        visit.emulate_media(color_scheme=scheme)
        picture(visit, scheme, for_docs=scheme == "light")
    visit.set_viewport_size(NARROW)
    expect(letter).to_be_visible()
    assert visit.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    picture(visit, "narrow")
    visit.set_viewport_size(WIDE)

    letter.get_by_role("button", name="Re-queue").click()
    visit.get_by_role("button", name="Yes, re-queue it").click()
    expect(letter).to_have_count(0)
    expect(alert).to_have_count(0)
    visit.get_by_text("Alerts of lately").click()
    expect(visit.get_by_text(re.compile("Dead letters.*cleared"))).to_be_visible()
    assert client.status(endless).state is not JobState.DEAD
    assert "Traceback" not in visit.content()


@pytest.fixture
def login_page(running_service, tmp_path):
    """Give the address of a second page of the same service, which asks for a login, and its provider."""
    pytest.importorskip("authlib", reason="a login needs the package Authlib")
    oidc = pytest.importorskip("fakes.oidc", reason="its tokens need joserfc, which Authlib brings")
    known = Settings.load(data_dir=running_service.data)
    port = free_port(0)
    with oidc.provider("halorow") as identities:
        values = {
            "data_dir": tmp_path,
            "page_port": port,
            "public_base_url": f"http://127.0.0.1:{port}",
            "store_uri": known.store_uri,
            "redis_url": known.redis_url.get_secret_value(),
            "link_secret": known.link_secret.get_secret_value(),
            "login_metadata_url": identities.metadata_url,
            "login_client_id": "halorow",
            "login_client_secret": "of the tests",
            "operators": "olga@example.com",
        }
        given = {f"HALOROW_{name.upper()}": str(value) for name, value in values.items()}
        with (tmp_path / "page.log").open("wb") as log:
            process = spawn(
                [sys.executable, "-m", "ui.serve"], env={**os.environ, **given}, stdout=log, stderr=log
            )
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not page_answers(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
            yield values["public_base_url"], identities
        finally:
            process.terminate()
            process.wait()


def log_in(tab, login_page, name):
    address, identities = login_page
    identities.claims = {"sub": name, "email": f"{name}@example.com", "email_verified": True}
    tab.context.clear_cookies()
    tab.goto(address)
    tab.get_by_role("button", name="Log in").click()
    expect(tab.get_by_text(f"{name}@example.com ·")).to_be_visible()


def test_who_is_no_operator_sees_no_such_page_not_even_by_its_address(visit, login_page):
    log_in(visit, login_page, "ada")
    expect(visit.get_by_text("No jobs yet")).to_be_visible()
    expect(visit.get_by_role("link", name="Operators")).to_have_count(0)
    visit.goto(f"{login_page[0]}/operators")
    expect(visit.get_by_text("ada@example.com ·")).to_be_visible()
    expect(visit.get_by_text("No jobs yet")).to_be_visible()
    expect(visit.get_by_text("Dead letters")).to_have_count(0)

    log_in(visit, login_page, "olga")
    visit.get_by_role("link", name="Operators").click()
    expect(visit.get_by_text("Dead letters").first).to_be_visible()
