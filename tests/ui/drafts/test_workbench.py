"""A visitor's workbench, without a page."""

import pytest

from ui.drafts.workbench import MOST_PAST, Workbench


@pytest.fixture
def bench():
    return Workbench.begun_with("gaussian:sigma=3 sobel")


def test_it_begins_with_the_pipeline_of_a_link(bench):
    assert bench.text("Text") == "gaussian:sigma=3 sobel"
    assert not bench.can_undo


def test_a_wrong_link_is_shown_as_it_came_with_what_is_wrong():
    bench = Workbench.begun_with("gausian")
    assert bench.text("Text") == "gausian"
    assert "gausian" in bench.fault()


def test_a_text_that_comes_late_for_a_field_that_is_gone_changes_nothing(bench):
    late = bench.version
    bench.remove(1)
    bench.take_text(late, "invert")
    assert bench.text("Text") == "sobel"


def test_a_text_is_unread_until_it_is_taken_right_or_wrong(bench):
    bench.text("Text")
    for text in ("invert", "inver", "gaussian:sigma=3 sobel"):
        assert bench.is_unread(text)
        bench.take_text(bench.version, text)
        assert not bench.is_unread(text)


def test_another_spelling_is_another_field_without_the_fault_of_the_one_before(bench):
    bench.take_text(bench.version, "gausian")
    before = bench.version
    assert bench.text("JSON").startswith("[")
    assert bench.version != before
    assert bench.fault() is None


def test_a_value_that_is_there_already_is_no_change_to_be_taken_back(bench):
    assert not bench.enter(1, "sigma", 3.0)
    assert not bench.can_undo
    assert bench.enter(1, "sigma", 4.0)
    bench.undo()
    assert bench.text("Text") == "gaussian:sigma=3 sobel"


def test_no_more_than_the_last_changes_can_be_taken_back(bench):
    for number in range(MOST_PAST + 10):
        bench.switch(1, on=bool(number % 2))
    undone = 0
    while bench.can_undo:
        bench.undo()
        undone += 1
    assert undone == MOST_PAST


def test_a_request_to_run_counts_once(bench):
    bench.ask_to_run()
    bench.ask_to_run()
    assert bench.take_request_to_run()
    assert not bench.take_request_to_run()


def test_what_is_picked_in_one_list_is_added_once_however_often_it_comes(bench):
    number = bench.pipeline.next_uid
    assert bench.pick(number, "median")
    assert not bench.pick(number, "median")
    bench.undo()
    assert not bench.pick(number, "median")
    assert bench.text("Text") == "gaussian:sigma=3 sobel"
    assert bench.pick(bench.pipeline.next_uid, "median")
    assert bench.text("Text") == "gaussian:sigma=3 sobel median"


def test_a_pick_counts_though_the_pipeline_has_changed_since_its_list_was_drawn(bench):
    number = bench.pipeline.next_uid
    bench.take_text(bench.version, "invert")
    assert bench.pick(number, "median")
    assert bench.text("Text") == "invert median"
