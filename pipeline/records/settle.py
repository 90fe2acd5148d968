"""Tell what became of a job, and take it off the list of unfinished ones."""

from collections.abc import Sequence
from contextlib import suppress

from pipeline.errors import QueueUnavailableError
from pipeline.models import Claim, Ending, JobState, JobStatus, Manifest, Result
from pipeline.ports import BucketStore, EventBus, JobQueue, Ledger, StatusBoard
from pipeline.records import statuses
from pipeline.records.commit import is_published_apart, publish
from pipeline.records.jobs import JobRecords
from pipeline.records.leftovers import clear_bands, clear_parts


class News:
    """Tells the status board and the event bus together, and moves jobs in queue and ledger with it.

    ``pipeline.redis.news`` does each of these in one round trip.
    """

    def __init__(self, queue: JobQueue, board: StatusBoard, bus: EventBus, ledger: Ledger) -> None:
        """Tell ``board`` first, so that whoever hears an event finds the status that goes with it."""
        self.queue = queue
        self.board = board
        self.bus = bus
        self.ledger = ledger

    def tell(self, status: JobStatus, kind: str | None = None) -> None:
        """Write a status and publish the event. Raises QueueUnavailableError."""
        self.board.put(status)
        self.bus.publish(statuses.event_of(status, kind))
        if status.state is JobState.RETRYING:
            self.ledger.retried(status.lane)

    def queued(self, waiting: Sequence[JobStatus]) -> None:
        """Tell of jobs that have been accepted, and queue each in its lane. Raises QueueUnavailableError."""
        for status in waiting:
            self.tell(status)
            self.queue.enqueue(status.lane, status.id, status.priority, share=status.share)
            self.ledger.add(status.lane, status.id, status.load)

    def ended(self, status: JobStatus, claim: Claim) -> None:
        """Tell how a job ended, and take it out of the queue. Raises QueueUnavailableError."""
        self.tell(status)
        self.queue.release(claim)
        self.ledger.remove(claim.lane, claim.job_id, spent_s(status))

    def mention(self, status: JobStatus, kind: str | None = None) -> None:
        """Do as :meth:`tell`, but go on if Redis is away: the news can be made up from the store later."""
        with suppress(QueueUnavailableError):
            self.tell(status, kind)


def spent_s(status: JobStatus) -> float:
    """Return the core-seconds that a job's last attempt took, 0 unless it has succeeded."""
    if status.state is not JobState.SUCCEEDED or status.started_at is None or status.finished_at is None:
        return 0.0
    return max(0.0, (status.finished_at - status.started_at).total_seconds()) * max(1, len(status.ranks))


def settle(
    records: JobRecords,
    news: News,
    manifest: Manifest,
    ending: Ending,
    *,
    claim: Claim | None = None,
    before: JobStatus | None = None,
) -> JobStatus:
    """Do all that follows from a durable ending; return the final status.

    ``claim`` is the holder's, who lets go of the job with it; ``before`` the status so far, asked of
    the board where it is not known. The marker of an unfinished job goes last. Whoever fails or dies
    before leaves it to reconciliation, which settles again: every part may be done twice.

    The caller may have been stopped since it learnt of the ending, for as long as it takes others to
    settle it and people to go on. So a result is not published again once the job is settled, and of
    an ending that a retry has taken back nothing follows. Raises QueueUnavailableError, StoreError.
    """
    if isinstance(ending, Result):
        if is_published_apart(manifest, ending) and records.is_open(manifest.id):
            publish(records.store, manifest, ending)
    elif (standing := records.ending(manifest.id)) is None:
        return before or statuses.ended(manifest, ending, news.board.get(manifest.id))
    elif isinstance(standing, Result):
        return settle(records, news, manifest, standing, claim=claim)
    else:
        if isinstance(records.store, BucketStore):
            clear_parts(records.store, manifest.id)
        clear_bands(records.store, manifest.id)  # before the news, at which a retry may begin
    status = statuses.ended(manifest, ending, before or news.board.get(manifest.id))
    records.mark_to_tell(manifest)  # before the news, at which the notifier looks for the mark
    if claim is None:
        news.tell(status)
    else:
        news.ended(status, claim)
    if isinstance(ending, Result) and ending.report.get("band_rows"):
        clear_bands(records.store, manifest.id)
    records.close(manifest.id)
    if not isinstance(ending, Result) and records.ending(manifest.id) is None:
        records.mark_open(manifest)
    return status
