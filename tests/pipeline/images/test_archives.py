"""Images as one archive, made while it is sent."""

import io
import zipfile

import pytest

from pipeline.decisions.people import Person
from pipeline.errors import ObjectNotFoundError
from pipeline.images.archive import archive_of_many, unique_names


def unpacked(pieces):
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
        return {one.filename: archive.read(one) for one in archive.infolist()}


def finished(service, **options):
    job = service.submit(**options)
    assert service.runner(service.stage).work_once()
    return job


def test_a_batch_comes_as_one_archive_of_its_results_each_under_a_name_of_its_own(service):
    jobs = [finished(service, batch="b") for _ in range(2)]
    finished(service, batch="another")
    made = [service.parts.store.get_bytes(service.client.result(job).output.key) for job in jobs]

    found = unpacked(service.client.archive_of_batch("b"))

    assert found == {"astronaut.jpg": made[0], "astronaut-2.jpg": made[1]}


def test_an_empty_batch_is_told(service):
    service.submit(batch="b")
    with pytest.raises(ObjectNotFoundError, match="batch b"):
        service.client.archive_of_batch("b")


def test_another_users_batch_is_empty(service):
    finished(service, batch="b")
    with pytest.raises(ObjectNotFoundError):
        service.client.acting_for(Person("mallory")).archive_of_batch("b")


def test_an_image_of_many_objects_is_a_folder_in_it(store):
    store.put_bytes("a.zarr/zarr.json", b"{}")
    store.put_bytes("a.zarr/c/0/0", b"chunk")
    store.put_bytes("b.tif", b"tiff")
    found = unpacked(archive_of_many(store, [("one.zarr", "a.zarr"), ("two.tif", "b.tif")]))
    assert found == {"one.zarr/c/0/0": b"chunk", "one.zarr/zarr.json": b"{}", "two.tif": b"tiff"}


def test_a_large_object_comes_in_small_pieces(store):
    data = bytes(range(256)) * (20 << 12)
    store.put_bytes("big.tif", data)
    pieces = list(archive_of_many(store, [("big.tif", "big.tif")]))
    assert max(len(piece) for piece in pieces) < 2 << 20
    assert unpacked(pieces) == {"big.tif": data}


def test_an_object_that_is_gone_ends_the_archive_before_its_directory(store):
    store.put_bytes("a.tif", b"here")
    pieces = []
    with pytest.raises(ObjectNotFoundError):
        pieces.extend(archive_of_many(store, [("a.tif", "a.tif"), ("b.tif", "b.tif")]))
    with pytest.raises(zipfile.BadZipFile):
        unpacked(pieces)


def test_names_are_told_apart_whatever_their_letters():
    entries = [("a.tif", "1"), ("A.tif", "2"), ("a.tif", "3"), ("a-2.tif", "4"), ("noend", "5")]
    assert [name for name, _ in unique_names(entries)] == [
        "a.tif", "A-2.tif", "a-3.tif", "a-2-2.tif", "noend",
    ]  # fmt: skip


def test_thousands_of_images_of_the_same_name_are_numbered_one_after_another():
    many = 20_000
    found = unique_names([("cat.tif", str(number)) for number in range(many)])
    assert found[-1] == (f"cat-{many}.tif", str(many - 1))
    assert len({name for name, _ in found}) == many
