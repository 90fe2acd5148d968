"""What ``jobs/load_test.py`` makes of the ends of jobs."""

import io
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from jobs import load_test
from pipeline.models import JobState, JobStatus, Lane, now

BEGAN = now()


def status(number, state=JobState.SUCCEEDED, seconds=1.0, error=None, attempt=1):
    return JobStatus(
        id=str(number),
        state=state,
        lane=Lane.SINGLE,
        attempt=attempt,
        input_name=f"picture-{number % 2}.tif",
        pipeline="sobel",
        created_at=BEGAN,
        finished_at=BEGAN + timedelta(seconds=seconds),
        error=error,
    )


class Digests:
    """Stands for a client in what is asked of it: digests of results, by job."""

    def __init__(self, odd=()):
        self.odd = odd

    def result(self, job_id):
        return SimpleNamespace(pixels_sha256="other" if job_id in self.odd else f"of {int(job_id) % 2}")


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed_and_no_smaller_one_is(values, share):
    values.sort()
    found = load_test.percentile(values, share)
    assert sum(value <= found for value in values) * 100 >= share * len(values)
    assert sum(value < found for value in values) * 100 < share * len(values)


def test_there_is_no_percentile_of_nothing():
    assert load_test.percentile([], 50) is None


def test_figures_are_of_those_that_have_succeeded_and_the_others_are_counted():
    ended = [status(n, seconds=n + 1) for n in range(4)]
    ended += [status(4, JobState.FAILED, error="damaged"), status(5, JobState.DEAD, error="dead", attempt=3)]

    figures = load_test.summary(Digests(), ended, pixels=500_000)

    assert (figures["pictures"], figures["succeeded"]) == (6, 4)
    assert figures["failures"] == {"failed": 1, "dead": 1}
    assert figures["reasons"] == ["damaged", "dead"]
    assert figures["retries"] == 2
    assert figures["latency_s"] == {"p50": 2.0, "p95": 4.0, "p99": 4.0}
    assert figures["pictures_per_s"] == pytest.approx(1.0)
    assert figures["megapixels_per_s"] == pytest.approx(0.5)


def test_a_result_that_differs_from_others_of_its_picture_is_counted():
    ended = [status(n) for n in range(6)]
    assert load_test.summary(Digests(), ended, 1)["different_results"] == 0
    assert load_test.summary(Digests(odd=("3", "4")), ended, 1)["different_results"] == 2


def test_a_run_without_any_success_is_told_too():
    figures = load_test.summary(Digests(), [status(0, JobState.FAILED, error="no")], 1) | {"submission_s": 1}
    text = load_test.described(figures)
    assert "0 of 1" in text
    assert "1 failed" in text
    assert "no" in text.splitlines()[4]


def test_pictures_of_different_seeds_differ_and_those_of_one_do_not():
    one, other = load_test.picture(40, 1), load_test.picture(40, 2)
    assert one != other
    assert one == load_test.picture(40, 1)
    assert Image.open(io.BytesIO(one)).size == (40, 40)
