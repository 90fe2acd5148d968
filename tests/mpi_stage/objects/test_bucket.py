"""What the stage asks of a bucket, and what becomes of faults."""

import pytest
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET

from mpi_stage.contract import Access
from mpi_stage.errors import InputChangedError, MissingInputError, OutputExistsError, StorageError
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.bucket import Bucket
from mpi_stage.objects.crc32c import crc32c

DATA = bytes(range(256)) * 4000
PASSING = [FaultKind.STATUS, FaultKind.RESET, FaultKind.STALL, FaultKind.TRUNCATED]


def read(bucket, url, first, count):
    view = bytearray(count)
    return bytes(view[: bucket.read(ObjectAddress.parse(url), memoryview(view), first)])


def upload(bucket, name, data):
    return bucket.upload(ObjectAddress(BUCKET, name), [data[:1000], data[1000:]], crc32c(data))


@pytest.mark.parametrize("name", ["a b/ü#1?.tif", "x%2Fy"])
def test_any_name_can_be_written_and_read(bucket, name):
    made = upload(bucket, name, DATA)
    assert read(bucket, str(made.address), 5, 1000) == DATA[5:1005]


def test_an_address_is_read_back_from_its_url():
    pinned = ObjectAddress("b", "a#1", 7)
    assert ObjectAddress.parse(str(pinned)) == pinned
    assert ObjectAddress.parse("gs://b/n") == ObjectAddress("b", "n")
    with pytest.raises(ValueError, match="names no object"):
        ObjectAddress.parse("gs://b")


def test_a_range_beyond_the_end_gives_what_there_is(bucket, put):
    url = put("in", DATA)
    assert read(bucket, url, len(DATA) - 10, 100) == DATA[-10:]
    assert not read(bucket, url, len(DATA), 100)


@pytest.mark.parametrize("kind", PASSING)
def test_reading_goes_on_after_a_fault_that_passes(bucket, put, fake_gcs, kind):
    url = put("in", DATA)
    fake_gcs.faults.add(kind, method="GET", times=2)
    assert read(bucket, url, 0, len(DATA)) == DATA
    assert bucket.traffic.retries == 2


def test_reading_after_a_body_was_cut_short_fetches_only_what_is_missing(bucket, put, fake_gcs):
    url = put("in", DATA)
    fake_gcs.faults.add(FaultKind.TRUNCATED, method="GET")
    assert read(bucket, url, 0, len(DATA)) == DATA
    assert [len(found) for _, found in fake_gcs.served] == [len(DATA), len(DATA) // 2]


def test_a_store_that_stays_away_is_told_of_as_such(bucket, put, fake_gcs):
    url = put("in", DATA)
    fake_gcs.faults.add(FaultKind.STATUS, method="GET", times=10_000)
    with pytest.raises(StorageError, match=r"kept failing for 1\.5 s \(503") as raised:
        read(bucket, url, 0, 10)
    assert raised.value.retryable


def test_an_object_replaced_meanwhile_is_not_read(bucket, put):
    url = put("in", DATA)
    read(bucket, url, 0, 10)
    put("in", b"other")
    with pytest.raises(InputChangedError, match="replaced or removed") as raised:
        read(bucket, url, 10, 10)
    assert not raised.value.retryable


def test_a_missing_object_and_a_refused_token_are_told_apart(bucket, fake_gcs):
    with pytest.raises(MissingInputError, match="does not exist"):
        read(bucket, f"gs://{BUCKET}/none", 0, 10)
    stranger = Bucket(Access(fake_gcs.address, "wrong", retry_s=1.0))
    with pytest.raises(StorageError, match="401"):
        read(stranger, f"gs://{BUCKET}/none", 0, 10)
    stranger.close()


@pytest.mark.parametrize(
    "kind", [FaultKind.STATUS, FaultKind.RESET, FaultKind.LOST_ANSWER, FaultKind.CORRUPTED_UPLOAD]
)
def test_an_upload_arrives_whole_after_a_fault(bucket, fake_gcs, kind):
    fake_gcs.faults.add(kind, method="POST")
    made = upload(bucket, "out", DATA)
    stored = fake_gcs.objects.get(BUCKET, "out", {})
    assert (stored.data, stored.generation) == (DATA, made.address.generation)
    assert bucket.traffic.retries == 1


def test_an_object_that_is_there_is_never_replaced(bucket, put, fake_gcs):
    put("out", b"first")
    with pytest.raises(OutputExistsError, match="is there already"):
        upload(bucket, "out", DATA)
    assert fake_gcs.objects.get(BUCKET, "out", {}).data == b"first"


def test_a_listing_goes_over_all_pages(bucket, put, fake_gcs):
    fake_gcs.json.page_size = 3
    for number in range(8):
        put(f"parts/{number}", b"x")
    put("other", b"x")
    found = bucket.list(ObjectAddress(BUCKET, "parts/"))
    assert [one.address.name for one in found] == [f"parts/{number}" for number in range(8)]


def test_a_token_shows_in_no_repr_and_no_error(bucket, put, access, fake_gcs):
    fake_gcs.faults.add(FaultKind.STATUS, method="GET", times=10_000)
    with pytest.raises(StorageError) as raised:
        read(bucket, put("in", DATA), 0, 10)
    assert access.token not in repr(access) + repr(bucket) + str(raised.value)
