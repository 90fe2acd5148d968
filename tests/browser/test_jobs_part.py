"""The list of jobs by itself in a real browser, without a service: what becomes of clicks."""

import json

import pytest
from playwright.sync_api import expect

from pipeline.models import JobState, JobStatus, Lane, RankProgress, now
from ui.following.book import Asked, JobBook
from ui.routes.live import with_downloads
from ui.shipped import ROOT

pytestmark = pytest.mark.browser

PART = ROOT / "jobs" / "list"
HERE = "http://page.test"
JOB = "20260101-000000-abcdefghij"


@pytest.fixture
def seen():
    """Give what the server knows: one job at work."""
    book = JobBook()
    book.take(
        JobStatus(
            id=JOB,
            user="ann",
            state=JobState.RUNNING,
            lane=Lane.SINGLE,
            input_name="<img src=x onerror=document.title='hit'>.tif",
            pipeline="invert",
            created_at=now(),
            ranks=[RankProgress(rank=0, rows_done=5, rows_total=10)],
        )
    )
    return with_downloads(b"of the tests", "program", book.look(Asked()))


@pytest.fixture
def draw(visit, seen):
    """Give what draws the list, as the page does whenever it is drawn; what it tells is in ``told``."""
    files = {"/": ("text/html", (PART / "part.html").read_text())}
    files |= {f"/{path.name}": ("text/javascript", path.read_text()) for path in PART.glob("*.js")}
    files["/live"] = ("application/json", json.dumps(seen))

    def answer(route):
        kind, body = files[route.request.url.removeprefix(HERE).split("?")[0]]
        route.fulfill(body=body, content_type=kind)

    visit.route(f"{HERE}/**", answer)
    visit.goto(f"{HERE}/")
    visit.evaluate("window.told = []")
    data = {"feed": "/live", "ticket": "", "asked": {"state": "", "text": ""}, "page": 10, "every_ms": 50}
    data |= {
        "job_page": "/jobs",
        "everybody": False,
        "endless": False,
        "seen": seen,
        "single": False,
        "states": [],
    }

    def drawn(acted):
        visit.evaluate(
            """async (data) => {
              const { default: draw } = await import("/part.js");
              const setTriggerValue = (name, value) => window.told.push(value);
              draw({ parentElement: document.body, data, setTriggerValue });
            }""",
            {**data, "acted": acted},
        )

    return drawn


def test_a_click_that_the_page_has_lost_is_told_again_until_the_page_says_that_it_was_heard(visit, draw):
    draw([])
    cancel = visit.get_by_role("button", name="Cancel", exact=True)
    expect(cancel).to_have_accessible_description("")
    cancel.click()
    expect(cancel).to_be_disabled()
    visit.wait_for_function("window.told.length >= 2")
    told = visit.evaluate("window.told")
    assert told[0] == told[1]
    assert (told[0]["verb"], told[0]["id"]) == ("cancel", JOB)
    draw(["of another click"])
    expect(cancel).to_be_disabled()
    draw([told[0]["number"]])
    expect(cancel).to_be_enabled()


def test_names_are_text_and_ranks_are_said_to_screen_readers(visit, draw):
    draw([])
    expect(visit.get_by_role("link", name="<img src=x onerror")).to_be_visible()
    expect(visit.get_by_role("img", name="rank 0: 5 of 10 rows")).to_be_visible()
    assert visit.title() != "hit"
