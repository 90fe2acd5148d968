"""The list of jobs in a real browser: found, cancelled, retried, changed and deleted, also among hundreds."""

import re
from datetime import timedelta

import numpy as np
import pytest
import tifffile
from playwright.sync_api import expect

from pipeline.client import Client
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.errors import JobNotFoundError
from pipeline.models import JobState, JobStatus, Lane, now

pytestmark = [pytest.mark.browser, pytest.mark.cluster, pytest.mark.slow]

FINISH_MS = 120_000
HUNDREDS = 500


@pytest.fixture(scope="module")
def settings(running_service):
    return Settings.load(data_dir=running_service.data)


@pytest.fixture(scope="module")
def client(settings):
    with Client.connect(settings) as connected:
        yield connected


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """Give an image that keeps ranks busy for longer than any test waits: a wide median of 16-bit values."""
    path = tmp_path_factory.mktemp("endless") / "endless.tif"
    tifffile.imwrite(path, np.random.default_rng(1).integers(0, 65536, (40_000, 2_000), np.uint16))
    return path


def card_of(visit, job_id):
    return visit.locator(f".st-key-job_{job_id}")


def state_of(visit, job_id, state):
    return card_of(visit, job_id).locator(".badge", has_text=re.compile(rf"^{state}"))


def press(visit, job_id, name):
    card_of(visit, job_id).get_by_role("button", name=name, exact=True).click()


def find(visit, text):
    visit.get_by_role("searchbox").fill(text)


def test_jobs_are_found_stopped_tried_again_changed_and_deleted_and_a_reload_shows_the_same(
    visit, service, client, endless, tmp_path
):
    small = tmp_path / "quick.tif"
    tifffile.imwrite(small, np.arange(64 * 64, dtype=np.uint8).reshape(64, 64))
    done = [client.submit(small, "invert gaussian:sigma=1.5", batch="of-jobs").id for _ in range(2)]
    slow = client.submit(endless, "median:size=99", batch="of-jobs").id
    for job_id in done:
        client.wait(job_id, timeout_s=FINISH_MS / 1000)

    visit.goto(f"{service}/jobs?find=batch:of-jobs")
    expect(visit.locator("li.job")).to_have_count(3)
    expect(state_of(visit, slow, "Running")).to_be_visible(timeout=FINISH_MS)
    expect(card_of(visit, slow).get_by_test_id("bands")).to_contain_text(re.compile(r"\d+/\d+ bands"))
    expect(card_of(visit, slow).get_by_text(re.compile(r"MP/s · .* left$"))).to_be_visible(timeout=FINISH_MS)

    visit.get_by_role("button", name=re.compile("^Show Done")).click()
    expect(visit.locator("li.job")).to_have_count(2)
    expect(visit).to_have_url(re.compile("state=done"))
    visit.reload()
    expect(visit.get_by_role("button", name="Show Done 2")).to_have_attribute("aria-pressed", "true")
    expect(visit.get_by_role("searchbox")).to_have_value("batch:of-jobs")
    expect(visit.locator("li.job")).to_have_count(2)

    visit.get_by_role("button", name=re.compile("^Show All")).click()
    press(visit, slow, "Cancel")
    expect(state_of(visit, slow, "Cancelled")).to_be_visible(timeout=FINISH_MS)
    press(visit, slow, "Retry")
    expect(state_of(visit, slow, "Running")).to_be_visible(timeout=FINISH_MS)
    press(visit, slow, "Cancel")
    expect(state_of(visit, slow, "Cancelled")).to_be_visible(timeout=FINISH_MS)

    find(visit, "median batch")
    expect(visit.locator("li.job")).to_have_count(0)
    find(visit, "quick GAUSSIAN of-jobs")
    expect(visit.locator("li.job")).to_have_count(2)

    press(visit, done[0], "Delete")
    visit.keyboard.press("Escape")
    expect(card_of(visit, done[0])).to_be_visible()
    press(visit, done[0], "Delete")
    visit.get_by_role("button", name="Delete it").click()
    expect(card_of(visit, done[0])).to_have_count(0)
    with pytest.raises(JobNotFoundError):
        client.status(done[0])

    press(visit, done[1], "Change")
    expect(visit.get_by_role("textbox", name="As text")).to_have_value("invert gaussian:sigma=1.5")
    expect(visit.get_by_role("button", name="Run on 1 image")).to_be_enabled()


@pytest.fixture
def hundreds(settings):
    """Give hundreds of jobs that have ended, as the board knows them, for the time of a test."""
    parts = connect_parts(settings)
    start = now() - timedelta(days=1)
    jobs = [
        JobStatus(
            id=f"20200101-000000-many{number:06d}",
            user=settings.user,
            batch="of-hundreds",
            state=JobState.SUCCEEDED,
            lane=Lane.SINGLE,
            input_name=f"slide-{number:03d}.tif",
            pipeline="gaussian:sigma=2 canny",
            created_at=start + timedelta(seconds=number),
            started_at=start,
            finished_at=start + timedelta(seconds=number + 1),
        )
        for number in range(HUNDREDS)
    ]
    for job in jobs:
        parts.board.reset(job)
    yield jobs
    for job in jobs:
        parts.board.delete(job.id)
    parts.close()


def test_hundreds_of_jobs_are_told_of_in_parts_and_only_what_changed_is_drawn(
    visit, service, settings, hundreds
):
    visit.goto(f"{service}/jobs?find=batch:of-hundreds")
    expect(visit.get_by_text(f"the newest 30 of {HUNDREDS} jobs")).to_be_visible()
    with visit.expect_response(re.compile("/live/jobs/.*epoch=[0-9a-f]")) as quiet:
        pass
    assert quiet.value.json()["cards"] == []

    visit.evaluate(
        """() => {
          const inside = [...document.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean);
          window.list = inside.map((root) => root.querySelector('ul')).find(Boolean);
          window.changed = new Set();
          const note = (one) => window.changed.add(one.target.closest?.('li')?.className ?? 'list');
          new MutationObserver((seen) => seen.forEach(note))
            .observe(window.list, { subtree: true, childList: true });
        }"""
    )
    parts = connect_parts(settings)
    latest = hundreds[-1]
    parts.news.tell(latest.model_copy(update={"state": JobState.CANCELLED, "updated_at": now()}))
    parts.board.reset(latest.model_copy(update={"state": JobState.CANCELLED}))
    parts.close()
    expect(state_of(visit, latest.id, "Cancelled")).to_be_visible()
    assert visit.evaluate("[...window.changed]") == [f"job st-key-job_{latest.id}"]

    while (shown := visit.locator("li.job").count()) < HUNDREDS:
        visit.locator("button.more").evaluate("button => button.scrollIntoView()")
        expect(visit.locator("li.job").nth(shown)).to_be_attached()
    drawn_ms = visit.evaluate(
        """async () => {
          const began = performance.now();
          window.list.style.width = '90%';
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return performance.now() - began;
        }"""
    )
    print(f"laying {HUNDREDS} cards out anew: {drawn_ms:.0f} ms")  # noqa: T201  (a figure for the report)
