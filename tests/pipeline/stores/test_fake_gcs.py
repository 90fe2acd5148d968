"""The fake keeps what Google documents, also where the store does not use it yet."""

from datetime import timedelta

import google.api_core.exceptions
import httpx
import pytest
from fakes.gcs.account import ServiceAccount
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET
from fakes.gcs.server import FakeGcs
from google.cloud import storage

PRECONDITION_FAILED = google.api_core.exceptions.PreconditionFailed


@pytest.fixture
def bucket(gcs_client: storage.Client) -> storage.Bucket:
    return gcs_client.bucket(BUCKET)


def upload(bucket: storage.Bucket, name: str, data: bytes = b"") -> storage.Blob:
    blob = bucket.blob(name)
    blob.upload_from_string(data)
    return blob


def test_a_write_holds_to_the_generation_it_names(bucket: storage.Bucket) -> None:
    first = upload(bucket, "key", b"1").generation
    second = upload(bucket, "key", b"2").generation

    with pytest.raises(PRECONDITION_FAILED):
        bucket.blob("key").upload_from_string(b"3", if_generation_match=first)
    with pytest.raises(PRECONDITION_FAILED):
        bucket.blob("key").upload_from_string(b"3", if_generation_not_match=second)
    bucket.blob("key").upload_from_string(b"3", if_generation_match=second)
    assert bucket.blob("key").download_as_bytes() == b"3"


def test_a_deletion_holds_to_the_generation_it_names(bucket: storage.Bucket) -> None:
    first = upload(bucket, "key").generation
    upload(bucket, "key")

    with pytest.raises(PRECONDITION_FAILED):
        bucket.blob("key").delete(if_generation_match=first)


def test_a_metageneration_must_match(bucket: storage.Bucket) -> None:
    upload(bucket, "key")

    with pytest.raises(PRECONDITION_FAILED):
        bucket.blob("key").reload(if_metageneration_match=2)
    bucket.blob("key").reload(if_metageneration_match=1)


def test_a_checksum_that_does_not_fit_is_refused(bucket: storage.Bucket) -> None:
    blob = bucket.blob("key")
    blob.md5_hash = "AAAAAAAAAAAAAAAAAAAAAA=="

    with pytest.raises(google.api_core.exceptions.BadRequest, match="doesn't match calculated MD5"):
        blob.upload_from_string(b"bytes", checksum=None)
    assert not bucket.blob("key").exists()


def test_composing_joins_objects_in_order_and_gives_no_md5(bucket: storage.Bucket) -> None:
    parts = [upload(bucket, f"part{number}", bytes([number]) * 3) for number in range(32)]

    whole = bucket.blob("whole")
    whole.compose(parts, if_generation_match=0)
    whole.reload()

    assert whole.download_as_bytes() == b"".join(bytes([number]) * 3 for number in range(32))
    assert whole.md5_hash is None
    assert whole.crc32c
    assert whole.component_count == 32


def test_composing_more_than_32_or_nothing_is_refused(bucket: storage.Bucket) -> None:
    part = upload(bucket, "part")

    for sources in ([part] * 33, []):
        with pytest.raises(google.api_core.exceptions.BadRequest):
            bucket.blob("whole").compose(sources)


def test_composing_holds_to_the_generations_of_its_parts(bucket: storage.Bucket) -> None:
    old = upload(bucket, "part")
    upload(bucket, "part")

    with pytest.raises(PRECONDITION_FAILED):
        bucket.blob("whole").compose([bucket.blob("part")], if_source_generation_match=[old.generation])


def test_a_delimiter_turns_folders_into_prefixes_across_pages(
    bucket: storage.Bucket, fake_gcs: FakeGcs
) -> None:
    fake_gcs.json.page_size = 2
    for name in ("a/1", "a/2", "b", "c/1", "c/d/1", "e"):
        upload(bucket, name)

    top = bucket.list_blobs(delimiter="/")
    assert [blob.name for blob in top] == ["b", "e"]
    assert top.prefixes == {"a/", "c/"}
    below = bucket.list_blobs(prefix="c/", delimiter="/")
    assert [blob.name for blob in below] == ["c/1"]
    assert below.prefixes == {"c/d/"}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 0, b"0"), (3, 5, b"345"), (8, 99, b"89"), (None, 2, b"012"), (-3, None, b"789")],
)
def test_a_range_is_served(
    bucket: storage.Bucket, start: int | None, end: int | None, expected: bytes
) -> None:
    blob = upload(bucket, "key", b"0123456789")

    assert blob.download_as_bytes(start=start, end=end) == expected


def test_a_range_behind_the_end_is_refused(bucket: storage.Bucket) -> None:
    with pytest.raises(google.api_core.exceptions.RequestRangeNotSatisfiable):
        upload(bucket, "key", b"0123456789").download_as_bytes(start=10)


def test_a_request_without_a_valid_token_is_refused(fake_gcs: FakeGcs) -> None:
    place = f"{fake_gcs.address}/storage/v1/b/{BUCKET}/o"

    assert httpx.get(place, trust_env=False).status_code == 401
    assert httpx.get(place, headers={"Authorization": "Bearer x.y.z"}, trust_env=False).status_code == 401


def test_a_token_of_another_key_is_refused(fake_gcs: FakeGcs) -> None:
    rival = ServiceAccount(fake_gcs.account.email).credentials
    client = storage.Client(
        project=None,
        credentials=rival,
        client_options={"api_endpoint": fake_gcs.address, "universe_domain": rival.universe_domain},
    )

    with pytest.raises(google.api_core.exceptions.Unauthorized):
        client.bucket(BUCKET).blob("key").reload()
    client.close()


def test_a_signed_link_starts_an_upload_that_resumes(bucket: storage.Bucket, fake_gcs: FakeGcs) -> None:
    link = bucket.blob("from/a browser").generate_signed_url(
        version="v4",
        expiration=timedelta(minutes=1),
        method="RESUMABLE",
        api_access_endpoint=fake_gcs.address,
    )
    chunk = bytes(256 << 10)
    with httpx.Client(trust_env=False) as browser:
        session = browser.post(link, headers={"x-goog-resumable": "start"}).headers["location"]
        first = browser.put(
            session, content=chunk + b"lost", headers={"Content-Range": f"bytes 0-{len(chunk) + 3}/*"}
        )
        asked = browser.put(session, headers={"Content-Range": "bytes */*"})
        total = len(chunk) + 4
        last = browser.put(
            session, content=b"last", headers={"Content-Range": f"bytes {len(chunk)}-{total - 1}/{total}"}
        )

    assert (first.status_code, asked.status_code, last.status_code) == (308, 308, 200)
    assert asked.headers["range"] == f"bytes=0-{len(chunk) - 1}"
    assert bucket.blob("from/a browser").download_as_bytes() == chunk + b"last"


def test_a_fault_befalls_as_many_requests_as_it_should(bucket: storage.Bucket, fake_gcs: FakeGcs) -> None:
    blob = upload(bucket, "key")
    fake_gcs.faults.add(FaultKind.STATUS, method="GET", target="/o/key", times=2, status=500)

    for _ in range(2):
        with pytest.raises(google.api_core.exceptions.InternalServerError):
            blob.reload(retry=None)
    blob.reload(retry=None)
