"""The page's part where a pipeline is built, without a browser."""

import pytest
from streamlit.runtime.state.session_state import SessionState

from mpi_stage.operations.catalogue import OPERATIONS
from ui.building.catalogue_view import entry
from ui.building.presets_section import link_to
from ui.building.spelling_section import fault_text
from ui.service import connection as service


def pick(page, name):
    (choice,) = (box for box in page.selectbox if box.label == "Add an operation")
    choice.select(name).run()


def text(page):
    (field,) = page.text_area
    return field


def open_presets(page):
    page.session_state["presets"] = True
    page.run()


def load(page, name):
    (choice,) = (box for box in page.selectbox if box.label == "Load")
    (label,) = (option for option in choice.options if option.startswith(name))
    choice.select(label).run()


def save(page, name, *, shared=False):
    page.text_input(key="preset_name").set_value(name)
    page.toggle(key="preset_share").set_value(shared)
    (button,) = (button for button in page.button if button.label == "Save")
    button.click().run()


def errors(page):
    return " ".join(error.value for error in page.error)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_an_operation_is_found_by_its_names_its_family_and_what_it_does(operation):
    line = entry(operation.name)
    assert all(
        word in line for word in (operation.name, operation.family, operation.label, *operation.aliases)
    )
    assert line.endswith(operation.help.partition(". ")[0].rstrip("."))


def test_a_step_is_switched_off_and_on_with_its_values(page):
    text(page).set_value("gaussian:sigma=3 sobel").run()
    page.button(key="switch_1").click().run()
    assert text(page).value == "sobel"
    assert not [field for field in page.number_input if field.key == "1_sigma"]
    page.button(key="switch_1").click().run()
    assert text(page).value == "gaussian:sigma=3 sobel"
    assert page.number_input(key="1_sigma").value == 3


def test_picks_values_and_texts_count_though_streamlit_has_left_their_callbacks_out(page, monkeypatch):
    monkeypatch.setattr(SessionState, "_call_callbacks", lambda *_args, **_more: None)
    pick(page, "gaussian")
    assert text(page).value == "gaussian"
    page.number_input(key="1_sigma").set_value(3.0).run()
    assert text(page).value == "gaussian:sigma=3"
    text(page).set_value("sobel invert").run()
    pick(page, "median")
    assert text(page).value == "sobel invert median"


def counts_as_changed(_state, key):
    return any(part in key for part in ("1_sigma", "spelling", "pipeline_text"))


def test_a_text_counts_though_streamlit_takes_other_inputs_for_changed_as_well(page, monkeypatch):
    text(page).set_value("gaussian:sigma=3").run()
    with monkeypatch.context() as patched:
        patched.setattr(SessionState, "_widget_changed", counts_as_changed)
        text(page).set_value("sobel").run()
    page.run()
    assert text(page).value == "sobel"
    assert not [field for field in page.number_input if field.key == "1_sigma"]


def test_changes_are_taken_back_one_after_the_other(page):
    assert page.button(key="undo").disabled
    pick(page, "gaussian")
    page.number_input(key="1_sigma").set_value(4.0).run()
    page.button(key="remove_1").click().run()
    assert text(page).value == ""
    page.button(key="undo").click().run()
    assert text(page).value == "gaussian:sigma=4"
    page.button(key="undo").click().run()
    assert text(page).value == "gaussian"
    assert [field.value for field in page.number_input if field.key.endswith("_sigma")] == [None]
    page.button(key="undo").click().run()
    assert text(page).value == ""


def test_json_is_shown_and_edited(page):
    pick(page, "gaussian")
    page.segmented_control(key="spelling").set_value("JSON").run()
    assert text(page).value == '[\n  {"op": "gaussian"}\n]'
    text(page).set_value('[{"op": "median", "size": 7}]').run()
    assert page.number_input(key="2_size").value == 7
    page.segmented_control(key="spelling").set_value("Text").run()
    assert text(page).value == "median:size=7"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('[{"op": "gaussian",]', "line 1 column 20"),
        ('{"op": "gaussian"}', "begins with"),
        ('[{"op": "invert"}, {"op": "gausian"}]', "Step 2, gausian"),
    ],
)
def test_wrong_json_is_explained_with_its_place(page, wrong, words):
    page.segmented_control(key="spelling").set_value("JSON").run()
    text(page).set_value(wrong).run()
    assert words in errors(page).replace("\\", "")
    assert not page.exception


def test_every_wrong_step_has_a_line_of_its_own():
    told = fault_text("step 1 (gausian): there is no operation\nstep 3 (canny): low is over high")
    assert told == "**Step 1, gausian** · there is no operation  \n**Step 3, canny** · low is over high"


def test_a_wrong_value_is_told_in_the_step_that_has_it(page):
    text(page).set_value("invert box:size=3").run()
    page.number_input(key="2_size").set_value(4).run()
    assert "odd" in errors(page)
    assert "step" not in errors(page)
    assert page.button(key="run").disabled


def test_a_preset_is_saved_loaded_and_deleted(page):
    text(page).set_value("gaussian:sigma=3 sobel").run()
    open_presets(page)
    save(page, "Soft edges")
    text(page).set_value("invert").run()
    load(page, "Soft edges")
    assert text(page).value == "gaussian:sigma=3 sobel"
    page.button(key="undo").click().run()
    assert text(page).value == "invert"
    page.button(key="preset_delete_0_Soft edges").click().run()
    assert service.client().presets().mine() == []


def test_presets_that_come_along_are_loaded_too(page):
    open_presets(page)
    load(page, "Edges")
    assert text(page).value == "canny:sigma=1.4"


def test_a_name_that_cannot_be_is_refused_on_the_page(page):
    text(page).set_value("invert").run()
    open_presets(page)
    save(page, "../up")
    assert "1 to 40 letters" in errors(page).replace("\\", "")
    assert service.client().presets().mine() == []


def test_the_store_is_not_asked_for_presets_that_nobody_looks_at(page, parts, monkeypatch):
    def list_(_prefix):
        raise AssertionError("the presets were listed")

    monkeypatch.setattr(parts.store, "list", list_)
    text(page).set_value("invert").run()
    assert not page.exception


def test_only_what_is_whole_can_be_saved(page):
    open_presets(page)
    assert page.text_input(key="preset_name").disabled
    text(page).set_value("gausian").run()
    assert page.text_input(key="preset_name").disabled


def test_a_link_opens_the_page_with_its_pipeline(page, fresh_page):
    text(page).set_value("convolve:kernel=1,2,1,width=3 invert").run()
    (link,) = (code.value for code in page.code)
    assert link == link_to("http://127.0.0.1:8501", text(page).value)
    opened = fresh_page(link)
    assert text(opened).value == text(page).value
    assert not opened.exception


def test_a_link_that_is_wrong_is_explained(fresh_page):
    opened = fresh_page("http://host/?pipeline=gausian")
    assert "gaussian" in errors(opened)
    assert text(opened).value == "gausian"


def test_a_pipeline_too_long_for_a_link_is_to_be_shared_as_a_preset(page):
    text(page).set_value(" ".join(["gaussian:sigma=1.2345678"] * 90)).run()
    assert not page.code
    assert "preset" in " ".join(warning.value for warning in page.warning)
