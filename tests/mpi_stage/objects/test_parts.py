"""Parts of an output, and the one object that they become."""

import numpy as np
import pytest
from fakes.gcs.faults import FaultKind
from fakes.gcs.fixture import BUCKET

from mpi_stage.errors import OutputExistsError, StorageError
from mpi_stage.objects import parts, sink
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.parts import PartStream, publish
from mpi_stage.objects.sink import ObjectSink

FINAL = ObjectAddress(BUCKET, "out.tif")
DATA = np.random.default_rng(3).integers(0, 256, 400_000, np.uint8).tobytes()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART_BYTES", 5_000)
    monkeypatch.setattr(sink, "PART_BYTES", 10_000)


def send(uploads, data=DATA, name="row"):
    stream = PartStream(uploads, name)
    for first in range(0, len(data), 3333):
        stream.append(data[first : first + 3333])
    stream.end()
    stream.close()
    return list(uploads.bucket.list(uploads.prefix))


def test_more_parts_than_one_call_takes_become_one_object_and_are_removed(uploads, fake_gcs):
    found = send(uploads)
    assert len(found) > 32
    publish(uploads, FINAL, found, len(DATA))
    assert fake_gcs.objects.names(BUCKET) == ["out.tif"]
    made = fake_gcs.objects.get(BUCKET, "out.tif", {})
    assert (made.data, made.content_type, made.checksums.md5) == (DATA, "image/tiff", None)


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.RESET, FaultKind.LOST_ANSWER])
def test_composing_goes_on_after_a_fault_that_passes(uploads, fake_gcs, kind):
    found = send(uploads)
    fake_gcs.faults.add(kind, method="POST", target="compose", times=2)
    publish(uploads, FINAL, found, len(DATA))
    assert fake_gcs.objects.get(BUCKET, "out.tif", {}).data == DATA


def test_an_object_that_cannot_be_composed_does_not_appear_and_can_be_made_later(uploads, fake_gcs):
    found = send(uploads)
    fake_gcs.faults.add(FaultKind.STATUS, method="POST", target="out.tif/compose", times=10_000)
    with pytest.raises(StorageError, match=r"out\.tif: the object store kept failing"):
        publish(uploads, FINAL, found, len(DATA))
    assert "out.tif" not in fake_gcs.objects.names(BUCKET)
    fake_gcs.faults.clear()
    parts.clear(uploads)
    publish(uploads, FINAL, send(uploads), len(DATA))
    assert fake_gcs.objects.names(BUCKET) == ["out.tif"]


def test_a_part_that_somebody_has_removed_is_missed(uploads):
    found = send(uploads)
    with pytest.raises(StorageError, match="some were removed meanwhile"):
        publish(uploads, FINAL, found[:-1], len(DATA))


def test_a_part_that_somebody_has_replaced_is_not_used(uploads, put, fake_gcs):
    found = send(uploads)
    put(found[3].address.name, bytes(found[3].size_bytes))
    with pytest.raises(StorageError, match="lacks a part"):
        publish(uploads, FINAL, found, len(DATA))
    assert "out.tif" not in fake_gcs.objects.names(BUCKET)


def test_parts_that_cannot_be_removed_are_noted_and_the_object_is_there(uploads, fake_gcs):
    found = send(uploads)
    fake_gcs.faults.add(FaultKind.STATUS, method="DELETE", status=403, times=10_000)
    publish(uploads, FINAL, found, len(DATA))
    assert fake_gcs.objects.get(BUCKET, "out.tif", {}).data == DATA
    assert len(uploads.bucket.notes) == 1
    assert str(uploads.prefix) in uploads.bucket.notes[0]


def test_an_object_that_is_there_is_left_alone(uploads, put, fake_gcs):
    put("out.tif", b"theirs")
    with pytest.raises(OutputExistsError):
        publish(uploads, FINAL, send(uploads), len(DATA))
    assert fake_gcs.objects.get(BUCKET, "out.tif", {}).data == b"theirs"


def test_an_upload_that_fails_is_told_of_by_the_stream(uploads, fake_gcs):
    fake_gcs.faults.add(FaultKind.STATUS, method="POST", times=10_000)
    stream = PartStream(uploads, "row")
    stream.append(DATA)
    with pytest.raises(StorageError, match="row-000000"):
        stream.end()
    stream.close()


@pytest.mark.parametrize("count", [9_000, 35_000])
def test_a_file_that_is_written_as_a_whole_appears_once(uploads, fake_gcs, count):
    whole = ObjectSink(uploads, f"gs://{BUCKET}/out.png")
    whole.create()
    whole.open()
    whole.write(DATA[:count])
    whole.close()
    made = fake_gcs.objects.get(BUCKET, "out.png", {})
    assert (made.data, made.content_type) == (DATA[:count], "image/png")
    assert fake_gcs.objects.names(BUCKET) == ["out.png"]
    with pytest.raises(OutputExistsError):
        whole.create()
