"""Many objects of a local store, put together."""

import os
from pathlib import Path

import pytest

from pipeline.errors import ObjectExistsError
from pipeline.stores.local import LocalStore


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store", b"secret", "http://127.0.0.1:8501")


@pytest.fixture
def done(monkeypatch):
    """Give what was synced and linked, in order: inode numbers, and names."""
    found, sync, link = [], os.fsync, os.link

    def see_sync(fd):
        found.append(("sync", os.fstat(fd).st_ino))
        sync(fd)

    def see_link(source, name, **options):
        found.append(("link", Path(source).stat().st_ino))
        link(source, name, **options)

    monkeypatch.setattr(os, "fsync", see_sync)
    monkeypatch.setattr(os, "link", see_link)
    return found


def staged(tmp_path):
    return list((tmp_path / "store" / "staging").iterdir())


def keys(store):
    return [info.key for info in store.list("")]


def test_objects_appear_when_the_block_ends_as_they_were_announced(store, tmp_path):
    (tmp_path / "file").write_bytes(b"of a file")
    with store.together() as many:
        told = [
            many.put_bytes("a/b/one", b"1", create_only=True),
            many.put_bytes("a/marker", b""),
            many.put_file("c/two", tmp_path / "file", create_only=True),
        ]
        assert keys(store) == []
    assert [store.stat(info.key) for info in told] == told
    assert store.get_bytes("c/two") == b"of a file"
    assert staged(tmp_path) == []


def test_no_object_appears_before_what_is_in_all_of_them_is_on_the_disk(store, done):
    with store.together() as many:
        for number in range(3):
            many.put_bytes(f"jobs/{number}/job.json", b"x", create_only=True)
    first_link = [what for what, _ in done].index("link")
    synced = {inode for what, inode in done[:first_link] if what == "sync"}
    assert {inode for what, inode in done if what == "link"} == synced


def test_every_folder_that_has_changed_is_synced_after_the_last_object_is_in_it(store, done, tmp_path):
    with store.together() as many:
        many.put_bytes("jobs/1/job.json", b"x", create_only=True)
        many.put_bytes("jobs/2/job.json", b"x", create_only=True)
    last_link = max(place for place, (what, _) in enumerate(done) if what == "link")
    synced = {inode for _, inode in done[last_link + 1 :]}
    objects = tmp_path / "store" / "objects"
    assert {
        path.stat().st_ino for path in (objects, objects / "jobs", *(objects / "jobs").iterdir())
    } == synced


def test_one_object_that_is_there_already_keeps_no_other_away(store, tmp_path):
    store.put_bytes("b", b"before")

    def put_three():
        with store.together() as many:
            for key in "abc":
                many.put_bytes(key, b"new", create_only=True)

    with pytest.raises(ObjectExistsError, match="the object b exists"):
        put_three()
    assert [store.get_bytes(key) for key in keys(store)] == [b"new", b"before", b"new"]
    assert staged(tmp_path) == []


def test_nothing_is_there_where_the_block_fails(store, tmp_path):
    def fail():
        with store.together() as many:
            many.put_bytes("a", b"x")
            raise ValueError("of the caller")

    with pytest.raises(ValueError, match="of the caller"):
        fail()
    assert keys(store) == staged(tmp_path) == []
