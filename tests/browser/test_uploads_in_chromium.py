"""Uploads as people meet them: a real browser, a line that breaks, and files of many gigabytes."""

import os
import re
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pipeline.uploads.checksum import of_file
from tests.browser.page_alone import Line, page_alone

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IMAGES = Path(__file__).parents[1] / "images"
OUTPUT = Path(__file__).parents[1] / "output"
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WRITES_DOCS = os.environ.get("HALOROW_WRITE_DOCS") == "1"
MEBIBYTE = 1 << 20
ARRIVE_MS = 30_000
SIZES = [
    128 * MEBIBYTE,
    pytest.param(
        3 << 30,
        marks=pytest.mark.skipif(
            not os.environ.get("HALOROW_LONG"), reason="takes minutes: `make load` runs it"
        ),
    ),
]
MOST_RISE_BYTES = 100_000_000

# Files that are dropped: the browser makes them itself, since no script may name files of the disk.
DROP = """([zone, files]) => {
  const dropped = new DataTransfer();
  for (const [name, bytes] of files) dropped.items.add(new File([new Uint8Array(bytes)], name));
  for (const kind of ["dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: dropped, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture(scope="module")
def page(redis_server, tmp_path_factory):
    with page_alone(tmp_path_factory.mktemp("page"), redis_server.url) as running:
        yield running


@pytest.fixture
def line(page):
    """Give a line to the page that can be cut."""
    made = Line(page.port)
    yield made
    made.close()


def visit_images(visit, address):
    visit.on("dialog", lambda dialog: dialog.accept())  # whether to leave while files are on their way
    visit.on("filechooser", lambda _: None)  # so that choosers are caught from the beginning
    visit.goto(address)
    expect(visit.get_by_role("button", name="Add images")).to_be_enabled()


def choose(visit, *paths):
    """Add files as a person does who uses no mouse: to the button by Tab, then Enter."""
    visit.get_by_role("button", name="Add images").focus()
    with visit.expect_file_chooser() as chooser:
        visit.keyboard.press("Enter")
    chooser.value.set_files([str(path) for path in paths])


def row(visit, name):
    return visit.get_by_role("listitem").filter(has_text=name)


def expect_ready(visit, name, timeout_ms=ARRIVE_MS):
    expect(visit.get_by_role("button", name=f"Remove {name}")).to_be_visible(timeout=timeout_ms)
    expect(row(visit, name).get_by_role("img", name="Ready")).to_be_visible()


def objects_of(page, name):
    return list((page.store / "objects" / "uploads").glob(f"*-{name}"))


def staged(page):
    """Return the bytes of each file that is on its way."""
    return [path.stat().st_size for path in (page.store / "staging").glob("*.upload")]


def wait_for_staged(page, size_bytes):
    deadline = time.monotonic() + ARRIVE_MS / 1000
    while max(staged(page), default=0) < size_bytes:
        assert time.monotonic() < deadline, f"of {size_bytes} bytes {staged(page)} are there"
        time.sleep(0.05)


def sparse(path, size_bytes):
    """Make a file with something to sum up in front, at its middle and its end."""
    with path.open("wb") as file:
        for place in (0, size_bytes // 2, size_bytes - 1000):
            file.seek(place)
            file.write(os.urandom(1000))
    return path


def document(visit, name):
    """Keep a picture of the part of the page where images are, for the documents."""
    heading = visit.get_by_role("heading", name="Images").bounding_box()
    zone = visit.locator(".zone").bounding_box()
    last = visit.get_by_role("button", name="Sample image").bounding_box()
    top, bottom = heading["y"] - 10, last["y"] + last["height"] + 10
    clip = {"x": zone["x"] - 10, "y": top, "width": zone["width"] + 20, "height": bottom - top}
    visit.screenshot(path=PICTURES / f"{name}.png", clip=clip)


def picture(visit, name):
    OUTPUT.mkdir(exist_ok=True)
    visit.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


@contextmanager
def watched_memory(process):
    """Yield a list to which the resident memory of a process is added all the time, in bytes."""
    seen = [process.memory_info().rss]
    ended = threading.Event()

    def watch():
        while not ended.wait(0.02):
            seen.append(process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def test_many_files_are_dropped_at_once_or_chosen_by_keyboard_and_wrong_ones_are_explained(visit, page):
    visit_images(visit, page.address)
    dropped = [
        [f"dropped-{number}.png", list((IMAGES / "coins.png").read_bytes()[:5000])] for number in range(8)
    ]
    zone = visit.locator(".zone").element_handle()
    visit.evaluate(DROP, [zone, [*dropped, ["notes.txt", [1, 2, 3]], ["empty.png", []]]])
    choose(visit, IMAGES / "coffee.tif", IMAGES / "coins.png")
    for name in (*(name for name, _ in dropped), "coffee.tif", "coins.png"):
        expect_ready(visit, name)
    expect(row(visit, "notes.txt")).to_contain_text("No image of a kind that can be filtered")
    expect(row(visit, "empty.png")).to_contain_text("empty.png is empty")
    expect(visit.locator(".summary")).to_have_text("10 images are ready · 2 files cannot be used, see below")
    expect(visit.get_by_role("button", name="Run on 10 images")).to_be_visible()
    picture(visit, "uploads-many")
    visit.get_by_role("button", name="Remove coffee.tif").click()
    expect(visit.get_by_role("button", name="Run on 9 images")).to_be_visible()
    (stored,) = objects_of(page, "coins.png")
    assert stored.read_bytes() == (IMAGES / "coins.png").read_bytes()
    visit.reload()
    expect(visit.get_by_role("button", name="Run on 9 images")).to_be_visible()


@pytest.mark.parametrize("size_bytes", SIZES, ids=lambda size_bytes: f"{size_bytes >> 20}MiB")
def test_a_large_file_goes_past_the_pages_memory_and_on_after_a_cut(visit, page, line, tmp_path, size_bytes):
    source = sparse(tmp_path / "whole-slide.tif", size_bytes)
    visit_images(visit, line.address)
    choose(visit, IMAGES / "coins.png")
    expect_ready(visit, "coins.png")
    with watched_memory(page.process) as seen:
        line.cut_at(size_bytes // 2)
        choose(visit, source)
        expect(row(visit, source.name)).to_contain_text("The connection was lost", timeout=300_000)
        picture(visit, "uploads-cut")
        if WRITES_DOCS:
            document(visit, "page_images")
        line.mend()
        expect_ready(visit, source.name, 300_000)
    (stored,) = objects_of(page, source.name)
    assert of_file(stored) == of_file(source)
    assert line.cuts == 1
    assert line.up_bytes < 1.25 * size_bytes  # what had arrived before the cut was not sent again
    rise_bytes = max(seen) - seen[0]
    sys.stdout.write(f"{size_bytes} bytes: the page's memory rose by {rise_bytes} bytes\n")
    assert rise_bytes < min(MOST_RISE_BYTES, size_bytes // 4)
    stored.unlink()


def test_an_upload_goes_on_after_a_reload_with_the_same_file_and_is_cancelled_by_keyboard(
    visit, page, line, tmp_path
):
    source = sparse(tmp_path / "reloaded.tif", 20 * MEBIBYTE)
    visit_images(visit, line.address)
    line.hold_at(10 * MEBIBYTE)
    choose(visit, source)
    wait_for_staged(page, 8 * MEBIBYTE)
    line.cut()
    expect(row(visit, source.name)).to_contain_text("The connection was lost")
    line.mend()
    visit.goto("about:blank")
    (staged_bytes,) = staged(page)
    sent_before = line.up_bytes
    visit_images(visit, line.address)
    choose(visit, source)
    expect_ready(visit, source.name)
    assert line.up_bytes - sent_before < 20 * MEBIBYTE - staged_bytes + MEBIBYTE
    (stored,) = objects_of(page, source.name)
    assert of_file(stored) == of_file(source)
    other = sparse(tmp_path / "cancelled.tif", 20 * MEBIBYTE)
    line.cut_at(10 * MEBIBYTE)
    choose(visit, other)
    expect(row(visit, other.name)).to_contain_text("The connection was lost")
    line.mend()
    visit.get_by_role("button", name=f"Cancel {other.name}").focus()
    with visit.expect_response(lambda answer: answer.request.method == "DELETE"):
        visit.keyboard.press("Enter")
    expect(row(visit, other.name)).to_have_count(0)
    assert not staged(page)


def test_bytes_that_changed_on_their_way_are_refused_and_can_be_sent_again(visit, page, tmp_path):
    source = tmp_path / "changed.png"
    source.write_bytes((IMAGES / "coins.png").read_bytes())
    visit_images(visit, page.address)

    def change(route):
        body = route.request.post_data_buffer
        route.continue_(post_data=body[:-1] + bytes([body[-1] ^ 1]))

    visit.route(
        re.compile("/uploads/"),
        lambda route: change(route) if route.request.method == "PATCH" else route.continue_(),
    )
    choose(visit, source)
    expect(row(visit, source.name)).to_contain_text("did not arrive as it was sent")
    picture(visit, "uploads-refused")
    assert not objects_of(page, source.name)
    visit.unroute_all()
    row(visit, source.name).get_by_role("button", name="Send again").click()
    expect_ready(visit, source.name)
    (stored,) = objects_of(page, source.name)
    assert stored.read_bytes() == source.read_bytes()
