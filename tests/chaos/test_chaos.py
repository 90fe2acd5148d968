"""A slice of each part of the chaos harness; ``make chaos`` and ``make load`` run them at full length."""

from random import Random

import pytest

from docs.generate.reliability_parts import PARTS
from tests.chaos.faults import FAULTS, draw
from tests.chaos.ranks import SORTS, rank_faults
from tests.chaos.redis_faults import _cut
from tests.chaos.stale import stale
from tests.chaos.stale_holder import POINTS
from tests.chaos.storm import storm

pytestmark = pytest.mark.slow
STRUCK = (
    "rank killed",
    "worker killed",
    "Redis set back by its last second",
    "connections to Redis reset",
    "Redis emptied (FLUSHALL)",
    "notifier killed",
    "raylet killed",
)
FIRST = {part.name: part for part in PARTS}


def broken(run):
    """Return the figures of a run that break a bound by themselves."""
    return {
        one.name: run.figures[one.name]
        for one in FIRST[run.part].figures
        if not one.holds_in_slice(run.figures[one.name])
    }


def test_holders_that_went_stale_at_every_point_do_not_commit(tmp_path):
    run, tally = stale(tmp_path, times=len(POINTS), seed=0)

    assert broken(run) == {}
    assert tally.refused == len(POINTS)
    assert set(tally.points) == set(POINTS)


def test_worlds_with_a_rank_that_fails_are_gone_and_their_jobs_go_on(tmp_path):
    run, tally = rank_faults(tmp_path, times=1, seed=0)

    assert broken(run) == {}
    assert tally.counts == dict.fromkeys(SORTS, 1)


@pytest.mark.cluster
def test_a_small_storm_loses_nothing(tmp_path):
    run, faulty = storm(tmp_path, jobs=18, faults=len(STRUCK), seed=3, plan=STRUCK)

    assert faulty == []
    assert broken(run) == {}
    assert run.details["faults by kind"] == dict.fromkeys(STRUCK, 1)


def test_the_same_seed_draws_the_same_faults():
    first, again = ([draw(random) for _ in range(40)] for random in (Random(5), Random(5)))
    assert first == again
    assert len(set(first)) > len(FAULTS) // 3


def test_a_file_that_was_written_anew_is_not_cut(tmp_path):
    file = tmp_path / "appendonly.aof"
    file.write_bytes(b"x" * 100)
    before = file.stat()

    _cut(file, 60, before.st_ino)
    assert file.stat().st_size == 60
    _cut(file, 20, before.st_ino + 1)
    assert file.stat().st_size == 60
