"""When a run is given up."""

import pytest

from mpi_stage.errors import WorldError
from pipeline.errors import RunCancelledError
from pipeline.worlds.watch import Watch


def progress(rank, done):
    return {"event": "progress", "rank": rank, "rows_done": done, "rows_total": 100}


def test_without_limits_a_run_may_take_for_ever():
    Watch("j", 0.0).check(1e9)


def test_a_run_ends_after_its_deadline_however_well_it_goes():
    watch = Watch("j", 0.0, deadline_s=10, stall_s=5)
    watch.saw(progress(0, 1), 9.0)
    watch.check(10.0)
    with pytest.raises(WorldError, match=r"limit of 10 s .rank 0 was last at row 1 of 100"):
        watch.check(10.1)


def test_new_rows_of_any_rank_are_progress():
    watch = Watch("j", 0.0, stall_s=5)
    watch.saw(progress(0, 1), 4.0)
    watch.saw(progress(1, 1), 8.0)
    watch.check(12.0)


def test_the_same_rows_again_are_no_progress():
    watch = Watch("j", 0.0, stall_s=5)
    watch.saw(progress(0, 1), 0.0)
    watch.saw(progress(0, 1), 4.0)
    with pytest.raises(WorldError, match="no progress for 5 s"):
        watch.check(5.1)


def test_the_rank_that_is_least_far_is_named():
    watch = Watch("j", 0.0, stall_s=5)
    watch.saw(progress(0, 70), 0.0)
    watch.saw(progress(1, 40), 0.0)
    with pytest.raises(WorldError, match="rank 1 was last at row 40 of 100"):
        watch.check(6.0)


def test_a_run_without_any_event_stalls():
    with pytest.raises(WorldError, match="no rank has reported a row"):
        Watch("j", 0.0, stall_s=5).check(5.1)


def test_whoever_asks_for_an_end_gets_it_before_all_else():
    with pytest.raises(RunCancelledError):
        Watch("j", 0.0, deadline_s=1, cancelled=lambda: True).check(2.0)
