"""What reconciliation finds and mends."""

from datetime import timedelta

from pipeline import layout
from pipeline.attempts.plan_router import Move
from pipeline.keeping.reconcile import ORPHAN_AGE, rebuild_and_reconcile, reconcile
from pipeline.logs import get_logger
from pipeline.models import JobState, Lane, Load, now


def test_a_job_that_the_queue_has_forgotten_is_queued_again(service):
    job = service.submit(priority=3)
    claim = service.parts.queue.claim(Lane.SINGLE, "somebody", 0.0)
    service.parts.queue.release(claim)
    service.parts.board.delete(job)

    assert reconcile(service.parts).queued == 1
    assert service.client.status(job).state is JobState.QUEUED
    assert not reconcile(service.parts)


def test_a_job_that_somebody_holds_is_left_alone(service):
    service.submit()
    service.parts.queue.claim(Lane.SINGLE, "somebody", 0.0)

    assert not reconcile(service.parts)


def test_a_forgotten_job_that_had_been_moved_returns_to_the_gang_lane(service):
    service.submit()
    service.runner(service.stage, router=lambda _request, _manifest: Move(2, Load())).work_once()
    claim = service.parts.queue.claim(Lane.GANG, "somebody", 0.0)
    service.parts.queue.release(claim)

    assert reconcile(service.parts).queued == 1
    assert service.parts.queue.depth(Lane.GANG) == 1


def test_the_marker_of_a_submission_that_died_goes_when_it_is_old(service):
    job_id = layout.new_job_id(now())
    service.parts.store.put_bytes(layout.open_key(job_id), b"")

    assert not reconcile(service.parts)
    assert reconcile(service.parts, now() + ORPHAN_AGE + timedelta(minutes=1)).orphans == 1
    assert list(service.parts.store.list(layout.OPEN)) == []


def test_finished_jobs_are_not_looked_at(service):
    service.submit()
    service.runner(service.stage).work_once()

    assert list(service.parts.store.list(layout.OPEN)) == []
    assert not reconcile(service.parts)


def test_what_a_round_has_done_can_be_logged_as_it_is(service):
    service.submit()
    service.runner(service.stage).work_once()
    service.submit()
    service.parts.queue.release(service.parts.queue.claim(Lane.SINGLE, "lost", 0))

    done = rebuild_and_reconcile(service.parts)

    assert (done.rebuilt, done.queued) == (1, 1)
    get_logger(part="scheduler").info("reconciled", **vars(done))
