"""The folder of an embedded service: one owner, kept secrets, nothing left over."""

import os
import stat

import pytest

from pipeline.embedded.data_dir import DataDir
from pipeline.errors import ServiceError


def test_a_second_owner_is_refused_and_told_of_the_first(tmp_path):
    refused = pytest.raises(ServiceError, match=rf"process {os.getpid()}.*--data")
    with DataDir(tmp_path / "data").owned(), refused:
        DataDir(tmp_path / "data").owned().__enter__()

    with DataDir(tmp_path / "data").owned():
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ServiceError, match="file/data"), DataDir(tmp_path / "file" / "data").owned():
        pass


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    first = DataDir(tmp_path).secret("link-secret")

    assert len(first) >= 32
    assert DataDir(tmp_path).secret("link-secret") == first
    assert stat.S_IMODE((tmp_path / "link-secret").stat().st_mode) == 0o600


def test_rays_folder_goes_with_its_user_and_that_of_a_killed_one_with_the_next(tmp_path):
    killed = DataDir(tmp_path).ray_folder()
    left = killed.__enter__()
    (left / "session").mkdir()

    with DataDir(tmp_path).ray_folder() as folder:
        assert not left.exists()
        assert folder.is_dir()
    assert not folder.exists()


def test_rays_folder_has_a_short_path_however_long_the_temporary_folder_is(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))

    with DataDir(tmp_path).ray_folder() as folder:
        assert len(str(folder)) < 32


def test_a_note_that_names_another_folder_removes_nothing(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / "ray-folder").write_text(str(precious))

    with DataDir(tmp_path).ray_folder():
        assert precious.is_dir()


def test_what_killed_writers_left_half_written_is_removed(tmp_path):
    staging = tmp_path / "store" / "staging"
    DataDir(tmp_path).sweep_store()
    staging.mkdir(parents=True)
    (staging / "job.0001.part").write_bytes(b"half")

    DataDir(tmp_path).sweep_store()

    assert list(staging.iterdir()) == []
