"""The objects of a Zarr, read and written by several threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock

from fakes.gcs.fixture import BUCKET

from mpi_stage.formats.zarr.objects import ZarrInBucket
from mpi_stage.objects.bucket import Bucket
from mpi_stage.objects.tree import ObjectTree

URL = f"gs://{BUCKET}/picture.zarr"


class MeetingBucket(Bucket):
    """A bucket whose readers have all asked what an object is before any hears of it.

    Each of them then hears of another generation, as if the object had been replaced in between.
    """

    def __init__(self, access, readers, put):
        super().__init__(access)
        self._met, self._put, self._turn = Barrier(readers), put, Lock()

    def stat(self, address):
        self._met.wait()
        with self._turn:
            self._put()
            return super().stat(address)


class HoldingBucket(Bucket):
    """A bucket with a connection that still holds a piece of what it has sent."""

    def upload(self, address, data, *arguments):
        made = super().upload(address, data, *arguments)
        self.held = memoryview(data[0])[1:]
        return made


def test_all_threads_read_one_generation_of_an_object(access, put):
    bucket = MeetingBucket(access, 2, lambda: put("picture.zarr/c/0/0", b"shard"))
    tree = ObjectTree(bucket, URL)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(tree._stored, ["c/0/0", "c/0/0"]))
    tree.close()
    bucket.close()
    assert found[0].address.generation == found[1].address.generation


def test_a_shard_is_uploaded_while_a_connection_holds_a_piece_of_it(access, fake_gcs, tmp_path):
    bucket = HoldingBucket(access)
    place = ZarrInBucket(bucket, URL, str(tmp_path))
    shard = f"{place.folder('')}/c"
    Path(shard).write_bytes(b"chunks and index")

    place.shard_done(shard)
    place.wait()

    assert fake_gcs.objects.get(BUCKET, "picture.zarr/c", {}).data == b"chunks and index"
    assert bytes(bucket.held) == b"hunks and index"
    place.close()
    bucket.close()
