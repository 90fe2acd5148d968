"""The page's logic, without a browser."""

import numpy as np
import pytest
import tifffile

from pipeline import layout
from pipeline.errors import QueueUnavailableError
from pipeline.models import JobState, Notice, ObjectRef, RankProgress, Result, now
from pipeline.uploads.checksum import extended, spelled
from ui import service, submit_section
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


def show(parts, job, **changed):
    parts.board.put(job.model_copy(update={"updated_at": now(), **changed}))


def finish(parts, job):
    """Give a job a result, as a worker would."""
    info = parts.store.put_file(
        layout.output_key(job.id, 1, "cat.tif"),
        parts.store.local_path(parts.records.manifest(job.id).input.key),
    )
    output = ObjectRef(key=info.key, size_bytes=info.size_bytes, generation=info.generation)
    report = {"rows": 40, "columns": 60, "channels": 1, "dtype": "uint8", "ranks": [{}], "seconds": 0.5}
    result = Result(
        job_id=job.id, attempt=1, output=output, output_name="cat.tif", pixels_sha256="d1ce", report=report
    )
    parts.store.put_bytes(layout.result_key(job.id), result.model_dump_json().encode(), create_only=True)
    show(parts, job, state=JobState.SUCCEEDED, started_at=now(), finished_at=now(), output_key=output.key)


def test_a_fresh_page_says_what_is_missing(page):
    assert not page.exception
    assert page.button(key="run").disabled
    assert "No jobs yet" in said(page)


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


def test_results_of_jobs_are_picked_as_inputs(page, client, parts, image):
    job = client.submit(image, "invert")
    finish(parts, job)
    pick(page, "invert")
    page.session_state["pick_results"] = True
    page.run()
    choice = page.multiselect(key="pick_made")
    choice.select(choice.options[0]).run()
    page.button(key="pick_made_add").click().run()
    page.button(key="run").click().run()
    newest = max(client.jobs(), key=lambda one: one.created_at)
    assert client.manifest(newest.id).input.key == client.result(job.id).output.key


def test_a_running_job_shows_rows_rate_ranks_and_time_left(page, client, parts, image):
    job = client.submit(image, "invert")
    ranks = [
        RankProgress(rank=0, rows_done=10, rows_total=20),
        RankProgress(rank=1, rows_done=0, rows_total=20),
    ]
    show(parts, job, state=JobState.RUNNING, rows_done=10, rows_total=40, rows_per_s=10, ranks=ranks)
    page.run()
    assert "10 of 40 rows · 10 rows/s · 3 s left" in page.get("progress")[0].proto.text
    assert any('title="rank 1: 0 of 20 rows"' in element.proto.body for element in page.get("html"))


def test_a_finished_job_has_a_signed_link_and_opens_before_and_after(page, client, parts, image):
    job = client.submit(image, "invert")
    finish(parts, job)
    page.run()
    (link,) = page.get("link_button")
    assert "/files/" in link.proto.url
    assert "signature=" in link.proto.url
    assert not page.image


def test_before_and_after_are_small_pictures_with_the_figures(page, client, parts, image):
    job = client.submit(image, "invert")
    finish(parts, job)
    page.session_state[f"compare_{job.id}"] = True
    page.run()
    assert not page.exception
    assert len(page.image) == 2
    assert "1 channel of uint8" in said(page)


def test_a_job_is_cancelled_and_retried_by_its_buttons(page, client, image):
    job = client.submit(image, "invert")
    page.run()
    page.button(key=f"cancel_{job.id}").click().run()
    assert client.status(job.id).state is JobState.CANCELLED
    page.button(key=f"retry_{job.id}").click().run()
    assert client.status(job.id).state is JobState.QUEUED


def test_a_button_that_comes_too_late_says_why(page, client, parts, image):
    job = client.submit(image, "invert")
    page.run()
    finish(parts, job)
    page.button(key=f"cancel_{job.id}").click().run()
    assert "nothing to cancel" in said(page)
    assert not page.exception


def test_a_failure_is_told_in_plain_words(page, client, parts, image):
    job = client.submit(image, "invert")
    show(parts, job, state=JobState.FAILED, error="cat.tif ends early", error_kind="DamagedInputError")
    page.run()
    assert "The file is damaged" in page.error[0].value
    assert "Traceback" not in said(page)


def test_long_lists_are_shown_in_parts(page, client, image):
    jobs = [client.submit(image, "invert") for _ in range(12)]
    page.run()
    assert not [button for button in page.button if button.key == f"cancel_{jobs[0].id}"]
    page.button(key="show_more").click().run()
    assert page.button(key=f"cancel_{jobs[0].id}")


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
