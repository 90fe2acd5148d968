"""Uploads that a browser sends straight to a bucket, by the protocol of resumable sessions."""

import httpx
import pytest
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET

from pipeline.client import Client
from pipeline.config import Settings
from pipeline.errors import ChecksumError, ObjectNotFoundError, OffsetError, StoreUnavailableError
from pipeline.memory.parts import memory_parts
from pipeline.stores.gcs import GcsStore
from pipeline.uploads.checksum import extended, spelled

ORIGIN = "https://halorow.example.org"
CHUNK_BYTES = 256 << 10
DATA = bytes(range(256)) * 2500
CRC32C = spelled(extended(0, DATA))


@pytest.fixture
def store(gcs_client):
    return GcsStore(BUCKET, "halorow", client=gcs_client)


@pytest.fixture
def client(store, tmp_path):
    parts = memory_parts(store)
    return Client(parts, Settings.load(find_service=False, data_dir=tmp_path))


@pytest.fixture
def uploads(client):
    return client.uploads()


@pytest.fixture
def upload(uploads):
    return uploads.begin("cat.tif", len(DATA), origin=ORIGIN)


def put(upload, data, start, origin=ORIGIN):
    """Send bytes as a browser does."""
    stated = f"bytes {start}-{start + len(data) - 1}/{len(DATA)}" if data else f"bytes */{len(DATA)}"
    return httpx.put(upload.session, content=data, headers={"content-range": stated, "origin": origin})


def test_what_a_browser_sends_to_the_session_becomes_the_input_of_a_job(uploads, client, store, upload):
    answer = put(upload, DATA[:CHUNK_BYTES], 0)
    assert (answer.status_code, answer.headers["range"]) == (308, f"bytes=0-{CHUNK_BYTES - 1}")
    assert put(upload, DATA[CHUNK_BYTES:], CHUNK_BYTES).status_code == 200
    uri = uploads.finish(upload, CRC32C)
    job = client.submit(uri, "invert", input_name=upload.name)
    assert store.get_bytes(client.manifest(job.id).input.key) == DATA


def test_the_service_knows_how_far_a_session_is_where_the_page_cannot_tell(uploads, upload):
    assert uploads.progress(upload).offset == 0
    put(upload, DATA[:CHUNK_BYTES], 0)
    assert uploads.progress(upload).offset == CHUNK_BYTES
    put(upload, DATA[CHUNK_BYTES:], CHUNK_BYTES)
    assert uploads.progress(upload).offset == len(DATA)


def test_an_upload_does_not_end_before_the_bucket_has_all_of_it(uploads, upload):
    put(upload, DATA[:CHUNK_BYTES], 0)
    with pytest.raises(OffsetError) as refused:
        uploads.finish(upload, CRC32C)
    assert refused.value.offset == CHUNK_BYTES


def test_bytes_that_changed_on_their_way_to_the_bucket_are_refused_and_removed(
    uploads, store, upload, fake_gcs
):
    fake_gcs.faults.add(FaultKind.CORRUPTED_UPLOAD, method="PUT", target="upload_id")
    put(upload, DATA, 0)
    assert store.stat(upload.key) is not None
    with pytest.raises(ChecksumError, match="send it again"):
        uploads.finish(upload, CRC32C)
    assert not list(store.list("uploads/"))


def test_a_cancelled_upload_gives_its_session_up(uploads, store, upload, fake_gcs):
    put(upload, DATA[:CHUNK_BYTES], 0)
    uploads.cancel(upload)
    assert fake_gcs.sessions.unfinished() == 0
    assert not list(store.list("uploads/"))


def test_a_session_that_is_over_says_to_begin_anew(uploads, upload):
    httpx.delete(upload.session)
    with pytest.raises(ObjectNotFoundError, match="add the file again"):
        uploads.progress(upload)


def test_pages_of_the_origin_that_began_may_send_and_read_and_no_others(upload):
    asked = {"access-control-request-method": "PUT"}
    ours = httpx.options(upload.session, headers={"origin": ORIGIN, **asked})
    assert ours.headers["access-control-allow-origin"] == ORIGIN
    assert "content-range" in ours.headers["access-control-allow-headers"]
    other = httpx.options(upload.session, headers={"origin": "https://evil.example.org", **asked})
    assert "access-control-allow-origin" not in other.headers


def test_the_address_of_a_session_stands_in_no_error(store):
    with pytest.raises(StoreUnavailableError, match="upload_id=…") as caught:
        store.session_offset("http://127.0.0.1:1/upload?uploadType=resumable&upload_id=ABPtcPo-secret", 1)
    assert "secret" not in str(caught.value)
