"""The page's logic, without a browser."""

import numpy as np
import pytest
import tifffile
from drawn_jobs import jobs_data

from pipeline.errors import QueueUnavailableError
from pipeline.models import Notice
from pipeline.uploads.checksum import extended, spelled
from ui.images import submit_section
from ui.service import connection as service
from ui.uploads.part import Arrived


def pixels():
    return np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)


def pick(page, name):
    (choice,) = (box for box in page.selectbox if box.label == "Add an operation")
    choice.select(name).run()


def text(page):
    (field,) = page.text_area
    return field


def said(page):
    """Return everything that the page says in words."""
    kinds = (page.markdown, page.caption, page.error, page.info, page.warning, page.toast)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.fixture
def browser_says(monkeypatch):
    """Give a function that stands in for the browser, which names the uploads that have arrived."""

    def say(*ids, sending=0):
        monkeypatch.setattr(submit_section, "uploads_part", lambda *_: Arrived(ids, sending))

    return say


def uploaded(client, name, data):
    """Upload a file, as the routes do; return the upload's id."""
    uploads = client.uploads()
    upload = uploads.begin(name, len(data))
    file = uploads.staged(upload)
    file.write(file.take_turn(0), data)
    uploads.finish(upload, spelled(extended(0, data)))
    return upload.id


@pytest.fixture
def image(tmp_path):
    tifffile.imwrite(tmp_path / "cat.tif", pixels())
    return tmp_path / "cat.tif"


def test_a_fresh_page_says_what_is_missing(page):
    assert not page.exception
    assert page.button(key="run").disabled
    assert jobs_data(page)["seen"]["known"] == 0


def test_an_operation_that_is_picked_gets_its_form_and_is_spelled_as_text(page):
    pick(page, "gaussian")
    pick(page, "canny")
    assert text(page).value == "gaussian canny"
    page.number_input(key="2_high").set_value(99.0).run()
    assert text(page).value == "gaussian canny:high=99"
    assert not page.exception


def test_text_fills_the_forms(page):
    text(page).set_value("gaussian:sigma=3.5 canny:low=20,aperture=5").run()
    assert page.number_input(key="1_sigma").value == 3.5
    assert page.number_input(key="2_aperture").value == 5


def test_steps_move_and_go(page):
    text(page).set_value("invert grayscale otsu").run()
    page.button(key="up_3").click().run()
    assert text(page).value == "invert otsu grayscale"
    page.button(key="remove_1").click().run()
    assert text(page).value == "otsu grayscale"
    page.button(key="down_3").click().run()
    assert text(page).value == "grayscale otsu"


def test_every_change_of_a_form_is_spelled_in_a_fresh_text_field(page):
    pick(page, "canny")
    before = text(page)
    page.number_input(key="1_low").set_value(40.0).run()
    assert text(page).key != before.key
    page.number_input(key="1_high").set_value(120.0).run()
    assert text(page).value == "canny:low=40,high=120"


def test_a_form_that_changes_after_the_text_was_edited_spells_both(page):
    text(page).set_value("canny:low=20").run()
    page.number_input(key="1_high").set_value(60.0).run()
    assert text(page).value == "canny:low=20,high=60"


def test_wrong_text_is_explained_and_does_not_touch_the_forms(page):
    pick(page, "invert")
    text(page).set_value("gausian:sigma=3").run()
    assert "gaussian" in page.error[0].value
    assert page.button(key="remove_1")
    assert page.button(key="run").disabled


def test_every_image_becomes_a_job(page, client, browser_says):
    pick(page, "invert")
    browser_says(uploaded(client, "a.png", b"one"), uploaded(client, "b.png", b"two"))
    page.run()
    page.button(key="run").click().run()
    assert sorted(job.input_name for job in client.jobs()) == ["a.png", "b.png"]
    assert {job.pipeline for job in client.jobs()} == {"invert"}
    assert len({job.batch for job in client.jobs()}) == 1


def test_an_upload_that_the_service_does_not_know_is_no_image(page, client, browser_says):
    whole = uploaded(client, "a.png", b"one")
    begun = client.uploads().begin("b.png", 3).id
    browser_says(whole, begun, "20260101-000000-abcdefghij", "../../etc/passwd")
    pick(page, "invert")
    assert page.button(key="run").label == "Run on 1 image"
    assert page.session_state["images_gone"] == [begun, "20260101-000000-abcdefghij", "../../etc/passwd"]


