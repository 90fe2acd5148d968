"""The page of one job, and the buttons of the list's cards, drawn by Streamlit's test runner."""

import numpy as np
import pytest
import tifffile
from streamlit.testing.v1 import AppTest

from pipeline.errors import QueueUnavailableError
from pipeline.models import JobState
from ui.jobs import section as jobs_section


@pytest.fixture
def image(tmp_path):
    tifffile.imwrite(tmp_path / "cat.tif", np.arange(40 * 60, dtype=np.uint8).reshape(40, 60))
    return tmp_path / "cat.tif"


def opened(job_id):
    def draw(job_id):
        from ui.jobs.one_view import job_view  # noqa: PLC0415  (a script of its own)

        job_view(job_id)

    return AppTest.from_function(draw, default_timeout=30, args=(job_id,)).run()


@pytest.fixture
def press(monkeypatch):
    """Give what presses a button of a card, as the browser tells it; it gives what the visit remembers."""

    def pressed(page, **act):
        monkeypatch.setattr(jobs_section, "_told", lambda *_: act)
        return page.run()

    return pressed


def pressing():
    def draw():
        from ui.jobs import section as jobs_section  # noqa: PLC0415  (a script of its own)

        jobs_section._act("jobs_list_")

    return AppTest.from_function(draw, default_timeout=30)


def test_a_finished_job_has_its_report_its_links_and_a_batch_whose_name_formats_nothing(
    client, finish, image
):
    job = client.submit(image, "invert", batch="![x](http://evil.test/x.png)")
    finish(job)
    page = opened(job.id)
    assert not page.exception
    (way,) = page.get("link_button")
    assert r"\!\[x\]\(http\:\/\/evil\.test\/x\.png\)" in way.proto.label
    page.button(key="make_link").click().run()
    assert "signature=" in page.code[0].value


def test_a_job_that_is_not_there_is_said_so_without_a_trace(client):  # noqa: ARG001  (the page asks for it)
    page = opened("20260101-000000-abcdefghij")
    assert len(page.error) == 1
    assert not page.exception


def test_a_click_is_acted_upon_once_however_often_it_is_told(client, image, press):
    job = client.submit(image, "invert")
    page = pressing()
    press(page, verb="cancel", id=job.id, number="1")
    assert client.status(job.id).state is JobState.CANCELLED
    client.retry(job.id)
    press(page, verb="cancel", id=job.id, number="1")
    assert client.status(job.id).state is JobState.QUEUED
    press(page, verb="cancel", id=job.id, number="2")
    assert client.status(job.id).state is JobState.CANCELLED
    assert page.session_state["jobs_acted"] == ["1", "2"]


def test_a_click_that_is_refused_is_heard_so_that_it_can_be_made_again(client, image, press, monkeypatch):
    def away(_):
        raise QueueUnavailableError("Redis does not answer; start the service")

    job = client.submit(image, "invert")
    monkeypatch.setattr(client, "cancel", away)
    page = press(pressing(), verb="cancel", id=job.id, number="1")
    assert page.session_state["jobs_acted"] == ["1"]
    assert "Redis does not answer" in page.session_state["flash"][0]
