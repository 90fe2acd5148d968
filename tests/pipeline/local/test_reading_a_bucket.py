"""Results in a bucket are looked at and packed by ranges, never as a whole."""

import base64
import io
import zipfile

import numpy as np
import pytest
import tifffile
from fakes.gcs.fixture import BUCKET, fake_gcs, gcs_client, service_account_key
from PIL import Image

from mpi_stage.contract import Budget, Tile
from pipeline.errors import ObjectNotFoundError
from pipeline.images import trees
from pipeline.images.archive import archive_of_many
from pipeline.images.trees import reference_to
from pipeline.memory.parts import memory_parts
from pipeline.previews.requests import tile_request
from pipeline.previews.tiles import TileReaders
from pipeline.stores.gcs import GcsStore

__all__ = ["fake_gcs", "gcs_client", "service_account_key"]


@pytest.fixture
def store(fake_gcs, gcs_client):
    return GcsStore(BUCKET, "halorow", client=gcs_client, endpoint=fake_gcs.address)


def test_a_tile_of_an_object_has_its_pixels(store, tmp_path):
    pixels = np.random.default_rng(4).integers(0, 256, (1200, 1300, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(128, 128), photometric="rgb")
    info = store.put_file("results/a.tif", tmp_path / "a.tif")
    parts = memory_parts(store)
    request, generation = tile_request(parts, Budget(), reference_to(info), None)
    readers = TileReaders(1)
    try:
        made = readers.ask(request, Tile(generation, 1, 1, 1))
    finally:
        readers.close()
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(made["png"]))))
    assert np.array_equal(shown, pixels[512:1024, 512:1024])


def test_an_archive_is_made_of_ranges_of_one_generation(store, monkeypatch):
    monkeypatch.setattr(trees, "RANGE_BYTES", 1000)
    data = bytes(range(256)) * 40
    store.put_bytes("a.bin", data)
    pieces = list(archive_of_many(store, [("a.bin", "a.bin")]))
    assert max(len(piece) for piece in pieces) < 2000
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.read("a.bin") == data


def test_an_object_that_is_replaced_meanwhile_ends_the_archive(store, monkeypatch):
    monkeypatch.setattr(trees, "RANGE_BYTES", 1000)
    store.put_bytes("a.bin", bytes(5000))
    pieces = archive_of_many(store, [("a.bin", "a.bin")])
    next(pieces)
    store.put_bytes("a.bin", bytes(6000))
    with pytest.raises(ObjectNotFoundError):
        list(pieces)
