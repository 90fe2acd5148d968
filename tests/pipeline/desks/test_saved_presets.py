"""Presets: saved under names, one's own and shared ones."""

import pytest

from mpi_stage.errors import PipelineError
from pipeline import layout
from pipeline.desks.presets import MOST_PRESETS, PresetBook
from pipeline.errors import KeyRefusedError, PresetError

STEPS = [{"op": "gaussian", "sigma": 3}, {"op": "sobel"}]


@pytest.fixture
def ann(store):
    return PresetBook(store, "ann@example.org")


@pytest.fixture
def bob(store):
    return PresetBook(store, "bob")


def names(presets):
    return [preset.name for preset in presets]


def test_a_preset_is_found_again_with_its_steps(ann, store):
    ann.save("  Soft   edges ", STEPS)
    (found,) = PresetBook(store, "ann@example.org").mine()
    assert found.name == "Soft edges"
    assert found.text.startswith("gaussian:sigma=3")


def test_presets_are_ones_own_until_they_are_shared(ann, bob):
    ann.save("mine", STEPS)
    ann.save("ours", STEPS, shared=True)
    assert names(bob.shared()) == ["ours"]
    assert names(bob.mine()) == []
    assert names(ann.mine()) == ["mine", "ours"]
    assert names(ann.shared()) == []


def test_sharing_and_keeping_to_oneself_are_changed_by_saving_again(ann, bob):
    ann.save("ours", STEPS, shared=True)
    ann.save("Ours", STEPS[:1])
    assert names(bob.shared()) == []
    (left,) = ann.mine()
    assert (left.name, len(left.steps)) == ("Ours", 1)


def test_nobody_changes_or_removes_what_another_shares(ann, bob):
    ann.save("ours", STEPS, shared=True)
    bob.save("ours", STEPS[1:], shared=True)
    bob.delete("ours")
    (left,) = bob.shared()
    assert (left.owner, len(left.steps)) == ("ann@example.org", 2)


@pytest.mark.parametrize("name", ["", " ", "../up", "a/b", "x" * 41, "<b>", "a\0b"])
def test_a_name_that_cannot_be_is_refused_in_words(ann, name):
    with pytest.raises(PresetError, match="1 to 40 letters"):
        ann.save(name, STEPS)


def test_there_are_only_so_many(ann):
    for number in range(MOST_PRESETS):
        ann.save(f"preset {number}", STEPS)
    ann.save("preset 7", STEPS[:1])
    with pytest.raises(PresetError, match=f"you have {MOST_PRESETS} presets"):
        ann.save("one more", STEPS)
    ann.delete("preset 3")
    ann.save("one more", STEPS)


def test_a_preset_is_only_so_large(ann):
    kernel = {"op": "convolve", "kernel": [0.123456789] * 169}
    with pytest.raises(PresetError, match=r"takes \d+ bytes, and one may take"):
        ann.save("huge", [kernel] * 10)


def test_a_pipeline_that_is_wrong_is_not_saved(ann):
    with pytest.raises(PipelineError):
        ann.save("wrong", [{"op": "gausian"}])
    assert ann.mine() == []


def test_what_lies_under_anothers_key_or_is_no_preset_is_passed_over(ann, bob, store):
    kept = ann.save("ours", STEPS, shared=True)
    store.put_bytes(layout.preset_key("bob", "x", shared=True), kept.model_dump_json().encode())
    store.put_bytes(layout.preset_key("bob", "y", shared=True), b"{")
    assert [(one.owner, one.name) for one in bob.shared()] == [("ann@example.org", "ours")]
    assert bob.mine() == []


def test_presets_are_no_inputs_of_jobs(client, parts):
    parts.store.put_bytes("presets/own/x/y.json", b"{}")
    with pytest.raises(KeyRefusedError):
        client.submit(parts.store.uri("presets/own/x/y.json"), "invert")
