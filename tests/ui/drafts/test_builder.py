"""Building a pipeline by moves and by text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.errors import PipelineError
from mpi_stage.operations.catalogue import OPERATIONS
from ui.drafts.builder import Pipeline

NAMES = [operation.name for operation in OPERATIONS if not any(p.required for p in operation.parameters)]


def built(*names):
    pipeline = Pipeline()
    for name in names:
        pipeline = pipeline.add(name)
    return pipeline


def names(pipeline):
    return [draft.op for draft in pipeline.drafts]


def test_a_new_step_comes_last_with_its_defaults():
    assert built("invert", "gaussian").to_json() == [{"op": "invert"}, {"op": "gaussian"}]


def test_a_step_can_be_taken_out():
    pipeline = built("invert", "gaussian", "sobel")
    assert names(pipeline.remove(pipeline.drafts[1].uid)) == ["invert", "sobel"]


def test_a_step_moves_up_and_down_but_not_beyond_the_ends():
    pipeline = built("invert", "gaussian", "sobel")
    last = pipeline.drafts[2].uid
    assert names(pipeline.move(last, -1)) == ["invert", "sobel", "gaussian"]
    assert names(pipeline.move(last, -5)) == ["sobel", "invert", "gaussian"]
    assert names(pipeline.move(last, 1)) == ["invert", "gaussian", "sobel"]


def test_what_is_done_to_a_step_that_is_gone_changes_nothing():
    pipeline = built("invert", "gaussian")
    gone = pipeline.drafts[0].uid
    left = pipeline.remove(gone)
    assert left.move(gone, 1) == left.remove(gone) == left.enter(gone, "sigma", 2.0) == left


def test_only_what_differs_from_the_defaults_is_spelled():
    pipeline = built("canny")
    uid = pipeline.drafts[0].uid
    changed = pipeline.enter(uid, "high", 99.5).enter(uid, "aperture", 5)
    assert changed.to_text() == "canny:high=99.5,aperture=5"
    assert changed.enter(uid, "aperture", 3).to_text() == "canny:high=99.5"


def test_an_emptied_input_goes_back_to_the_default():
    pipeline = built("gaussian")
    uid = pipeline.drafts[0].uid
    assert pipeline.enter(uid, "sigma", 3.0).enter(uid, "sigma", None).to_text() == "gaussian"


def test_a_value_is_what_was_entered_else_the_default():
    pipeline = built("canny")
    draft = pipeline.enter(pipeline.drafts[0].uid, "high", 99.5).drafts[0]
    assert (draft.value("high"), draft.value("aperture")) == (99.5, 3)


def test_text_takes_the_place_of_the_forms():
    pipeline = built("invert").rewritten("blur:size=7 canny:low=20,high=60")
    assert pipeline.to_json() == [{"op": "box", "size": 7}, {"op": "canny", "low": 20, "high": 60}]


def test_steps_that_the_text_does_not_change_stay_the_same():
    before = built("invert", "gaussian")
    after = before.rewritten("invert gaussian:sigma=3")
    assert after.drafts[0] == before.drafts[0]
    assert after.drafts[1].uid not in {draft.uid for draft in before.drafts}


def test_empty_text_is_an_empty_pipeline():
    assert built("invert").rewritten("  \n").drafts == ()


def test_wrong_text_says_what_is_wrong():
    with pytest.raises(PipelineError, match="gausian"):
        Pipeline().rewritten("gausian")


def test_an_empty_pipeline_is_not_ready():
    with pytest.raises(PipelineError):
        Pipeline().check()


def test_a_step_that_is_switched_off_is_not_spelled_and_keeps_what_was_entered():
    pipeline = built("invert", "gaussian")
    uid = pipeline.drafts[1].uid
    off = pipeline.enter(uid, "sigma", 3.0).switch(uid, on=False)
    assert off.to_text() == "invert"
    assert off.switch(uid, on=True).to_text() == "invert gaussian:sigma=3"


def test_text_leaves_steps_alone_that_are_switched_off():
    pipeline = built("invert", "gaussian", "sobel")
    off = pipeline.switch(pipeline.drafts[1].uid, on=False)
    assert names(off.rewritten("otsu")) == ["otsu", "gaussian"]
    assert names(off.rewritten("invert otsu sobel")) == ["invert", "gaussian", "otsu", "sobel"]


def test_a_step_put_between_leaves_those_around_it_the_same():
    before = built("invert", "gaussian")
    after = before.rewritten("invert median gaussian")
    assert (after.drafts[0], after.drafts[2]) == before.drafts


def test_both_spellings_are_read_by_the_same_field():
    pipeline = built("invert").rewritten('[{"op": "gaussian", "sigma": 3}]')
    assert pipeline.to_text() == "gaussian:sigma=3"
    assert pipeline.rewritten("[]").drafts == ()


def test_json_has_a_step_on_each_line():
    assert built("invert", "sobel").to_json_text() == '[\n  {"op": "invert"},\n  {"op": "sobel"}\n]'
    assert built().to_json_text() == "[]"


def test_a_pipeline_comes_back_as_it_was_under_uids_that_were_never_used():
    past = built("invert", "gaussian")
    now = past.enter(past.drafts[1].uid, "sigma", 3.0).add("sobel")
    back = now.restored(past)
    assert back.to_text() == past.to_text()
    assert back.drafts[0] == past.drafts[0]
    assert back.drafts[1].uid not in {draft.uid for draft in (*past.drafts, *now.drafts)}
    assert back.next_uid > back.drafts[1].uid


def test_what_is_wrong_with_a_step_is_told_at_the_step():
    pipeline = built("invert", "threshold", "gaussian")
    wrong, fine = pipeline.drafts[1].uid, pipeline.drafts[2].uid
    (fault,) = pipeline.enter(fine, "sigma", 2.0).faults().items()
    assert fault[0] == wrong
    assert "value" in fault[1]
    assert "step" not in fault[1]
    assert pipeline.switch(wrong, on=False).faults() == {}


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6), st.data())
def test_forms_and_text_say_the_same(chosen, data):
    pipeline = built(*chosen)
    uid = data.draw(st.sampled_from([draft.uid for draft in pipeline.drafts]))
    pipeline = pipeline.move(uid, data.draw(st.integers(-6, 6)))
    assert pipeline.rewritten(pipeline.to_text()) == pipeline
    assert [step.operation.name for step in pipeline.check()] == names(pipeline)
