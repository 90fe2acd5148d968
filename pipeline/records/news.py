"""What is told of a job at each turn of its life: its status, an event, its place in queue and ledger."""

from collections.abc import Sequence
from contextlib import suppress

from pipeline.errors import QueueUnavailableError
from pipeline.models import Claim, JobState, JobStatus
from pipeline.ports import EventBus, JobQueue, Ledger, StatusBoard
from pipeline.records import statuses


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

    def again(self, status: JobStatus) -> None:
        """Tell of a job that waits once more, whatever was known of it, and queue it if it is not there.

        Raises QueueUnavailableError.
        """
        self.board.reset(status)
        self.bus.publish(statuses.event_of(status))
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
