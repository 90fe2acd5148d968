"""Being told, in a real browser: choices, a test message, deliveries, the bell, and the browser's own."""

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pipeline.channels.models import Kind
from pipeline.client import Client
from pipeline.connect import connect_parts
from pipeline.worlds.processes import end, spawn
from tests.browser.conftest import OUTPUT
from tests.browser.page_alone import page_alone
from tests.receivers import receiving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IMAGES = Path(__file__).parents[1] / "images"
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"

RECORD = """
window.shown = [];
window.Notification = class extends window.Notification {
  constructor(title, options) {
    super(title, options);
    window.shown.push({ title, body: options.body, silent: this.silent });
  }
};
"""


@contextmanager
def notifier(page, receivers):
    """Run the notifier of a page."""
    env = {
        **os.environ,
        **receivers.environment,
        "HALOROW_REDIS_URL": page.settings.redis_url.get_secret_value(),
        "HALOROW_STORE_URI": page.settings.store_uri,
        "HALOROW_LINK_SECRET": "of the tests",
        "HALOROW_PUBLIC_BASE_URL": page.address,
    }
    process = spawn([sys.executable, "-m", "pipeline.notify.notifier"], env=env, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        end(process)


@pytest.fixture
def told_page(tmp_path, own_redis):
    """Give a page with its notifier, and receivers of mail, chat and webhooks."""
    with receiving() as receivers:
        chosen = {
            name.removeprefix("HALOROW_").lower(): value for name, value in receivers.environment.items()
        }
        with page_alone(tmp_path, own_redis.url, **chosen) as page, notifier(page, receivers):
            yield page, receivers


def channel(visit, shown):
    return visit.locator('[class*="st-key-channel_"]').filter(has=visit.get_by_text(shown))


def add(visit, medium, label, address):
    visit.get_by_role("radio", name=medium).click()
    field = visit.get_by_label(label, exact=True)
    field.fill(address)
    field.press("Enter")


def refuse(visit):
    """Try an address by which a file would be read."""
    add(visit, "Chat", "Address of the chat", "file:///etc/passwd")
    expect(visit.get_by_text("begins with that of one of these services")).to_be_visible()


def has_chosen(choices, kind):
    return kind in choices.browser and any(kind in one.kinds for one in choices.channels)


def until(condition):
    """Wait until something holds of what the page has kept."""
    pause = threading.Event()
    for _ in range(300):
        if condition():
            return
        pause.wait(0.1)
    raise AssertionError("what was picked is not kept")


def picture(visit, name):
    """Keep a sight of the page: light, dark, and on a narrow screen."""
    OUTPUT.mkdir(exist_ok=True)
    before = visit.viewport_size
    for kind, scheme, width in (("light", "light", 1280), ("dark", "dark", 1280), ("narrow", "light", 420)):
        visit.emulate_media(color_scheme=scheme)
        visit.set_viewport_size({"width": width, "height": 1150 if width > 1000 else 2000})
        for pills in visit.locator('[class*="st-key-kinds_"]').all():
            expect(pills.get_by_role("button", name="Alerts")).to_be_in_viewport(ratio=1)
        visit.screenshot(path=OUTPUT / f"{name}-{kind}.png", full_page=True)
    visit.emulate_media(color_scheme="light")
    visit.set_viewport_size(before)
    if os.environ.get("HALOROW_WRITE_DOCS"):
        PICTURES.mkdir(exist_ok=True)
        visit.screenshot(path=PICTURES / f"{name}.png")


def test_somebody_chooses_how_to_be_told_and_is(visit, told_page):
    page, receivers = told_page
    visit.context.grant_permissions(["notifications"], origin=page.address)
    visit.add_init_script(RECORD)
    visit.goto(f"{page.address}/notifications")
    expect(visit.get_by_text("This browser may show notifications.")).to_be_visible()

    add(visit, "E-mail", "Mail address", "ann@example.org")
    ann = channel(visit, "ann@example.org")
    ann.get_by_role("button", name="Send a test message").click()
    receivers.inbox.wait(lambda inbox: len(inbox.of("e-mail")) == 1)
    (mail,) = receivers.inbox.of("e-mail")
    assert mail["to"] == ["ann@example.org"]
    assert page.address in mail["text"]
    delivery = visit.locator('[class*="st-key-delivery_0"]')
    expect(delivery.get_by_text(re.compile("Sent$")).first).to_be_visible()
    expect(delivery.get_by_text("ann@example.org")).to_be_visible()

    add(visit, "Webhook", "Address that is called", f"{receivers.webhook}/sesame-open-7f3a")
    hook = channel(visit, "127.0.0.1")
    expect(hook).to_be_visible()
    assert "sesame-open" not in visit.content()
    refuse(visit)
    # One right after the other, while the page is still being drawn: neither is lost.
    for pills in (ann, visit.locator(".st-key-kinds_browser")):
        pills.get_by_role("button", name="Cancelled").click()
    with Client(connect_parts(page.settings), page.settings) as client:
        until(lambda: has_chosen(client.desk().choices(), Kind.CANCELLED))
        visit.get_by_role("link", name="Filter").click()
        expect(visit.get_by_role("heading", name="Jobs")).to_be_visible()
        client.cancel(client.submit(IMAGES / "coins.png", "invert").id)
    receivers.inbox.wait(lambda inbox: len(inbox.of("e-mail")) == 2)
    assert receivers.inbox.of("e-mail")[1]["subject"] == "coins.png was cancelled"
    visit.wait_for_function("window.shown.length === 1")
    assert visit.evaluate("window.shown[0]") == {
        "title": "halorow",
        "body": "coins.png was cancelled",
        "silent": True,
    }
    bell = visit.locator(".st-key-bell")
    expect(bell.get_by_text("1 new")).to_be_visible()
    expect(visit).to_have_title(re.compile(r"^\(1\) "))
    bell.get_by_role("link").click()
    expect(visit.locator(".st-key-notices").get_by_text("coins.png was cancelled")).to_be_visible()
    expect(bell.get_by_text("Nothing new")).to_be_visible()
    expect(visit).not_to_have_title(re.compile(r"^\("))
    expect(delivery.get_by_text("coins.png was cancelled")).to_be_visible()
    expect(delivery.get_by_text(re.compile("Sent$")).first).to_be_visible()
    picture(visit, "notifications")

    delivery.get_by_role("button", name="Send again").click()
    receivers.inbox.wait(lambda inbox: len(inbox.of("e-mail")) == 3)
    assert len({mail["id"] for mail in receivers.inbox.of("e-mail")}) == 3

    visit.reload()
    expect(hook).to_be_visible()
    assert visit.evaluate("window.shown.length") == 0
    hook.get_by_role("button", name="Remove").click()
    expect(hook).to_have_count(0)
