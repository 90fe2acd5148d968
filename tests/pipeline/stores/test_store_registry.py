"""Which store a URI names."""

import subprocess
import sys
from pathlib import Path

import pytest
from fakes.gcs.fixture import BUCKET
from fakes.gcs.server import FakeGcs

from pipeline.errors import KeyRefusedError, StoreError
from pipeline.ports import ObjectStore
from pipeline.stores.gcs import GcsStore
from pipeline.stores.registry import local_folder, open_store

SECRET = b"a secret for tests only"


def opened(uri: str) -> ObjectStore:
    return open_store(uri, link_secret=SECRET, link_base_url="http://localhost:8501")


def test_a_plain_path_and_its_file_uri_name_the_same_folder(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    by_path, by_uri = opened(str(folder)), opened(folder.as_uri())

    by_path.put_bytes("key", b"bytes")

    assert by_uri.get_bytes("key") == b"bytes"
    assert by_uri.uri("key") == by_path.uri("key") == (folder / "objects" / "key").as_uri()


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("~/images", Path.home() / "images"),
        ("images", Path("images")),
        ("file:///with%20space", Path("/with space")),
        ("gs://bucket/prefix", None),
        ("memory://name", None),
    ],
)
def test_the_folder_of_a_store_is_the_one_that_it_is_opened_in(uri: str, folder: Path | None) -> None:
    assert local_folder(uri) == folder


def test_a_name_of_memory_is_the_same_store_each_time() -> None:
    opened("memory://registry-a").put_bytes("key", b"bytes")

    assert opened("memory://registry-a").get_bytes("key") == b"bytes"
    assert opened("memory://registry-b").stat("key") is None
    assert opened("memory://").uri("key") == "memory:///key"


def test_a_bucket_is_opened_with_a_key_file(fake_gcs: FakeGcs, tmp_path: Path) -> None:
    store = open_store(
        f"gs://{BUCKET}/a/prefix/",
        link_secret=SECRET,
        link_base_url="",
        gcs_endpoint=fake_gcs.address,
        gcs_credentials_file=fake_gcs.account.write(tmp_path / "key.json"),
    )

    store.put_bytes("key", b"bytes")

    assert isinstance(store, GcsStore)
    store.close()
    assert store.uri("key") == f"gs://{BUCKET}/a/prefix/key"
    assert fake_gcs.objects.names(BUCKET) == ["a/prefix/key"]


def test_a_key_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text('{"type": "nonsense"}')

    with pytest.raises(StoreError, match=r"key\.json is not the key of a service account"):
        open_store(
            f"gs://{BUCKET}", link_secret=SECRET, link_base_url="", gcs_credentials_file=tmp_path / "key.json"
        )


@pytest.mark.parametrize(
    "uri", ["s3://bucket/x", "http://host/x", "file://host/x", "file:///", "file:///x?y", "gs://", "gs:///x"]
)
def test_a_uri_that_names_no_store_is_refused(uri: str) -> None:
    with pytest.raises(KeyRefusedError):
        opened(uri)


@pytest.mark.parametrize("prefix", ["../x", "a//b", "a\\b"])
def test_a_prefix_that_leads_out_of_the_bucket_is_refused(
    fake_gcs: FakeGcs, tmp_path: Path, prefix: str
) -> None:
    with pytest.raises(KeyRefusedError):
        open_store(
            f"gs://{BUCKET}/{prefix}",
            link_secret=SECRET,
            link_base_url="",
            gcs_endpoint=fake_gcs.address,
            gcs_credentials_file=fake_gcs.account.write(tmp_path / "key.json"),
        )


def test_who_uses_a_folder_does_not_load_googles_libraries() -> None:
    code = "import sys, pipeline.stores.registry; sys.exit(any(m.startswith('google') for m in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
