"""What a rank tells the supervisor of errors that it did not make itself."""

from mpi4py import MPI

from mpi_stage.__main__ import foreseen
from mpi_stage.contract import error_event, error_of
from mpi_stage.errors import WorldError


def test_a_rank_that_misses_another_blames_the_world_and_not_the_job():
    event = error_event("j", 1, foreseen(MPI.Exception(MPI.ERR_OTHER), 1))

    told = error_of(event)
    assert isinstance(told, WorldError)
    assert event["retryable"]
    assert "rank 1" in str(told)


def test_other_errors_are_told_as_they_are():
    error = ZeroDivisionError("nobody foresaw this")

    assert foreseen(error, 0) is error
