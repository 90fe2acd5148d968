"""Strangers are refused, whatever they try, and it is in the log."""

import pytest

from pipeline.errors import JobNotFoundError, KeyRefusedError
from pipeline.models import JobState
from tests.strangers.rig import PHOTO, Rig, refusals
from tests.strangers.tricks import TRICKS, LetInError, turned_away


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    return Rig(tmp_path_factory.mktemp("strangers"))


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: f"{trick.kind}: {trick.name}")
def test_a_trick_is_refused_and_logged(rig, trick):
    with refusals() as logged, pytest.raises(trick.refused):
        trick.attempt(rig)
    assert logged


def test_what_is_one_s_own_is_there(rig):
    with refusals() as logged:
        assert rig.ask(rig.ada.link(rig.job)).status_code == 200
        assert rig.ada.status(rig.job).state is JobState.SUCCEEDED
        assert {job.user for job in rig.ada.jobs()} == {"ada@example.com"}
        assert rig.ada.jobs(user="bob@example.com") == rig.ada.jobs()
        assert rig.ada.submit(rig.uri(rig.output), "invert", output=rig.uri("users/ada%40example.com/"))
    assert not logged


def test_an_operator_sees_everybody_s(rig):
    assert rig.olga.status(rig.job).state is JobState.SUCCEEDED
    assert rig.job in {job.id for job in rig.olga.jobs()}
    assert rig.olga.jobs(user="ada@example.com")
    assert rig.olga.submit(PHOTO, "invert", user="ada@example.com").user == "ada@example.com"


def test_events_of_others_are_not_heard(rig):
    ears = rig.bob.events(), rig.ada.events(), rig.olga.events()
    job = rig.ada.submit(PHOTO, "invert")
    heard = [ear.next(0) for ear in ears]
    assert heard[0] is None
    assert [event.job_id for event in heard[1:]] == [job.id] * 2
    for ear in ears:
        ear.close()


def test_a_stranger_s_refusal_says_no_more_than_that_of_a_job_that_never_was(rig):
    def said(job_id):
        with pytest.raises(JobNotFoundError) as error:
            rig.bob.status(job_id)
        return str(error.value).replace(job_id, "ID")

    never = f"{rig.job[:-1]}{'a' if rig.job[-1] != 'a' else 'b'}"
    assert said(rig.job) == said(never)


def test_an_answer_with_what_was_asked_for_would_be_noticed(rig):
    with pytest.raises(LetInError):
        turned_away(rig.ask(rig.link()))


def test_the_worker_looks_again_at_what_a_manifest_names(rig):
    manifest = rig.ada.manifest(rig.waiting.id)
    forged = [
        manifest.model_copy(update={"user": "bob@example.com", "input": rig.ada.result(rig.job).output}),
        manifest.model_copy(update={"output_key": "users/bob@example.com/x.png"}),
        manifest.model_copy(update={"output_key": f"jobs/{rig.job}/result.json"}),
        manifest.model_copy(update={"input": manifest.input.model_copy(update={"bucket": "private-scans"})}),
    ]
    for one in forged:
        with pytest.raises(KeyRefusedError):
            rig.parts.places.check(one, rig.parts.records.owner)
    rig.parts.places.check(manifest, rig.parts.records.owner)
