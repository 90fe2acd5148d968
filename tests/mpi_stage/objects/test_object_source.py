"""Ranges of an object, fetched ahead, once each, and within a budget."""

import numpy as np
import pytest
from fakes.gcs.faults import FaultKind

from mpi_stage.errors import InputChangedError, StorageError
from mpi_stage.objects import read_ahead
from mpi_stage.objects.source import START_BYTES, ObjectSource

DATA = np.random.default_rng(5).integers(0, 256, 3_000_000, np.uint8).tobytes()


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(read_ahead, "WINDOW_BYTES", 100_000)
    monkeypatch.setattr(read_ahead, "AHEAD_BYTES", 400_000)


@pytest.fixture
def source(bucket, put):
    found = ObjectSource(bucket, put("in", DATA))
    yield found
    found.close()


def read(source, first, count):
    view = bytearray(count)
    return bytes(view[: source.read_into(memoryview(view), first)])


def test_the_beginning_is_fetched_with_all_that_is_known_of_the_object(source, fake_gcs):
    assert (source.size_bytes, read(source, 8, 100)) == (len(DATA), DATA[8:108])
    assert [len(found) for _, found in fake_gcs.served] == [START_BYTES]


@pytest.mark.usefixtures("small_windows")
def test_what_is_expected_is_fetched_once_and_joined(source, fake_gcs):
    first, piece = START_BYTES, 12_345
    ranges = [(at, piece) for at in range(first, first + 100 * piece, piece)]
    source.expect(ranges)
    assert b"".join(read(source, *one) for one in ranges) == DATA[first : first + 100 * piece]
    fetched = [found for _, found in fake_gcs.served[1:]]
    assert sum(map(len, fetched)) == 100 * piece
    assert len(fetched) == 13  # windows of 100,000 bytes


@pytest.mark.usefixtures("small_windows")
def test_no_more_is_held_than_the_budget(source):
    source.expect([(0, len(DATA))])
    for first in range(0, len(DATA), 50_000):
        assert read(source, first, 50_000) == DATA[first : first + 50_000]
        held = sum(len(window.data) for window in source._ahead._windows)
        assert held <= source.reserve(0)


@pytest.mark.usefixtures("small_windows")
def test_readers_may_go_back_as_far_as_they_have_said(source, fake_gcs):
    tiles = range(0, 1_600_000, 200_000)
    source.reserve(1_600_000)
    source.expect([(0, 1_600_000)])
    for rows in range(4):  # a quarter of every tile, then the next
        for tile in tiles:
            first = tile + rows * 50_000
            assert read(source, first, 50_000) == DATA[first : first + 50_000]
    assert sum(len(found) for _, found in fake_gcs.served) == 1_600_000


@pytest.mark.usefixtures("small_windows")
def test_a_reader_that_leaves_out_what_it_expected_goes_on(source):
    source.expect([(0, len(DATA))])
    assert read(source, 1_000_000, 300_000) == DATA[1_000_000:1_300_000]
    assert read(source, 2_500_000, 500_000) == DATA[2_500_000:]


@pytest.mark.usefixtures("small_windows")
def test_what_nobody_expected_is_held_within_the_budget_too(source):
    budget = source.reserve(0)
    for first in range(0, len(DATA) - 100, 70_000):
        assert read(source, first, 100) == DATA[first : first + 100]
        assert sum(len(window.data) for window in source._ahead._windows) <= budget


def test_what_nobody_expected_is_fetched_as_it_is_asked_for(source):
    assert read(source, 1_000_001, 200_000) == DATA[1_000_001:1_200_001]
    assert read(source, len(DATA) - 5, 50) == DATA[-5:]


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.RESET, FaultKind.TRUNCATED])
def test_fetching_ahead_survives_faults_that_pass(source, fake_gcs, kind):
    fake_gcs.faults.add(kind, method="GET", times=3)
    assert source.read_all() == DATA


def test_a_body_that_arrives_damaged_is_fetched_again_where_the_whole_is_read(source, fake_gcs):
    fake_gcs.faults.add(FaultKind.CORRUPTED, method="GET")
    assert source.read_all() == DATA


def test_a_body_that_keeps_arriving_damaged_is_refused(source, fake_gcs):
    fake_gcs.faults.add(FaultKind.CORRUPTED, method="GET", times=100)
    with pytest.raises(StorageError, match="CRC32C other than"):
        source.read_all()


def test_a_generation_that_changes_in_the_middle_is_noticed(source, put):
    put("in", DATA[::-1])
    source.expect([(1_000_000, 500_000)])
    with pytest.raises(InputChangedError):
        read(source, 1_000_000, 500_000)
    with pytest.raises(InputChangedError):
        read(source, 2_000_000, 500_000)


def test_an_empty_object_has_no_bytes(bucket, put):
    source = ObjectSource(bucket, put("empty", b""))
    assert (source.size_bytes, read(source, 0, 10), source.read_all()) == (0, b"", b"")
    source.close()
