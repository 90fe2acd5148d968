"""The page's preview and what it says of a plan, without a browser; the pictures are made by a real rank."""

import json

import pytest

from pipeline.models import Lane
from pipeline.previews.estimate import Estimate
from pipeline.previews.pool import Previews
from ui.previews import wording
from ui.previews.part import USUAL_ROOM_PX, Chosen, chosen_of
from ui.service import connection as service

PATIENCE_S = 60
SIZE = {"rows": 3000, "columns": 4000, "channels": 3, "dtype": "uint8"}
WINDOW = {"row": 1200, "column": 800, "rows": 255, "columns": 340}


def told(**changed):
    crop = {"window": WINDOW, "exact": True, "whole": [], "wraps": [], **changed}
    return {"image": SIZE, "result": SIZE, "fault": None, "reduced": {"factor": 6.25}, "crop": crop}


def estimate(ranks=1, seconds=90.4):
    one = {"steps": ["gaussian"], "ends_with": "otsu", "halo_rows": 3, "cost_core_s": 1.5}
    plan = {
        "input": SIZE,
        "output": {**SIZE, "channels": 1},
        "passes": [one, {**one, "steps": ["otsu (apply)"], "ends_with": None, "halo_rows": 1}],
        "ranks": ranks,
        "peak_bytes_per_rank": 56_000_000,
        "cost_core_s": 3.0,
        "divisible": True,
        "forecast": {"seconds": seconds},
        "notes": [],
    }
    return Estimate(plan, Lane.SINGLE if ranks == 1 else Lane.GANG)


def test_a_crop_says_where_it_lies_and_that_it_is_exact():
    note = wording.crop_note(told())
    assert note == "· 340 × 255 px from column 800, row 1,200 · exactly as in the result"


def test_a_crop_that_is_an_approximation_says_why():
    note = wording.crop_note(told(exact=False, whole=["canny", "otsu"], wraps=["box"]))
    assert "an approximation: canny and otsu will look at the whole picture" in note
    assert "the border of box wraps around" in note


def test_a_crop_that_cannot_be_made_says_why():
    assert wording.crop_note(told(fault="too much")).endswith("· too much")


def test_a_reduced_picture_says_that_filters_reach_further_in_it():
    assert "shown 6.2 times smaller: filters reach further" in wording.reduced_note(told())
    small = told() | {"reduced": {"factor": 1.0}}
    assert wording.reduced_note(small) == "· 4,000 × 3,000 px"


def test_an_estimate_has_time_ranks_memory_and_work_and_a_price_only_where_one_is_set():
    line = wording.estimate_line(estimate(), 0, "EUR")
    assert (
        line == "about 1 min 30 s on one rank · 56.0 MB of memory at most · 12.0 megapixels, 3 core seconds"
    )
    assert wording.estimate_line(estimate(4), 3600, "EUR").endswith("· 3.00 EUR")
    assert "a world of 4 ranks" in wording.estimate_line(estimate(4), 0, "EUR")
    assert wording.estimate_line(estimate(seconds=0.2), 0.01, "EUR").startswith("under 1 s")
    assert wording.estimate_line(estimate(), 0.01, "EUR").endswith("· under 0.01 EUR")


def test_a_plan_has_a_row_for_each_pass():
    first, second = wording.pass_rows(estimate().plan)
    assert first["Steps"] == "gaussian, then otsu over the whole picture"
    assert (first["Halo"], second["Halo"]) == ("3 rows", "1 row")


@pytest.mark.parametrize(
    "said",
    [None, 3, {}, {"place": 7, "room": "x"}, {"place": {"across": 2, "down": -1}, "room": 10_000}],
)
def test_whatever_a_browser_says_a_crop_lies_in_the_picture(said):
    assert chosen_of(said) == Chosen(0.5, 0.5, USUAL_ROOM_PX)


def test_what_a_browser_says_sensibly_is_taken():
    assert chosen_of({"place": {"across": 0, "down": 0.25}, "room": 400}) == Chosen(0.0, 0.25, 400)


@pytest.fixture
def previews(client, monkeypatch):  # noqa: ARG001  (its settings are changed)
    """Have the page make previews, by one process."""
    settings = service.settings().model_copy(update={"preview_processes": 1})
    made = Previews(1, 300)
    monkeypatch.setattr(service, "settings", lambda: settings)
    monkeypatch.setattr(service, "previews", lambda: made)
    yield made
    made.close()


def shown(page):
    """Draw the page until nothing is awaited; return what the browser gets to draw."""
    while True:
        waited = [
            page.session_state[name]
            for name in ("look_preview", "look_estimate")
            if name in page.session_state
        ]
        futures = [look.future for look in waited if look.future is not None]
        if not futures:
            break
        for future in futures:
            future.exception(PATIENCE_S)
        page.run()
    return [
        json.loads(element.proto.json)
        for element in page.get("bidi_component")
        if element.proto.component_name == "halorow_previews_browser"
    ]


def said(page):
    kinds = (page.markdown, page.caption, page.error, page.info, page.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def test_a_sample_shows_what_the_page_does(previews, page):  # noqa: ARG001  (previews are on)
    page.button(key="try_sample").click().run()
    (data,) = shown(page)
    assert not page.exception
    assert all(data[part][which]["src"] for part in ("reduced", "crop") for which in ("before", "after"))
    assert "exactly as in the result" in data["crop"]["note"]
    assert "of memory at most" in said(page)
    assert [expander.label for expander in page.expander if expander.label.startswith("Plan")] == [
        "Plan: 2 passes"
    ]
    first = data["crop"]["after"]["src"]
    page.text_area[0].set_value("invert").run()
    (data,) = shown(page)
    assert data["crop"]["after"]["src"] != first
    assert not data["stale"]


def test_what_an_image_does_not_allow_is_told_before_anything_is_submitted(previews, page):  # noqa: ARG001
    page.button(key="sample").click().run()
    page.text_area[0].set_value("label").run()
    (data,) = shown(page)
    assert data["reduced"]["before"]["src"]
    assert data["reduced"]["after"] is None
    assert "This image cannot go through the pipeline: label takes 1 channel" in said(page)
    assert "coffee.jpg would be refused: label takes 1 channel" in said(page).replace("**", "")


def test_without_processes_for_previews_there_is_none(page):
    page.button(key="sample").click().run()
    assert "Preview" not in [heading.value for heading in page.subheader]


def test_a_file_that_is_no_image_has_no_preview_and_says_so(previews, page, client, parts, monkeypatch):  # noqa: ARG001
    from ui.images import chosen as images  # noqa: PLC0415  (here alone)

    parts.store.put_bytes("scans/a.tif", b"nothing")
    image = images.Image("a.tif", parts.store.uri("scans/a.tif"), 7)
    monkeypatch.setattr(images, "picked", lambda: [image])
    page.text_area[0].set_value("invert").run()
    assert shown(page) == []
    assert "There is no preview" in said(page)
    assert "Traceback" not in said(page)
