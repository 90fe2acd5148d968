"""The page of a job in a real browser: the curtain, zooming into a large result, its batch as an archive."""

import io
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from playwright.sync_api import expect

from pipeline.client import Client
from pipeline.config import Settings
from tests.browser.conftest import OUTPUT

pytestmark = [pytest.mark.browser, pytest.mark.cluster, pytest.mark.slow]

FINISH_S = 120
IMAGES = Path(__file__).parents[1] / "images"
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
COLUMNS, ROWS = 16_384, 2_048
TILE = re.compile(r"/tiles/.*/(before|after)/(\d+)/(\d+)_(\d+)\.png")


@pytest.fixture(scope="module")
def client(running_service):
    with Client.connect(Settings.load(data_dir=running_service.data)) as connected:
        yield connected


@pytest.fixture(scope="module")
def wide():
    """Give the pixels of a wide picture, each row and column of which differs from its neighbours."""
    down, across = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.uint16)
    planes = [(across >> 6).astype(np.uint8), (down >> 3).astype(np.uint8), ((across ^ down) & 255)]
    return np.stack(planes, axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def batch(client, wide, tmp_path_factory):
    """Give two finished jobs of a batch, the first of a wide picture."""
    folder = tmp_path_factory.mktemp("wide")
    tifffile.imwrite(folder / "wide.tif", wide, tile=(256, 256), compression="zlib", photometric="rgb")
    tifffile.imwrite(folder / "deep.tif", np.arange(120 * 160, dtype=np.uint16).reshape(120, 160))
    jobs = [
        client.submit(folder / name, "invert", batch="of-results").id for name in ("wide.tif", "deep.tif")
    ]
    for job_id in jobs:
        client.wait(job_id, timeout_s=FINISH_S)
    return jobs


def open_job(visit, service, job_id):
    visit.goto(f"{service}/jobs?job={job_id}")
    expect(visit.locator('.hv[data-opened="curtain"]')).to_be_visible()


def seen_at(visit, share_across):
    """Return the colour in the middle of the picture's height, so far across it."""
    stage = visit.locator(".hv-stage")
    picture = Image.open(io.BytesIO(stage.screenshot()))
    return np.asarray(picture.convert("RGB"))[picture.height // 2, round(picture.width * share_across)]


def test_the_curtain_is_drawn_by_keyboard_and_mouse_and_both_sides_zoom_together(visit, service, batch, wide):
    open_job(visit, service, batch[0])
    expect(visit.get_by_text(re.compile(r"^After: 16,384 × 2,048 px, 3 × uint8 · histogram"))).to_be_visible()
    curtain = visit.get_by_role("slider", name="Left of the slider is before")
    curtain.focus()
    visit.keyboard.press("End")
    expect(curtain).to_have_value("1000")
    middle = wide[ROWS // 2, COLUMNS // 4].astype(int)
    expect_colour(visit, 0.25, middle)
    visit.keyboard.press("Home")
    expect_colour(visit, 0.25, 255 - middle)

    line = visit.locator(".hv-line").bounding_box()
    stage = visit.locator(".hv-stage").bounding_box()
    middle_y = line["y"] + line["height"] / 2
    visit.mouse.move(line["x"] + line["width"] * 3 / 4, middle_y)
    visit.mouse.down()
    visit.mouse.move(stage["x"] + stage["width"] / 2, middle_y, steps=5)
    visit.mouse.up()
    expect(curtain).to_have_value(re.compile(r"^(49\d|50\d)$"))
    expect_colour(visit, 0.25, middle)
    expect_colour(visit, 0.75, 255 - wide[ROWS // 2, COLUMNS * 3 // 4].astype(int))

    visit.get_by_role("button", name="Side by side").click()
    expect(visit.locator('.hv[data-opened="beside"]')).to_be_visible()
    panes = visit.locator(".hv-pane canvas")
    expect(panes).to_have_count(2)
    visit.get_by_role("button", name="Zoom in").click()
    expect(visit.locator(".hv")).to_have_attribute("data-zooms", re.compile(r"^(2\.0\d\d|1\.9\d\d) \1$"))


def expect_colour(visit, share_across, wanted):
    """Wait until the picture has about a colour at a place: tiles come in when they come in."""
    found = None
    for _ in range(100):
        found = seen_at(visit, share_across).astype(int)
        if np.abs(found - wanted)[:2].max() <= 6:  # the third channel changes from column to column
            return
        visit.wait_for_timeout(100)
    pytest.fail(f"the picture is {found} at {share_across:.0%} of its width, and not about {wanted}")


def test_zooming_into_a_wide_result_fetches_finer_tiles_down_to_its_own_pixels(visit, service, batch, wide):
    tiles = {}

    def note(answer):
        found = TILE.search(answer.url)
        if found and answer.ok:
            tiles[found[1], *map(int, found.groups()[1:])] = answer

    visit.on("response", note)
    open_job(visit, service, batch[0])
    expect_colour(visit, 0.75, 255 - wide[ROWS // 2, COLUMNS * 3 // 4].astype(int))
    first = {factor for _, factor, _, _ in tiles}
    assert min(first) >= 8

    with visit.expect_response(re.compile(r"/after/1/\d+_\d+\.png")):
        visit.get_by_role("button", name="One pixel of the image on one of the screen").click()
    visit.wait_for_load_state("networkidle")
    factors = sorted({factor for _, factor, _, _ in tiles}, reverse=True)
    assert factors[-1] == 1
    assert len(factors) > len(first)
    side, factor, column, row = next(key for key in tiles if key[:2] == ("after", 1))
    shown = np.asarray(Image.open(io.BytesIO(tiles[side, factor, column, row].body())))
    rows, columns = slice(512 * row, 512 * (row + 1)), slice(512 * column, 512 * (column + 1))
    assert np.array_equal(shown, 255 - wide[rows, columns])
    assert tiles[side, factor, column, row].headers["cache-control"].startswith("private, max-age=")


def test_sixteen_bits_are_shown_with_a_stretch_that_is_stated_and_a_batch_comes_as_one_archive(
    visit, service, client, batch, tmp_path
):
    open_job(visit, service, batch[1])
    stated = re.compile(r"^Before: 160 × 120 px, 1 × uint16 · shown from 19[.][12]")
    expect(visit.get_by_text(stated)).to_be_visible()
    expect(visit.get_by_text("Digest of the pixels")).to_be_visible()

    visit.get_by_role("radio", name="7 days").click()
    visit.get_by_role("button", name="Make a link").click()
    expect(visit.get_by_text(re.compile("/files/.*expires=.*signature="))).to_be_visible()

    with visit.expect_download() as download:
        visit.get_by_role("link", name="Download all results of the batch").click()
    archive = tmp_path / "batch.zip"
    download.value.save_as(archive)
    with zipfile.ZipFile(archive) as zipped:
        assert zipped.testzip() is None
        assert {one.compress_type for one in zipped.infolist()} == {zipfile.ZIP_STORED}
        found = {one.filename: zipped.read(one) for one in zipped.infolist()}
    for job_id, name in zip(batch, ("wide.tif", "deep.tif"), strict=True):
        client.download(job_id, tmp_path / name)
        assert found.pop(name) == (tmp_path / name).read_bytes()
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [1440, 420])
def test_the_page_of_a_job_fits_wide_and_narrow_screens(visit, service, batch, scheme, width_px):
    visit.emulate_media(color_scheme=scheme)
    visit.set_viewport_size({"width": width_px, "height": 1000})
    open_job(visit, service, batch[0])
    too_wide_px = visit.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth")
    assert too_wide_px <= 0


@pytest.fixture
def running(client, tmp_path):
    """Give a job that does not end by itself while the test runs; it is gone afterwards."""
    path = tmp_path / "night-sky.tif"
    tifffile.imwrite(path, np.random.default_rng(1).integers(0, 65536, (40_000, 2_000), np.uint16))
    job = client.submit(path, "median:size=99", batch="of-pictures").id
    yield job
    client.cancel(job)


def test_the_jobs_and_the_page_of_one_are_as_the_documents_show_them(
    visit, service, client, running, tmp_path
):
    (tmp_path / "broken.png").write_bytes((IMAGES / "chelsea.png").read_bytes()[:5000])
    broken = client.submit(tmp_path / "broken.png", "invert", batch="of-pictures").id
    done = client.submit(
        IMAGES / "chelsea.png", "gaussian:sigma=1 sobel invert stretch:low=1,high=99", batch="of-pictures"
    ).id
    client.wait(done, timeout_s=FINISH_S)
    visit.set_viewport_size({"width": 1280, "height": 760})
    visit.goto(f"{service}/jobs?find=batch:of-pictures")
    cards = {job: visit.locator(f".st-key-job_{job}") for job in (running, broken, done)}
    expect(cards[running].get_by_text(re.compile(r"MP/s · .* left$"))).to_be_visible(timeout=1000 * FINISH_S)
    expect(cards[broken].get_by_text("The file is damaged.")).to_be_visible(timeout=1000 * FINISH_S)
    expect(cards[done].get_by_role("link", name="Download")).to_be_visible()
    for card in cards.values():  # no button lies beyond the edge of its card
        edge = card.bounding_box()
        last = card.locator(".actions button").last.bounding_box()
        assert last["x"] + last["width"] <= edge["x"] + edge["width"]
    picture(visit, "jobs")

    visit.set_viewport_size({"width": 1280, "height": 1240})
    cards[done].get_by_role("link", name="Open").click()
    expect(visit.locator('.hv[data-opened="curtain"]')).to_be_visible()
    expect(visit.locator("li.job")).to_have_count(1)
    expect(visit.get_by_role("searchbox")).to_have_count(0)
    expect(visit.get_by_role("img", name=re.compile("^Histogram of"))).to_have_count(2)
    expect(visit.locator(".hv-said")).to_have_text(re.compile("%$"))
    visit.wait_for_load_state("networkidle")
    picture(visit, "job")


def picture(visit, name):
    """Keep a sight of the page, for the documents where they are written."""
    OUTPUT.mkdir(exist_ok=True)
    visit.screenshot(path=OUTPUT / f"results-{name}.png")
    if os.environ.get("HALOROW_WRITE_DOCS") == "1":
        visit.screenshot(path=PICTURES / f"page_{name}.png")
