"""Building a pipeline as people do: by keyboard, as text, from presets; with a preview that follows."""

import json
import os
import statistics
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from playwright.sync_api import expect

from tests.browser.page_alone import page_alone

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "tests" / "images"
OUTPUT = ROOT / "tests" / "output"
WRITES_DOCS = os.environ.get("HALOROW_WRITE_DOCS") == "1"
CHANGES = 9
CLICKS = 6
BIG = (3600, 2400)
PLACE = ("<!-- measured -->\n", "<!-- /measured -->")

WATCH = """image => {
  const before = image.src;
  document.addEventListener("click", () => {
    const began = performance.now();
    window.previewed = new Promise((done) => {
      const look = () => image.src !== before && image.complete
        ? done(performance.now() - began) : requestAnimationFrame(look);
      look();
    });
  }, { capture: true, once: true });
}"""
"""Measures from the next click until another picture is there."""

CLICK_FAST = """([name, times]) => new Promise((done) => {
  const shown = () => document.querySelector('textarea[aria-label="As text"]')?.value;
  const click = (left) => {
    if (!left) { done(); return; }
    const before = shown();
    document.querySelector(`.st-key-${name} button`).click();
    const look = () => shown() && shown() !== before ? click(left - 1) : requestAnimationFrame(look);
    look();
  };
  click(times);
})"""
"""Clicks a button so often, each time as soon as the pipeline shows what the click before has done: the page
is being drawn then. Two clicks within one drawing are one to Streamlit, which has a button's last state."""


@pytest.fixture(scope="module")
def page(tmp_path_factory, redis_server):
    """Give a running page with a store of its own; nothing works on jobs."""
    with page_alone(tmp_path_factory.mktemp("builder"), redis_server.url) as running:
        yield running


def steps(visit):
    return visit.locator('[class*="st-key-step_"]')


def titles(visit, *names):
    for place, name in enumerate(names):
        expect(steps(visit).nth(place).get_by_text(f"{place + 1} · {name}")).to_be_visible()
    expect(steps(visit)).to_have_count(len(names))


def spelled(visit, name="As text"):
    return visit.get_by_role("textbox", name=name)


def search(visit, words):
    """Find an operation by what it does and take the first, with keys alone."""
    visit.get_by_role("combobox", name="Add an operation").focus()
    visit.keyboard.type(words)
    expect(visit.get_by_role("option").first).to_be_visible()
    visit.keyboard.press("Enter")


def write(visit, text):
    """Write the pipeline anew, once the page has drawn all that the last change asked for."""
    settled(visit)
    expect(visit.get_by_test_id("stStatusWidget")).to_have_count(0)
    spelled(visit).fill(text)
    spelled(visit).press("Control+Enter")


def press(visit, step, name, key="Enter"):
    steps(visit).nth(step - 1).get_by_role("button", name=name).press(key)


def settled(visit):
    """Wait until the preview is of the pipeline as it stands."""
    expect(visit.locator(".stale")).to_have_count(0)
    expect(visit.get_by_text("Making the preview")).to_have_count(0)


def keep(name, figures):
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
    sys.stdout.write(f"{name}: {json.dumps(figures)}\n")


