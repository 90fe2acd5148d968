"""What the page shows of a job."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.models import JobState, JobStatus, Lane, RankProgress
from ui.following.view import card

START = datetime(2030, 1, 1, tzinfo=UTC)


def status(state=JobState.RUNNING, **more):
    return JobStatus(
        **{
            "id": "j1",
            "state": state,
            "lane": Lane.SINGLE,
            "input_name": "cat.tif",
            "pipeline": "invert",
            "created_at": START,
            "updated_at": START,
            **more,
        }
    )


def at(seconds):
    return START + timedelta(seconds=seconds)


def test_a_running_job_tells_rows_rate_and_time_left():
    shown = card(status(rows_done=1000, rows_total=4000, rows_per_s=500, pixels=10_000_000))
    assert shown.progress == "1,000 of 4,000 rows · 1.2 MP/s · 6 s left"
    assert shown.fraction == 0.25


def test_a_running_job_without_rows_yet_is_getting_ready():
    assert card(status()).progress == "Getting ready"


def test_a_waiting_job_tells_since_when():
    shown = card(status(JobState.QUEUED))
    assert (shown.is_waiting, shown.made_ms) == (True, round(START.timestamp() * 1000))


def test_a_finished_job_tells_how_long_it_took_and_has_a_result():
    shown = card(status(JobState.SUCCEEDED, started_at=at(1), finished_at=at(4)))
    assert (shown.note, shown.has_result, shown.fraction) == ("took 3 s", True, 1.0)


def test_every_rank_has_its_bar_in_order():
    ranks = [
        RankProgress(rank=1, rows_done=5, rows_total=20),
        RankProgress(rank=0, rows_done=20, rows_total=20),
    ]
    shown = card(status(ranks=ranks))
    assert [(bar.rank, bar.fraction) for bar in shown.ranks] == [(0, 1.0), (1, 0.25)]
    assert shown.ranks[1].words == "rank 1: 5 of 20 rows"


def test_a_rank_without_rows_counts_as_done():
    shown = card(status(ranks=[RankProgress(rank=0, rows_done=0, rows_total=0)]))
    assert shown.ranks[0].fraction == 1.0


@pytest.mark.parametrize("state", list(JobState))
def test_live_jobs_can_be_cancelled_and_ended_ones_without_a_result_retried(state):
    shown = card(status(state))
    assert shown.can_cancel == (not state.is_final)
    assert shown.can_retry == (state in {JobState.FAILED, JobState.DEAD, JobState.CANCELLED})
    assert shown.has_result == (state is JobState.SUCCEEDED)


def test_a_failure_is_told_with_a_title_the_text_and_what_to_do():
    shown = card(status(JobState.FAILED, error="cat.tif ends early", error_kind="DamagedInputError"))
    assert shown.trouble is not None
    assert shown.trouble.title == "The file is damaged"
    assert shown.trouble.message == "cat.tif ends early"
    assert "upload it again" in shown.trouble.advice


def test_an_unforeseen_failure_is_told_in_plain_words_too():
    shown = card(status(JobState.DEAD, error="three attempts died", error_kind="Surprise"))
    assert shown.trouble is not None
    assert shown.trouble.title == "It did not work"


def test_a_job_that_is_tried_again_asks_nothing_of_the_user():
    shown = card(status(JobState.RETRYING, attempt=1, error="a rank died", error_kind="WorldError"))
    assert shown.badge.label == "Trying again (attempt 1 ended)"
    assert shown.trouble is not None
    assert "nothing to do" in shown.trouble.advice


def test_a_cancelled_job_shows_no_trouble():
    assert card(status(JobState.CANCELLED, error="cancelled")).trouble is None


def test_bands_that_are_kept_are_told_in_order_and_only_of_jobs_at_work():
    ranks = [
        RankProgress(rank=0, rows_done=5, rows_total=20, bands_done=[[0, 3], [5, 6]]),
        RankProgress(rank=1, rows_done=5, rows_total=20, bands_done=[[3, 4]]),
    ]
    shown = card(status(bands=12, ranks=ranks))
    assert (shown.bands, shown.bands_done) == (12, ((0, 3), (3, 4), (5, 6)))
    assert card(status(JobState.SUCCEEDED, bands=12, ranks=ranks)).bands_done == ()


@pytest.mark.parametrize("state", list(JobState))
def test_only_what_has_ended_is_deleted(state):
    assert card(status(state)).can_delete == state.is_final


def test_the_pipeline_is_shown_without_its_defaults():
    shown = card(status(pipeline="box:size=5,border=mirror,fill=0 canny:low=50,high=99"))
    assert shown.pipeline == "box canny:high=99"
