"""The parts that the service is made of, put together from the settings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.decisions.places import Places
from pipeline.decisions.retention import Retention
from pipeline.decisions.retry import RetryPolicy
from pipeline.ports import EventBus, JobQueue, Ledger, NoticeBoard, ObjectStore, OperatorBoard, StatusBoard
from pipeline.records.jobs import JobRecords
from pipeline.records.news import News
from pipeline.uploads.ways import Way, way_into


@dataclass(frozen=True)
class Parts:
    """What the client, the runners, reconciliation and the notifier share.

    ``ledger``: how much work each lane has before it. ``operators``: what operators look at beside the jobs.
    ``heartbeat_s``: how often a lease is renewed; a third of its length or less. ``teller``: what
    tells queue, board and bus in one go, where there is such a thing. ``places``: where inputs and
    outputs may lie. ``retention``: how long what the service makes is kept. ``close``: gives the
    connections to Redis back; what is used again opens new ones.
    """

    store: ObjectStore
    queue: JobQueue
    ledger: Ledger
    board: StatusBoard
    bus: EventBus
    notices: NoticeBoard
    operators: OperatorBoard
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    heartbeat_s: float = 5.0
    teller: News | None = None
    places: Places = field(default_factory=Places)
    retention: Retention = field(default_factory=Retention)
    close: Callable[[], None] = lambda: None

    @cached_property
    def records(self) -> JobRecords:
        """The durable records in the store."""
        return JobRecords(self.store)

    @cached_property
    def news(self) -> News:
        """Queue, status and events, told together."""
        return self.teller or News(self.queue, self.board, self.bus, self.ledger)

    @cached_property
    def way(self) -> Way:
        """How a browser's bytes get into the store. Raises StoreError where they cannot."""
        return way_into(self.store)
