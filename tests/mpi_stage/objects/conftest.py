"""A bucket of the fake, as the stage reaches it."""

import pytest
from fakes.gcs.fixture import BUCKET, fake_gcs, service_account_key

from mpi_stage.contract import Access
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.bucket import Bucket
from mpi_stage.objects.parts import Uploads

__all__ = ["fake_gcs", "service_account_key"]


@pytest.fixture
def access(fake_gcs):
    """Give an access that loses patience soon."""
    return Access(fake_gcs.address, fake_gcs.account.token(), retry_s=1.5, stall_s=0.4)


@pytest.fixture
def bucket(access):
    found = Bucket(access)
    yield found
    found.close()


@pytest.fixture
def uploads(bucket):
    return Uploads(bucket, ObjectAddress(BUCKET, "parts/job/0001/"))


@pytest.fixture
def put(fake_gcs):
    """Give a way to put an object into the fake; it returns the URL of the generation."""

    def put(name, data):
        made = fake_gcs.objects.put(BUCKET, name, bytes(data), {})
        return f"gs://{BUCKET}/{name}#{made.generation}"

    return put
