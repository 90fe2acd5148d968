"""How the chaos harness counts bands that were made more than once."""

import shutil

import pytest

from mpi_stage.bands.journal import BandRecord, Journal
from tests.chaos.band_watch import BandWatch, journals, recorded
from tests.chaos.rework import Rework, made_anew


def report(*, made, reused, refused=0):
    rank = {"bands_made": made, "bands_reused": reused, "bands_refused": refused}
    return {"rows": 100, "band_rows": 10, "ranks": [rank]}


def counted(seen, attempt=2, **bands):
    rework = Rework()
    rework.add("job", report(**bands), attempt, seen)
    return rework


def test_the_band_that_a_killed_rank_was_at_counts_as_made_again():
    rework = counted({1: {"journal-0": [0, 1, 2]}}, made=7, reused=3)
    assert (rework.ended, rework.kept, rework.again, rework.most_per_kill) == (1, 3, 0, 1)
    assert rework.faulty == []


def test_an_attempt_that_had_made_all_its_bands_was_at_none():
    assert counted({1: {"journal-0": list(range(10))}}, made=0, reused=10).most_per_kill == 0


def test_finished_bands_that_were_not_taken_over_break_the_bound():
    rework = counted({1: {"journal-0": [0, 1], "journal-1": [5, 6]}}, made=8, reused=2, refused=2)
    assert (rework.again, rework.refused, rework.most_per_kill) == (2, 2, 3)
    assert "2 finished bands were made again" in rework.faulty[0]


@pytest.mark.parametrize(
    ("attempts", "anew"),
    [
        ([[0, 1], [0, 1, 2, 3]], 0),
        ([[0, 1], [2, 3, 0, 1]], 2),
        ([[0, 1], [1, 2, 0]], 1),
        ([[0], [0, 1], [0, 1, 2]], 0),
    ],
)
def test_a_known_band_behind_a_new_one_was_made_anew(attempts, anew):
    assert made_anew([{"journal-0": bands} for bands in attempts]) == anew


@pytest.fixture
def watch(tmp_path):
    one = BandWatch(tmp_path, unfinished=tuple)
    yield one
    one.stop()


def journal(folder, bands, rank=0):
    folder.mkdir(parents=True, exist_ok=True)
    one = Journal(str(folder), rank, "key")
    for band in bands:
        one.append(BandRecord(band, ()))
    return one


def test_what_an_attempt_records_after_the_next_has_begun_does_not_count(watch, tmp_path):
    stopped = journal(tmp_path / "job" / "0001", [0, 1])
    watch.look("job")
    rival = journal(tmp_path / "job" / "0002", [])
    stopped.append(BandRecord(2, ()))
    watch.look("job")

    assert watch.seen["job"] == {1: {"journal-000000": [0, 1]}, 2: {"journal-000000": []}}
    stopped.close()
    rival.close()


def test_what_is_removed_while_it_is_looked_at_was_there(watch, tmp_path):
    for rank in range(2):
        journal(tmp_path / "job" / "0001", [rank], rank).close()
    watch.look("job")
    (tmp_path / "job" / "0001" / "journal-000000").unlink()
    watch.look("job")
    assert watch.seen["job"] == {1: {"journal-000000": [0], "journal-000001": [1]}}

    shutil.rmtree(tmp_path / "job" / "0001")
    watch.look("job")
    assert journals(tmp_path / "job" / "0001") == []


def test_a_line_that_was_cut_short_is_no_record(tmp_path):
    journal(tmp_path, [4, 5]).close()
    file = tmp_path / "journal-000000"
    assert recorded(file) == [4, 5]
    file.write_bytes(file.read_bytes()[:-3])
    assert recorded(file) == [4]