def test_a_pipeline_is_built_with_keys_alone_as_text_and_as_json(visit, page):
    visit.goto(page.address)
    search(visit, "bell curve")
    titles(visit, "Gaussian blur")
    search(visit, "canny")
    titles(visit, "Gaussian blur", "Canny edges")
    sigma = steps(visit).first.get_by_label("Sigma (px)", exact=True)
    sigma.fill("2.5")
    sigma.press("Enter")
    expect(spelled(visit)).to_have_value("gaussian:sigma=2.5 canny")
    press(visit, 2, "Move up")
    titles(visit, "Canny edges", "Gaussian blur")
    press(visit, 1, "Switch off", "Space")
    expect(spelled(visit)).to_have_value("gaussian:sigma=2.5")
    expect(steps(visit).first.get_by_text("1 · Canny edges · off")).to_be_visible()
    press(visit, 1, "Switch on")
    expect(spelled(visit)).to_have_value("canny gaussian:sigma=2.5")
    press(visit, 1, "Remove")
    titles(visit, "Gaussian blur")
    visit.get_by_role("button", name="Undo").press("Enter")
    titles(visit, "Canny edges", "Gaussian blur")

    spelled(visit).fill("median:size=5 gausian")
    spelled(visit).press("Control+Enter")
    expect(visit.get_by_text("Step 2, gausian")).to_be_visible()
    spelled(visit).fill("median:size=5 sobel")
    spelled(visit).press("Control+Enter")
    titles(visit, "Median", "Sobel")
    expect(steps(visit).first.get_by_label("Size (px)", exact=True)).to_have_value("5")

    visit.get_by_role("radio", name="JSON").click()
    as_json = spelled(visit, "As JSON")
    expect(as_json).to_have_value('[\n  {"op": "median", "size": 5},\n  {"op": "sobel"}\n]')
    as_json.fill('[{"op": "invert"},')
    as_json.press("Control+Enter")
    expect(visit.get_by_text("begins like JSON and is none")).to_be_visible()
    as_json.fill('[{"op": "invert"}]')
    as_json.press("Control+Enter")
    titles(visit, "Invert")


def test_every_click_counts_that_comes_while_the_page_is_still_drawn(visit, page):
    names = "gaussian sobel invert median gamma erode dilate"
    visit.goto(f"{page.address}/?pipeline={names.replace(' ', '%20')}")
    visit.get_by_role("button", name="Sample image").click()
    expect(visit.get_by_role("img", name="After: the whole picture")).to_be_visible()
    visit.evaluate(CLICK_FAST, ["down_1", CLICKS])
    expect(spelled(visit)).to_have_value("sobel invert median gamma erode dilate gaussian")
    visit.evaluate(CLICK_FAST, ["undo", CLICKS])
    expect(spelled(visit)).to_have_value(names)
    expect(visit.get_by_role("dialog")).to_have_count(0)  # Streamlit's own errors


def test_a_preset_is_there_after_a_reload_and_a_link_opens_its_pipeline(visit, page):
    visit.goto(f"{page.address}/?pipeline=gaussian:sigma=3%20sobel")
    titles(visit, "Gaussian blur", "Sobel")
    visit.get_by_role("button", name="Presets").press("Enter")
    visit.get_by_role("textbox", name="Save this pipeline as").fill("Soft edges")
    visit.get_by_role("button", name="Save", exact=True).click()
    expect(visit.get_by_text("1 of 50 saved")).to_be_visible()

    visit.goto(page.address)
    titles(visit)
    visit.get_by_role("button", name="Presets").press("Enter")
    visit.get_by_role("combobox", name="Load").fill("soft")
    visit.get_by_role("option", name="Soft edges").click()
    titles(visit, "Gaussian blur", "Sobel")
    visit.keyboard.press("Escape")
    visit.get_by_role("button", name="Link").press("Enter")
    expect(visit.get_by_text("/?pipeline=gaussian:sigma=3%20sobel")).to_be_visible()


def test_somebody_new_tries_it_with_a_sample(visit, page):
    visit.goto(page.address)
    expect(visit.get_by_role("combobox", name="Add an operation")).to_be_enabled()
    began_ms = visit.evaluate("performance.timeOrigin")
    ready_ms = visit.evaluate("Date.now()") - began_ms
    keep("time_to_interactive", {"ready_ms": round(ready_ms)})
    visit.get_by_role("button", name="Try it with a sample image").press("Enter")
    titles(visit, "Gaussian blur", "Sobel", "Invert", "Stretch the contrast")
    expect(visit.get_by_role("img", name="After: the whole picture")).to_be_visible()
    expect(visit.get_by_text("exactly as in the result")).to_be_visible()
    expect(visit.get_by_text("Takes under")).to_be_visible()
    settled(visit)
    visit.get_by_text("Plan: 2 passes").click()
    expect(visit.get_by_role("table").get_by_text("gaussian → grayscale → sobel")).to_be_visible()


