"""What only a store in a bucket does: faults of the network, lost answers, resumed transfers, links."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET
from fakes.gcs.server import FakeGcs
from google.cloud import storage

from pipeline.errors import (
    ChecksumError,
    ObjectExistsError,
    ObjectNotFoundError,
    StoreError,
    StoreUnavailableError,
)
from pipeline.stores import gcs_objects
from pipeline.stores.gcs import GcsStore

MULTIPART = "uploadType=multipart"
SESSION = "upload_id="
MEDIA = "alt=media"
LARGE_BYTES = 20 << 20


@pytest.fixture
def store(fake_gcs: FakeGcs, gcs_client: storage.Client) -> GcsStore:
    return GcsStore(BUCKET, client=gcs_client, endpoint=fake_gcs.address, retry_deadline_s=20)


@pytest.fixture
def hasty(fake_gcs: FakeGcs, gcs_client: storage.Client) -> GcsStore:
    """A store that does not try for long, for faults that stay."""
    return GcsStore(
        BUCKET, client=gcs_client, endpoint=fake_gcs.address, retry_deadline_s=0.3, timeout_s=(1.0, 0.2)
    )


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that goes up in several chunks."""
    monkeypatch.setattr(gcs_objects, "UPLOAD_CHUNK_BYTES", 1 << 20)
    monkeypatch.setattr("google.cloud.storage.blob._MAX_MULTIPART_SIZE", 1 << 20)
    path = tmp_path / "large"
    path.write_bytes(os.urandom((3 << 20) + 12345))
    return path


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.RESET, FaultKind.LOST_ANSWER])
@pytest.mark.parametrize("create_only", [True, False])
def test_a_fault_that_passes_is_not_seen(
    store: GcsStore, fake_gcs: FakeGcs, kind: FaultKind, *, create_only: bool
) -> None:
    fake_gcs.faults.add(kind, target=MULTIPART, times=2 if kind is FaultKind.STATUS else 1)

    info = store.put_bytes("key", b"bytes", create_only=create_only)

    assert fake_gcs.faults.befallen
    assert store.stat("key") == info
    assert store.get_bytes("key") == b"bytes"


def test_a_rivals_object_is_not_taken_for_ones_own_after_a_lost_answer(
    store: GcsStore, fake_gcs: FakeGcs
) -> None:
    store.put_bytes("key", b"rival", create_only=True)
    fake_gcs.faults.add(FaultKind.RESET, target=MULTIPART)

    with pytest.raises(ObjectExistsError):
        store.put_bytes("key", b"rival", create_only=True)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.STATUS, StoreUnavailableError),
        (FaultKind.RESET, StoreUnavailableError),
        (FaultKind.STALL, StoreUnavailableError),
        (FaultKind.TRUNCATED, StoreUnavailableError),
        (FaultKind.CORRUPTED, ChecksumError),
    ],
)
def test_a_fault_that_stays_on_reading_is_told(
    hasty: GcsStore, fake_gcs: FakeGcs, tmp_path: Path, kind: FaultKind, expected: type[StoreError]
) -> None:
    hasty.put_bytes("key", os.urandom(100_000))
    fake_gcs.faults.add(kind, target=MEDIA, times=10_000)

    with pytest.raises(expected) as caught:
        hasty.fetch("key", tmp_path / "out")

    assert caught.value.retryable
    assert f"gs://{BUCKET}/key" in caught.value.public_message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.STATUS, StoreUnavailableError),
        (FaultKind.RESET, StoreUnavailableError),
        (FaultKind.CORRUPTED_UPLOAD, ChecksumError),
    ],
)
def test_a_fault_that_stays_on_writing_is_told_and_no_object_appears(
    hasty: GcsStore, fake_gcs: FakeGcs, kind: FaultKind, expected: type[StoreError]
) -> None:
    fake_gcs.faults.add(kind, target=MULTIPART, times=10_000)

    with pytest.raises(expected) as caught:
        hasty.put_bytes("key", os.urandom(10_000))

    assert caught.value.retryable
    assert fake_gcs.objects.names(BUCKET) == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_listing_outlives_a_passing_fault(store: GcsStore, fake_gcs: FakeGcs, status: int) -> None:
    fake_gcs.json.page_size = 2
    for number in range(5):
        store.put_bytes(f"{number}", b"")
    fake_gcs.faults.add(FaultKind.STATUS, target="pageToken", status=status)

    assert [info.key for info in store.list("")] == ["0", "1", "2", "3", "4"]
    assert fake_gcs.faults.befallen


def test_a_download_that_breaks_off_goes_on_where_it_stopped(store: GcsStore, fake_gcs: FakeGcs) -> None:
    data = os.urandom(300_000)
    store.put_bytes("key", data)
    fake_gcs.faults.add(FaultKind.TRUNCATED, target=MEDIA)

    assert store.get_bytes("key") == data
    assert any("generation=" in target for _, target in fake_gcs.requests)


