"""Uploads of a real browser straight to a bucket: the page's server sees none of the bytes."""

import pytest
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET
from fakes.gcs.server import FakeGcs
from playwright.sync_api import expect

from tests.browser.page_alone import page_alone
from tests.browser.test_uploads_in_chromium import choose, expect_ready, row, sparse, visit_images

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MEBIBYTE = 1 << 20


@pytest.fixture
def bucket():
    with FakeGcs() as fake:
        fake.objects.create_bucket(BUCKET)
        yield fake


@pytest.fixture
def page(bucket, redis_server, tmp_path):
    key = bucket.account.write(tmp_path / "key.json")
    more = {"gcs_endpoint": bucket.address, "gcs_credentials_file": key}
    with page_alone(tmp_path, redis_server.url, store_uri=f"gs://{BUCKET}/halorow", **more) as running:
        yield running


def stored(bucket, name):
    """Return the bytes of the objects of a name."""
    names = [one for one in bucket.objects.names(BUCKET) if one.endswith(f"-{name}")]
    return [bucket.objects.get(BUCKET, one, {}).data for one in names]


def test_a_file_goes_straight_to_the_bucket_over_faults_and_is_refused_where_it_changed(
    visit, page, bucket, tmp_path
):
    source = sparse(tmp_path / "scan.tif", 17 * MEBIBYTE)
    visit_images(visit, page.address)
    sent = []
    visit.on("request", lambda request: sent.append((request.method, request.url)))
    bucket.faults.add(FaultKind.RESET, method="PUT", target="upload_id")
    bucket.faults.add(FaultKind.LOST_ANSWER, method="PUT", target="upload_id")
    choose(visit, source)
    expect_ready(visit, source.name)
    assert stored(bucket, source.name) == [source.read_bytes()]
    assert len(bucket.faults.befallen) == 2
    assert not [url for method, url in sent if method == "PATCH"]
    assert all(url.startswith(bucket.address) for method, url in sent if method == "PUT")

    bucket.sessions.exposed.remove("Range")  # then the page has to ask the service how far it is
    bucket.faults.add(FaultKind.CORRUPTED_UPLOAD, method="PUT", target="upload_id")
    other = sparse(tmp_path / "changed.tif", 4 * MEBIBYTE)
    choose(visit, other)
    expect(row(visit, other.name)).to_contain_text("did not arrive as it was sent")
    assert not stored(bucket, other.name)
    row(visit, other.name).get_by_role("button", name="Send again").click()
    expect_ready(visit, other.name)
    assert stored(bucket, other.name) == [other.read_bytes()]