def test_the_preview_follows_the_pipeline_and_the_place_that_is_picked(visit, page, tmp_path):
    with Image.open(IMAGES / "coffee.tif") as coffee:
        big = coffee.resize(BIG, Image.Resampling.BICUBIC)
    tifffile.imwrite(
        tmp_path / "big.tif", np.asarray(big), tile=(256, 256), compression="zlib", photometric="rgb"
    )
    visit.goto(f"{page.address}/?pipeline=gaussian:sigma=2")
    expect(visit.get_by_role("button", name="Add images")).to_be_enabled()
    visit.locator('input[type="file"]').set_input_files(str(tmp_path / "big.tif"))
    after = visit.get_by_role("img", name="After: a crop at full resolution")
    expect(after).to_be_visible()
    expect(visit.get_by_text("shown 5.6 times smaller")).to_be_visible()
    more = steps(visit).first.get_by_role("button", name="Increment").first
    took_ms = []
    for _ in range(CHANGES):
        settled(visit)
        after.evaluate(WATCH)
        more.click()
        took_ms.append(visit.evaluate("window.previewed"))
    figures = {"image_px": BIG, "median_ms": round(statistics.median(took_ms)), "each_ms": took_ms}
    keep("preview_latency", figures)

    settled(visit)
    expect(visit.get_by_text("from column 1,")).to_be_visible()
    visit.get_by_role("img", name="Before: the whole picture").click(position={"x": 2, "y": 2})
    expect(visit.get_by_text("from column 0, row 0 · exactly as in the result")).to_be_visible()
    across = visit.get_by_role("slider", name="Crop, across")
    across.focus()
    across.press("End")
    expect(visit.get_by_text("row 0 · exactly as in the result")).to_be_visible()
    expect(visit.get_by_text("from column 3,")).to_be_visible()

    write(visit, "canny:sigma=4 denoise")
    expect(visit.get_by_text("an approximation: canny will look at the whole picture")).to_be_visible()
    write(visit, "label")
    expect(visit.get_by_text("This image cannot go through the pipeline")).to_be_visible()
    expect(visit.get_by_text("would be refused: label takes 1 channel")).to_be_visible()

    write(visit, "gaussian:sigma=2 sobel invert")
    across.fill("42")
    visit.get_by_role("slider", name="Crop, down").fill("34")
    expect(visit.get_by_text("from column 1,")).to_be_visible()
    expect(visit.get_by_text("Takes under")).to_be_visible()
    settled(visit)
    take_pictures(visit)
    if WRITES_DOCS:
        write_figures(figures)


def take_pictures(visit):
    """Keep what the page looks like, light and dark, wide and narrow."""
    OUTPUT.mkdir(exist_ok=True)
    for name, width, scheme in (("light", 1440, "light"), ("dark", 1440, "dark"), ("narrow", 420, "light")):
        visit.set_viewport_size({"width": width, "height": 1100 if width > 1000 else 2600})
        visit.emulate_media(color_scheme=scheme)
        settled(visit)
        expect(visit.get_by_role("img", name="After: the whole picture")).to_be_visible()
        visit.get_by_role("heading", name="halorow").scroll_into_view_if_needed()
        visit.screenshot(path=OUTPUT / f"builder_{name}.png", animations="disabled")
        if WRITES_DOCS and name == "light":
            small = Image.open(OUTPUT / "builder_light.png").convert("RGB").quantize(256)
            small.save(ROOT / "docs" / "pictures" / "page_pipeline.png", optimize=True)


def write_figures(figures):
    """Put what was measured where the guide has it."""
    path = ROOT / "docs" / "page.md"
    before, begin, rest = path.read_text().partition(PLACE[0])
    _, end, after = rest.partition(PLACE[1])
    ready = json.loads((OUTPUT / "time_to_interactive.json").read_text())["ready_ms"]
    told = (
        f"With a picture of {BIG[0]:,} × {BIG[1]:,} px the preview had followed {figures['median_ms']} ms"
        f" after a change of `gaussian`'s sigma (median of {CHANGES}). The page was ready {ready} ms after it"
        f" was opened. Browser, page and rank shared {os.cpu_count()} cores."
    )
    assert begin
    assert end
    path.write_text(f"{before}{begin}{textwrap.fill(told, 118)}\n{end}{after}")
