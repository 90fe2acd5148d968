"""What happened to a job, told from its records."""

import json

import pytest
from typer.testing import CliRunner

from mpi_stage.errors import DamagedInputError, WorldError
from pipeline.cli import service as service_cli
from pipeline.cli.application import application
from pipeline.errors import JobNotFoundError
from pipeline.trace_ids import trace_of


class BrokenStage:
    def __init__(self, *errors):
        self.errors = list(errors)

    def run(self, *_, **__):
        raise self.errors.pop(0)


def words(service, job):
    return [(turn.what, turn.attempt) for turn in service.client.timeline(job)]


def test_a_job_that_succeeds_at_once_is_accepted_begun_and_committed(service):
    job = service.submit()
    service.runner(service.stage).work_once()
    assert words(service, job) == [
        ("accepted", 0),
        ("attempt begun", 1),
        ("rank reported", 1),
        ("committed", 1),
    ]
    rank = service.client.timeline(job)[2]
    assert rank.facts["rank"] == 0
    assert rank.facts["compute_s"] >= 0


def test_failures_retries_and_cancellations_are_told_in_order(service):
    job = service.submit()
    runner = service.runner(BrokenStage(WorldError("a rank died"), DamagedInputError("it is cut short")))
    runner.work_once()
    runner.work_once()
    service.client.retry(job)
    service.client.cancel(job)
    assert words(service, job) == [
        ("accepted", 0),
        ("attempt begun", 1),
        ("attempt ended without a result", 1),
        ("attempt begun", 2),
        ("attempt ended without a result", 2),
        ("asked to be tried again", 2),
        ("cancelled", 2),
    ]
    assert service.client.timeline(job)[2].facts["message"] == "a rank died"


def test_a_job_that_nobody_knows_has_no_events(service):
    with pytest.raises(JobNotFoundError):
        service.client.timeline("20260101-000000-aaaaaaaaaa")


def test_the_command_prints_a_line_of_a_log_for_each_event(service, monkeypatch):
    job = service.submit()
    monkeypatch.setattr(service_cli, "_client", lambda _: service.client)
    app = application(["show"])
    as_text = CliRunner().invoke(app, ["show", job, "--events"])
    assert as_text.output.splitlines()[0].split()[2:5] == ["attempt", "0", "accepted"]
    as_json = CliRunner().invoke(app, ["show", job, "--events", "--json"])
    event = json.loads(as_json.output.splitlines()[0])
    assert (event["job"], event["event"], event["trace"]) == (job, "accepted", trace_of(job))
