"""The page as people meet it: a real browser, the whole embedded service, real ranks."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from playwright.sync_api import expect

from mpi_stage.rows.digest import pixels_sha256

pytestmark = [pytest.mark.browser, pytest.mark.cluster, pytest.mark.slow]

IMAGES = Path(__file__).parents[1] / "images"
PIPELINE = "gaussian:sigma=2.5 canny:low=40,high=120"
FINISH_MS = 120_000


def run_here(tmp_path, source, pipeline):
    """Return the report of ``halorow run``: what the service has to agree with."""
    words = ["run", str(source), str(tmp_path / f"here-{source.name}"), *pipeline.split()]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", *words, "--ranks", "3", "--json"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def pixels_of(path):
    array = tifffile.imread(path) if path.suffix == ".tif" else np.asarray(Image.open(path))
    return array if array.ndim == 3 else array[:, :, np.newaxis]


def open_page(visit, service):
    visit.goto(service)
    expect(visit.get_by_role("heading", name="halorow")).to_be_visible()


def upload(visit, *paths):
    expect(visit.get_by_role("button", name="Add images")).to_be_enabled()
    visit.locator('input[type="file"]').set_input_files([str(path) for path in paths])
    for path in paths:
        expect(visit.get_by_role("button", name=f"Remove {path.name}")).to_be_visible()


def add(visit, operation):
    """Pick an operation in the catalogue's list by typing its name."""
    steps = visit.locator('[class*="st-key-step_"]')
    before = steps.count()
    visit.get_by_role("combobox", name="Add an operation").fill(operation)
    visit.get_by_role("option", name=re.compile(rf"\({operation}\) ·")).click()
    expect(steps).to_have_count(before + 1)


def enter(visit, step, label, value):
    """Type a value into the form of the step at a place, counted from one."""
    field = visit.locator('[class*="st-key-step_"]').nth(step - 1).get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def spelled(visit):
    return visit.get_by_role("textbox", name="As text")


def write(visit, pipeline):
    spelled(visit).fill(pipeline)
    spelled(visit).press("Control+Enter")
    expect(visit.locator('[class*="st-key-step_"]')).to_have_count(len(pipeline.split()))


def run(visit):
    visit.get_by_role("button", name=re.compile("^Run|Run on")).click()


def job(visit, name):
    """Return the newest job's card for an image."""
    cards = visit.locator('[class*="st-key-job_"]')
    return cards.filter(has=visit.get_by_text(name, exact=True)).first


def badge(card, state):
    """Return the badge that says a job's state; its icon is text as well."""
    return card.get_by_text(re.compile(rf"{state}$"))


def press(card, name):
    """Press a job's button, which is there when the job's state allows it."""
    card.get_by_role("button", name=name, exact=True).click()


def test_two_images_go_through_a_pipeline_and_come_back_as_halorow_run_makes_them(visit, service, tmp_path):
    sources = [tmp_path / "coffee.tif", tmp_path / "coins.png"]
    for source in sources:
        source.write_bytes((IMAGES / source.name).read_bytes())
    open_page(visit, service)
    upload(visit, *sources)
    add(visit, "gaussian")
    enter(visit, 1, "Sigma (px)", "2.5")
    add(visit, "canny")
    enter(visit, 2, "Low", "40")
    enter(visit, 2, "High", "120")
    expect(spelled(visit)).to_have_value(PIPELINE)
    run(visit)
    for source in sources:
        card = job(visit, source.name)
        expect(badge(card, "Done")).to_be_visible(timeout=FINISH_MS)
        expect(card.get_by_text(PIPELINE)).to_be_visible()
        with visit.expect_download() as download:
            card.get_by_role("link", name="Download").click()
        brought = tmp_path / "brought" / download.value.suggested_filename
        download.value.save_as(brought)
        report = run_here(tmp_path, source, PIPELINE)
        assert pixels_sha256(pixels_of(brought)) == report["pixels_sha256"]
        card.get_by_role("link", name="Open").click()
        expect(visit).to_have_url(re.compile(r"/jobs\?job="))
        expect(visit.get_by_text(report["pixels_sha256"])).to_be_visible()
        visit.get_by_role("link", name="Filter").click()


@pytest.fixture(scope="module")
def slow_image(tmp_path_factory):
    """Give an image that takes long: wide medians of 16-bit values on one rank."""
    path = tmp_path_factory.mktemp("slow") / "slow.tif"
    tifffile.imwrite(path, np.random.default_rng(1).integers(0, 65536, (5000, 1000), np.uint16))
    return path


def test_progress_is_seen_without_reloading_and_a_job_can_be_cancelled_and_retried(
    visit, service, slow_image
):
    open_page(visit, service)
    upload(visit, slow_image)
    write(visit, " ".join(["median:size=31"] * 8))  # cancelled before any machine is done with it
    run(visit)
    card = job(visit, slow_image.name)
    expect(card.get_by_text(re.compile(r"[1-9][\d,]* of 5,000 rows"))).to_be_visible(timeout=FINISH_MS)
    expect(card.get_by_test_id("ranks").get_by_title(re.compile(r"^rank 0: "))).to_have_count(1)
    expect(card.get_by_text(re.compile("left$"))).to_be_visible()
    press(card, "Cancel")
    expect(badge(card, "Cancelled")).to_be_visible(timeout=FINISH_MS)
    press(card, "Retry")
    expect(badge(card, "Running")).to_be_visible(timeout=FINISH_MS)
    press(card, "Cancel")
    expect(badge(card, "Cancelled")).to_be_visible(timeout=FINISH_MS)


def test_a_broken_file_is_explained_and_the_others_go_on(visit, service, tmp_path):
    whole = (IMAGES / "chelsea.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "sound.png").write_bytes(whole)
    open_page(visit, service)
    upload(visit, tmp_path / "broken.png", tmp_path / "sound.png")
    write(visit, "invert")
    run(visit)
    broken = job(visit, "broken.png")
    expect(broken.get_by_text("The file is damaged.", exact=True)).to_be_visible(timeout=FINISH_MS)
    expect(badge(job(visit, "sound.png"), "Done")).to_be_visible(timeout=FINISH_MS)
    assert "Traceback" not in visit.content()


def test_the_page_follows_the_visitors_choice_of_light_and_dark(visit, service):
    colours = {}
    for scheme in ("light", "dark"):
        visit.emulate_media(color_scheme=scheme)
        open_page(visit, service)
        colours[scheme] = visit.evaluate(
            "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        )
    assert colours == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 21, 23)"}
