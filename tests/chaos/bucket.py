"""A bucket for the service under chaos, on a fake store that fails on demand, and its faults."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parents[1]))  # where the fakes are found, as in the tests

from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET, make_client
from fakes.gcs.server import FakeGcs

from pipeline.stores.gcs import GcsStore
from tests.chaos.faults import Fault, Strike
from tests.chaos.ground import Ground

STALL_S = 2.0
RECORD = r"json.*alt=media"
"""What is read whole and held against its checksum; for the ranges of a picture a store states none, which is
what TLS is for."""

AT_ONCE = 3
"""So many requests go wrong by one fault."""


class Bucket:
    """The fake, and how a service finds it."""

    def __init__(self, fake: FakeGcs, folder: Path) -> None:
        """Make an empty bucket."""
        fake.objects.create_bucket(BUCKET)
        self.fake = fake
        self.client = make_client(fake)
        self.store = GcsStore(BUCKET, "halorow", client=self.client, endpoint=fake.address)
        self.env = {
            "HALOROW_STORE_URI": f"gs://{BUCKET}/halorow",
            "HALOROW_GCS_ENDPOINT": fake.address,
            "HALOROW_GCS_CREDENTIALS_FILE": str(fake.account.write(folder / "account.json")),
        }


@contextmanager
def bucket(folder: Path) -> Iterator[Bucket]:
    """Run the fake store."""
    with FakeGcs() as fake:
        made = Bucket(fake, folder)
        try:
            yield made
        finally:
            made.client.close()


def failing(kind: FaultKind, **options: object) -> Strike:
    """Return a fault that befalls the next requests to the store."""

    def strike(ground: Ground, _: Random) -> bool:
        if ground.bucket is None:
            return False
        ground.bucket.fake.faults.add(kind, times=AT_ONCE, **options)
        return True

    return strike


def stall(ground: Ground, _: Random) -> bool:
    """Let some requests wait for their answers for a while."""
    if ground.bucket is None:
        return False
    faults = ground.bucket.fake.faults
    faults.add(FaultKind.STALL, times=AT_ONCE)
    time.sleep(STALL_S)  # the fault lasts
    faults.release()
    faults.hold()
    return True


STORE_FAULTS = (
    Fault("store answers 503", failing(FaultKind.STATUS), 4),
    Fault("store answers 429", failing(FaultKind.STATUS, status=429), 2),
    Fault("store resets connections", failing(FaultKind.RESET), 4),
    Fault("store loses its answers", failing(FaultKind.LOST_ANSWER), 4),
    Fault("store stalls", stall, 2),
    Fault("store's answers are cut short", failing(FaultKind.TRUNCATED, method="GET"), 4),
    Fault("store's answers are altered", failing(FaultKind.CORRUPTED, method="GET", target=RECORD), 4),
    Fault("uploads are altered", failing(FaultKind.CORRUPTED_UPLOAD, target="uploadType|upload_id"), 4),
)