def test_a_byte_that_changes_in_a_resumed_download_is_found(store: GcsStore, fake_gcs: FakeGcs) -> None:
    store.put_bytes("key", os.urandom(300_000))
    fake_gcs.faults.add(FaultKind.TRUNCATED, target=MEDIA)
    fake_gcs.faults.add(FaultKind.CORRUPTED, target=MEDIA)

    with pytest.raises(ChecksumError):
        store.get_bytes("key")
    assert [kind for kind, _, _ in fake_gcs.faults.befallen] == [FaultKind.TRUNCATED, FaultKind.CORRUPTED]


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.RESET, FaultKind.LOST_ANSWER])
def test_a_large_upload_outlives_a_fault_in_any_chunk(
    store: GcsStore, fake_gcs: FakeGcs, large: Path, kind: FaultKind
) -> None:
    for skipped in range(4):
        fake_gcs.faults.add(kind, method="PUT", target=SESSION)
        store.put_file(f"key{skipped}", large, create_only=True)

        assert store.get_bytes(f"key{skipped}") == large.read_bytes()
    assert len(fake_gcs.faults.befallen) == 4


def test_a_large_upload_that_arrives_changed_makes_no_object(
    store: GcsStore, fake_gcs: FakeGcs, large: Path
) -> None:
    fake_gcs.faults.add(FaultKind.CORRUPTED_UPLOAD, method="PUT", target=SESSION)

    with pytest.raises(ChecksumError):
        store.put_file("key", large)
    assert fake_gcs.objects.names(BUCKET) == []


def test_a_large_create_only_upload_loses_to_an_object_that_came_first(
    store: GcsStore, fake_gcs: FakeGcs, large: Path
) -> None:
    store.put_bytes("key", b"first")

    with pytest.raises(ObjectExistsError):
        store.put_file("key", large, create_only=True)
    assert store.get_bytes("key") == b"first"
    assert fake_gcs.sessions.unfinished() == 0


def test_a_bucket_that_is_missing_is_told(fake_gcs: FakeGcs, gcs_client: storage.Client) -> None:
    store = GcsStore("no-such-bucket", client=gcs_client, endpoint=fake_gcs.address)

    with pytest.raises(ObjectNotFoundError, match="no such bucket"):
        store.put_bytes("key", b"")
    with pytest.raises(ObjectNotFoundError, match="no such bucket"):
        list(store.list(""))


@pytest.mark.parametrize("status", [401, 403])
def test_missing_rights_are_told_at_once(store: GcsStore, fake_gcs: FakeGcs, status: int) -> None:
    fake_gcs.faults.add(FaultKind.STATUS, status=status, target=MULTIPART, times=100)

    with pytest.raises(StoreError, match="not allowed") as caught:
        store.put_bytes("key", b"")
    assert not caught.value.retryable
    # The client tries again with a fresh token, twice, and not for as long as faults that pass.
    assert len(fake_gcs.faults.befallen) == (3 if status == 401 else 1)


def test_a_prefix_keeps_stores_of_one_bucket_apart(fake_gcs: FakeGcs, gcs_client: storage.Client) -> None:
    first = GcsStore(BUCKET, "a", client=gcs_client, endpoint=fake_gcs.address)
    second = GcsStore(BUCKET, "ab/", client=gcs_client, endpoint=fake_gcs.address)
    first.put_bytes("key", b"1")
    second.put_bytes("key", b"2")

    assert [info.key for info in first.list("")] == ["key"]
    assert first.get_bytes("key") == b"1"
    assert second.uri("key") == f"gs://{BUCKET}/ab/key"


def test_the_type_of_an_object_follows_its_name(store: GcsStore, fake_gcs: FakeGcs) -> None:
    store.put_bytes("job.json", b"{}")
    store.put_bytes("nameless", b"")

    assert fake_gcs.objects.get(BUCKET, "job.json", {}).content_type == "application/json"
    assert fake_gcs.objects.get(BUCKET, "nameless", {}).content_type == "application/octet-stream"


def test_a_link_saves_under_the_name_that_was_asked_for(store: GcsStore) -> None:
    store.put_bytes("key", b"bytes")

    answer = httpx.get(store.sign("key", filename='kätzchen "1".tif'), trust_env=False)

    expected = quote('kätzchen "1".tif', safe="")
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{expected}"


def test_a_link_serves_ranges(store: GcsStore) -> None:
    store.put_bytes("key", b"0123456789")

    answer = httpx.get(store.sign("key"), headers={"Range": "bytes=2-4"}, trust_env=False)

    assert (answer.status_code, answer.content) == (206, b"234")


def test_a_link_for_put_writes_the_object(store: GcsStore) -> None:
    httpx.put(store.sign("new", method="PUT"), content=b"from a browser", trust_env=False).raise_for_status()

    assert store.get_bytes("new") == b"from a browser"


def test_large_objects_pass_through_little_memory(fake_gcs: FakeGcs, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(LARGE_BYTES) * 4)
    code = """
import resource, sys
from pathlib import Path
from pipeline.stores.registry import open_store
endpoint, key, source, target = sys.argv[1:]
store = open_store("gs://halorow-test", link_secret=b"x", link_base_url="", gcs_endpoint=endpoint,
                   gcs_credentials_file=Path(key))
store.put_bytes("warm", b"x"); store.get_bytes("warm")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store.put_file("large", Path(source)); store.fetch("large", Path(target))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""
    key = fake_gcs.account.write(tmp_path / "key.json")
    arguments = [fake_gcs.address, str(key), str(source), str(tmp_path / "target")]

    ran = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)

    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    # A chunk is in memory twice: as read, and in the socket's hands.
    assert int(ran.stdout) < 3 * gcs_objects.UPLOAD_CHUNK_BYTES
