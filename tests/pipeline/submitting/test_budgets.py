"""A job's budget: what the operator allows every job, and no more than its user may have queued."""

import pytest

from pipeline.config import Settings
from pipeline.submitting.budgets import job_budget


@pytest.mark.parametrize(
    ("every_job", "its_user", "allowed"),
    [(100, 0, 100), (100, 70, 70), (50, 70, 50)],
)
def test_a_job_has_the_smaller_of_both_limits(tmp_path, every_job, its_user, allowed):
    settings = Settings(data_dir=tmp_path, job_pixels=every_job, user_queued_pixels=its_user)
    assert job_budget(settings).pixels == allowed


def test_the_other_limits_are_the_operators(tmp_path):
    settings = Settings(data_dir=tmp_path, decoded_ratio=300, decode_s=2.5, user_queued_pixels=9)
    budget = job_budget(settings)
    assert (budget.ratio, budget.decode_s) == (300, 2.5)
