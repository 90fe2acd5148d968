"""The ranks read the very file that was checked, whatever is put in its place meanwhile."""

import pytest

from pipeline.attempts.workplace import Workplace
from pipeline.errors import KeyRefusedError, ObjectNotFoundError
from pipeline.models import JobState
from pipeline.stores import staging


class SwappingStage:
    """A stage that starts when somebody has just put a link where the input was."""

    def __init__(self, stage, place, target):
        self.stage, self.place, self.target = stage, place, target

    def run(self, request, **options):
        self.place.unlink()
        self.place.symlink_to(self.target)
        return self.stage.run(request, **options)


@pytest.fixture
def place(service):
    """Give an image in the store and the path where it lies."""
    service.parts.store.put_file("scans/a.jpg", service.photo)
    return service.parts.store.local_path("scans/a.jpg")


def test_a_link_that_takes_the_input_s_place_before_the_ranks_open_it_leads_nowhere(service, place, tmp_path):
    quiet = service.submit()
    service.runner(service.stage).work_once()
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"not for strangers")

    job = service.client.submit(service.parts.store.uri("scans/a.jpg"), service.edges).id
    service.runner(SwappingStage(service.stage, place, secret)).work_once()

    assert service.client.status(job).state is JobState.SUCCEEDED
    assert service.client.result(job).pixels_sha256 == service.client.result(quiet).pixels_sha256


def test_a_link_that_is_there_already_is_refused(service, place):
    job = service.client.submit(service.parts.store.uri("scans/a.jpg"), service.edges).id
    place.unlink()
    place.symlink_to(service.photo)
    service.runner(service.stage).work_once()
    assert service.client.failure(job).kind == KeyRefusedError.__name__


def test_another_file_under_the_name_is_noticed(service):
    store = service.parts.store
    known = store.put_bytes("a", b"1")
    store.put_bytes("a", b"2")
    with pytest.raises(ObjectNotFoundError, match="replaced"):
        store.pin("a", "x.pinned", generation=known.generation)


def test_nothing_is_left_of_the_further_name_also_of_an_attempt_that_was_killed(service, tmp_path):
    store, manifest = service.parts.store, service.client.manifest(service.submit())
    workplace = Workplace(store, tmp_path / "scratch")
    killed = workplace.at(manifest, 1)
    killed.__enter__()
    staged = store.staging_path("x").parent
    assert [path.name for path in staged.iterdir()] == [f"{manifest.id}.0001.pinned"]
    with workplace.at(manifest, 2) as place:
        assert [path.name for path in staged.iterdir()] == [f"{manifest.id}.0002.pinned"]
        assert place.input == str(staged / f"{manifest.id}.0002.pinned")
    assert list(staged.iterdir()) == []
    killed.__exit__(None, None, None)


def test_where_the_system_forbids_a_further_name_the_object_s_own_is_taken(service, place, monkeypatch):
    def forbid(*_, **__):
        raise PermissionError(1, "protected_hardlinks")

    monkeypatch.setattr(staging.os, "link", forbid)
    known = service.parts.store.stat("scans/a.jpg")
    assert service.parts.store.pin("scans/a.jpg", "x.pinned", generation=known.generation) == place
