"""What only a store in a folder does; the rest stands in the contract suite."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import (
    ChecksumError,
    KeyRefusedError,
    ObjectExistsError,
    StoreError,
    StoreUnavailableError,
)
from pipeline.stores import folders
from pipeline.stores.folders import Root, copy_all, open_folder, store_error
from pipeline.stores.local import LocalStore

SECRET = b"a secret for tests only"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store", SECRET, "http://localhost:8501")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"not yours")
    return folder


def staged(store: LocalStore, tmp_path: Path) -> list[Path]:
    assert store is not None
    return list((tmp_path / "store" / "staging").iterdir())


def test_objects_are_files_that_can_be_read_in_place(store: LocalStore, tmp_path: Path) -> None:
    store.put_bytes("a/b.tif", b"bytes")

    assert store.local_path("a/b.tif") == tmp_path / "store" / "objects" / "a" / "b.tif"
    assert (tmp_path / "store" / "objects" / "a" / "b.tif").read_bytes() == b"bytes"


def test_a_second_store_on_the_same_folder_sees_the_same_objects(store: LocalStore, tmp_path: Path) -> None:
    info = store.put_bytes("a/b", b"bytes")

    assert LocalStore(tmp_path / "store", SECRET, "").stat("a/b") == info


def test_writing_leaves_nothing_in_the_staging_folder(store: LocalStore, tmp_path: Path) -> None:
    store.put_bytes("a", b"1", create_only=True)
    store.put_bytes("a", b"2")
    with pytest.raises(ObjectExistsError):
        store.put_bytes("a", b"3", create_only=True)

    assert staged(store, tmp_path) == []


@pytest.mark.parametrize("create_only", [True, False])
def test_a_staged_file_is_moved_and_not_copied(
    store: LocalStore, tmp_path: Path, *, create_only: bool
) -> None:
    path = store.staging_path("result.tif")
    path.write_bytes(b"pixels")
    inode = path.stat().st_ino

    store.put_file("results/1.tif", path, create_only=create_only)

    found = store.local_path("results/1.tif")
    assert found is not None
    assert found.stat().st_ino == inode
    assert staged(store, tmp_path) == []


def test_a_staged_file_stays_if_the_object_is_there_already(store: LocalStore) -> None:
    path = store.staging_path("result.tif")
    path.write_bytes(b"second")
    store.put_bytes("result", b"first")

    with pytest.raises(ObjectExistsError):
        store.put_file("result", path, create_only=True)
    assert path.read_bytes() == b"second"


def test_a_file_elsewhere_is_copied_and_stays(store: LocalStore, outside: Path) -> None:
    store.put_file("copy", outside / "secret")

    found = store.local_path("copy")
    assert found is not None
    assert found.stat().st_ino != (outside / "secret").stat().st_ino
    assert (outside / "secret").exists()


def test_a_link_in_the_staging_folder_is_copied_and_not_moved(store: LocalStore, outside: Path) -> None:
    path = store.staging_path("link")
    path.symlink_to(outside / "secret")

    store.put_file("key", path)

    found = store.local_path("key")
    assert found is not None
    assert not found.is_symlink()


@pytest.mark.parametrize("name", ["a/b", "..", "", ".put-1"])
def test_a_name_that_leads_out_of_the_staging_folder_is_refused(store: LocalStore, name: str) -> None:
    with pytest.raises(KeyRefusedError):
        store.staging_path(name)


def test_sweeping_removes_only_what_is_old(store: LocalStore, tmp_path: Path) -> None:
    store.put_bytes("kept", b"")
    for name, age_s in (("old", 7200), ("new", 10)):
        path = store.staging_path(name)
        path.write_bytes(b"")
        moment = path.stat().st_mtime - age_s
        os.utime(path, (moment, moment))

    assert store.sweep_staging(older_than_s=3600) == 1
    assert [path.name for path in staged(store, tmp_path)] == ["new"]
    assert store.get_bytes("kept") == b""


@pytest.mark.parametrize("key", ["link", "folder/secret"])
def test_no_symbolic_link_leads_out(store: LocalStore, tmp_path: Path, outside: Path, key: str) -> None:
    objects = tmp_path / "store" / "objects"
    (objects / "link").symlink_to(outside / "secret")
    (objects / "folder").symlink_to(outside)

    with pytest.raises(KeyRefusedError, match="symbolic link"):
        store.get_bytes(key)
    with pytest.raises(KeyRefusedError, match="symbolic link"):
        store.local_path(key)
    assert list(store.list("")) == []
    assert (outside / "secret").read_bytes() == b"not yours"


def test_nothing_is_written_or_deleted_behind_a_symbolic_link(
    store: LocalStore, tmp_path: Path, outside: Path
) -> None:
    (tmp_path / "store" / "objects" / "folder").symlink_to(outside)

    with pytest.raises(KeyRefusedError, match="symbolic link"):
        store.put_bytes("folder/new", b"")
    with pytest.raises(KeyRefusedError, match="symbolic link"):
        store.delete("folder/secret")
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_overwriting_replaces_a_symbolic_link_and_not_its_target(
    store: LocalStore, tmp_path: Path, outside: Path
) -> None:
    (tmp_path / "store" / "objects" / "link").symlink_to(outside / "secret")

    store.put_bytes("link", b"mine")

    assert store.get_bytes("link") == b"mine"
    assert (outside / "secret").read_bytes() == b"not yours"


def test_a_pipe_among_the_objects_holds_nobody(store: LocalStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "store" / "objects" / "pipe")

    assert store.stat("pipe") is None
    assert list(store.list("")) == []


def test_a_key_is_an_object_or_a_folder_and_not_both(store: LocalStore) -> None:
    store.put_bytes("a", b"object")
    store.put_bytes("b/c", b"object")

    with pytest.raises(KeyRefusedError, match="is an object"):
        store.put_bytes("a/b", b"")
    for create_only in (True, False):
        with pytest.raises(KeyRefusedError, match="objects below"):
            store.put_bytes("b", b"", create_only=create_only)
    assert store.stat("a/b") is None
    assert store.stat("b") is None


def test_deleting_removes_the_folders_that_become_empty(store: LocalStore, tmp_path: Path) -> None:
    store.put_bytes("a/b/c/1", b"")
    store.put_bytes("a/2", b"")

    store.delete("a/b/c/1")

    assert sorted(path.name for path in (tmp_path / "store" / "objects").rglob("*")) == ["2", "a"]


def test_writers_and_deleters_of_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, SECRET, "", durable=False)

    def come_and_go(number: int) -> None:
        for _ in range(50):
            store.put_bytes(f"a/b/{number}", b"", create_only=True)
            store.delete(f"a/b/{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come_and_go, range(8)))
    assert list(store.list("")) == []


def test_listing_goes_on_while_objects_are_deleted(store: LocalStore) -> None:
    for number in range(4):
        store.put_bytes(f"{number}/key", b"")

    seen = []
    for info in store.list(""):
        seen.append(info.key)
        store.delete("2/key")

    assert seen == ["0/key", "1/key", "3/key"]


def test_a_file_that_changes_while_it_is_stored_is_refused(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "growing"
    source.write_bytes(b"first half")

    def copy_then_grow(source_fd: int, target_fd: int, size_bytes: int) -> int:
        copied = copy_all(source_fd, target_fd, size_bytes)
        with source.open("ab") as file:
            file.write(b"second half")
        return copied

    monkeypatch.setattr("pipeline.stores.local.copy_all", copy_then_grow)

    with pytest.raises(ChecksumError, match="changed while"):
        store.put_file("key", source)
    assert store.stat("key") is None
    assert staged(store, tmp_path) == []


def test_a_full_disk_is_told_with_the_room_that_is_left(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folders.os, "write", no_room)

    with pytest.raises(StoreUnavailableError, match=r"no room left writing key: [\d,]+ bytes free"):
        store.put_bytes("key", b"bytes")
    monkeypatch.undo()
    assert store.stat("key") is None
    assert staged(store, tmp_path) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, StoreUnavailableError),
        (errno.EDQUOT, StoreUnavailableError),
        (errno.EIO, StoreUnavailableError),
        (errno.EROFS, StoreUnavailableError),
        (errno.EMFILE, StoreUnavailableError),
        (errno.ESTALE, StoreUnavailableError),
        (errno.EACCES, StoreError),
        (errno.ENAMETOOLONG, StoreError),
    ],
)
def test_only_faults_that_may_pass_are_retryable(number: int, expected: type, tmp_path: Path) -> None:
    error = store_error(OSError(number, os.strerror(number)), "writing key", tmp_path)

    assert type(error) is expected


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StoreError, match="making the folders"):
        LocalStore(tmp_path / "file" / "store", SECRET, "")


def test_fetching_into_a_folder_that_is_not_there_is_told(store: LocalStore, tmp_path: Path) -> None:
    store.put_bytes("key", b"")

    with pytest.raises(StoreError, match="nowhere"):
        store.fetch("key", tmp_path / "nowhere" / "out")


@pytest.fixture(params=["kernel", "fallback"])
def _copying(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    if request.param == "fallback":
        monkeypatch.setattr(folders.os, "copy_file_range", refuse)


@pytest.mark.usefixtures("_copying")
@pytest.mark.parametrize("size_bytes", [0, 1, 4097])
def test_copying_copies_all_and_counts(
    tmp_path: Path, size_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_COPY_BYTES", 1000)
    data = os.urandom(size_bytes)
    (tmp_path / "source").write_bytes(data)

    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("wb") as target:
        assert copy_all(source.fileno(), target.fileno(), size_bytes + 5) == size_bytes
    assert (tmp_path / "target").read_bytes() == data


def test_no_descriptor_stays_open(store: LocalStore, tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    store.put_bytes("a/b/c", b"")
    store.put_file("d/e", Path(__file__))
    store.fetch("d/e", tmp_path / "out")
    next(iter(store.list("")))
    for failing in ("a/b", "a/b/c/d", "x/y"):
        assert store.stat(failing) is None
    with pytest.raises(FileNotFoundError), open_folder(Root(tmp_path), ["no", "such"]):
        pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before
