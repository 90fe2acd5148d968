"""Fixtures that give tests a fake Google Cloud Storage and the real client; import them in a conftest."""

import gc
import warnings
from collections.abc import Iterator

import pytest
from fakes.gcs.account import ServiceAccount
from fakes.gcs.server import FakeGcs
from google.cloud import storage

BUCKET = "halorow-test"


@pytest.fixture(scope="session")
def service_account_key() -> ServiceAccount:
    """One generated service account for all tests."""
    return ServiceAccount()


@pytest.fixture
def fake_gcs(service_account_key: ServiceAccount) -> Iterator[FakeGcs]:
    """A running fake with an empty bucket ``BUCKET``."""
    with FakeGcs(service_account_key) as fake:
        fake.objects.create_bucket(BUCKET)
        yield fake


@pytest.fixture
def gcs_client(fake_gcs: FakeGcs) -> Iterator[storage.Client]:
    """The real client, with the generated account's key, pointed at the fake."""
    gc.freeze()  # all that is there by now need not be looked through afterwards
    client = make_client(fake_gcs)
    yield client
    client.close()
    if fake_gcs.faults.befallen:
        _collect_broken_connections()
    gc.unfreeze()


def make_client(fake: FakeGcs) -> storage.Client:
    """Return a real client for a fake; close it in the end."""
    credentials = fake.account.credentials
    options = {"api_endpoint": fake.address, "universe_domain": credentials.universe_domain}
    return storage.Client(project=None, credentials=credentials, client_options=options)


def _collect_broken_connections() -> None:
    """Close what the client has lost sight of after faults, before a later test is warned of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