def test_images_that_are_still_on_their_way_are_mentioned(page, browser_says):
    browser_says(sending=2)
    page.run()
    assert "2 images still on the way" in said(page)


def test_the_sample_image_is_there_at_a_click_and_goes_at_another(page, client):
    pick(page, "invert")
    page.button(key="sample").click().run()
    page.button(key="sample").click().run()
    assert page.button(key="run").label == "Run on 1 image"
    page.button(key="run").click().run()
    assert [job.input_name for job in client.jobs()] == ["coffee.jpg"]
    page.button(key="unpick_0").click().run()
    assert page.button(key="run").disabled


def test_objects_of_the_store_are_picked_by_the_beginning_of_their_address(page, client, parts):
    for name in ("scans/a.tif", "scans/deep/b.png", "scans/notes.txt", "other/c.tif"):
        parts.store.put_bytes(name, b"x" * 2048)
    pick(page, "invert")
    page.session_state["pick_store"] = True
    page.run()
    place = page.text_input(key="pick_place")
    assert place.value == parts.store.uri("x").removesuffix("x")
    place.set_value(parts.store.uri("scans/x").removesuffix("x")).run()
    choice = page.multiselect(key="pick_below")
    assert choice.options == ["a.tif · 2.0 kB", "deep/b.png · 2.0 kB"]
    page.button(key="pick_below_all").click().run()
    page.button(key="run").click().run()
    assert sorted(client.manifest(job.id).input.key for job in client.jobs()) == [
        "scans/a.tif",
        "scans/deep/b.png",
    ]


def test_a_place_outside_the_store_is_refused_in_words(page):
    page.session_state["pick_store"] = True
    page.run()
    page.text_input(key="pick_place").set_value("gs://elsewhere/scans/").run()
    assert "elsewhere" in page.error[0].value
    assert not page.exception


def test_results_of_jobs_are_picked_as_inputs(page, client, finish, image):
    job = client.submit(image, "invert")
    finish(job)
    pick(page, "invert")
    page.session_state["pick_results"] = True
    page.run()
    choice = page.multiselect(key="pick_made")
    choice.select(choice.options[0]).run()
    page.button(key="pick_made_add").click().run()
    page.button(key="run").click().run()
    newest = max(client.jobs(), key=lambda one: one.created_at)
    assert client.manifest(newest.id).input.key == client.result(job.id).output.key


def test_the_list_of_jobs_is_told_where_to_ask_and_what_there_is(page, client, image):
    job = client.submit(image, "invert")
    page.run()
    told = jobs_data(page)
    assert told["feed"] == "/live/jobs/program"
    assert "signature=" in told["ticket"]
    assert [card["id"] for card in told["seen"]["cards"]] == [job.id]


def test_what_the_address_asks_for_is_shown_again_after_a_reload(page, client, image):
    done = client.submit(image, "invert")
    client.submit(image, "blur")
    client.cancel(done.id)
    page.query_params["state"] = "cancelled"
    page.query_params["find"] = "invert"
    page.run()
    assert jobs_data(page)["asked"] == {"state": "cancelled", "text": "invert"}
    assert jobs_data(page)["seen"]["ids"] == [done.id]


def test_notices_are_shown_when_they_come_and_once(page, parts):
    page.run()
    parts.notices.post(Notice(id="n1", user="local", job_id="j", text="cat.tif is done"))
    page.run()
    assert [toast.value for toast in page.toast] == ["cat\\.tif is done"]
    page.run()
    assert not page.toast


def test_notices_from_before_the_visit_are_not_shown(parts, request):
    parts.notices.post(Notice(id="n1", user="local", job_id="j", text="cat.tif is done"))
    page = request.getfixturevalue("page").run()
    assert not page.toast


def test_a_service_that_is_away_is_said_without_a_trace(page, monkeypatch):
    def away():
        raise QueueUnavailableError("Redis at 127.0.0.1 does not answer; start the service")

    monkeypatch.setattr(service, "client", away)
    page.run()
    assert "The service cannot be reached" in page.error[0].value
    assert not page.exception
