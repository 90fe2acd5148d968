"""Tell what became of a job, and take it off the list of unfinished ones."""

from contextlib import suppress

from pipeline import statuses
from pipeline.commit import publish
from pipeline.errors import QueueUnavailableError
from pipeline.models import JobStatus, Manifest, Result
from pipeline.ports import EventBus, StatusBoard
from pipeline.records import Ending, JobRecords


class News:
    """The status board and the event bus, told together."""

    def __init__(self, board: StatusBoard, bus: EventBus) -> None:
        """Tell ``board`` first, so that whoever hears an event finds the status that goes with it."""
        self.board = board
        self.bus = bus

    def tell(self, status: JobStatus, kind: str | None = None) -> None:
        """Write a status and publish the event. Raises QueueUnavailableError."""
        self.board.put(status)
        self.bus.publish(statuses.event_of(status, kind))

    def mention(self, status: JobStatus, kind: str | None = None) -> None:
        """Do the same, but go on if Redis is away: the news can be made up from the store later."""
        with suppress(QueueUnavailableError):
            self.tell(status, kind)


def settle(records: JobRecords, news: News, manifest: Manifest, ending: Ending) -> JobStatus:
    """Do all that follows from a durable ending; return the final status.

    The marker of an unfinished job goes last. Whoever fails or dies before leaves it to
    reconciliation, which settles again: every part may be done twice. Raises QueueUnavailableError,
    StoreError.
    """
    if isinstance(ending, Result):
        publish(records.store, manifest, ending)
    before = news.board.get(manifest.id)
    status = statuses.ended(manifest, ending, before)
    news.tell(status)
    records.close(manifest.id)
    return status
