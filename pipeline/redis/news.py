"""The news on Redis: status, event, queue and ledger in one round trip."""

from collections.abc import Sequence

import redis

from pipeline.models import Claim, JobState, JobStatus
from pipeline.records import statuses
from pipeline.records.news import News, spent_s
from pipeline.redis.events import RedisEventBus, channels_of
from pipeline.redis.ledger import RedisLedger
from pipeline.redis.queue import RedisQueue
from pipeline.redis.status import TELL, RedisStatusBoard, put_keys
from pipeline.redis.together import Step, run_together


class RedisNews(News):
    """Does what :class:`pipeline.records.news.News` does, for all four on one server."""

    def __init__(
        self,
        client: redis.Redis,
        queue: RedisQueue,
        board: RedisStatusBoard,
        bus: RedisEventBus,
        ledger: RedisLedger,
    ) -> None:
        """Use ``client``, which leads to the server of the others."""
        super().__init__(queue, board, bus, ledger)
        self._client = client
        self._queue = queue
        self._board = board
        self._ledger = ledger
        self._tell = client.register_script(TELL)

    def tell(self, status: JobStatus, kind: str | None = None) -> None:
        """Write a status and publish the event. Raises QueueUnavailableError."""
        again = [self._ledger.retried_step(status.lane)] if status.state is JobState.RETRYING else []
        run_together(self._client, [self._telling(status, kind), *again])

    def queued(self, waiting: Sequence[JobStatus]) -> None:
        """Tell of jobs that have been accepted, and queue each in its lane. Raises QueueUnavailableError."""
        steps = []
        for status in waiting:
            steps.append(self._telling(status))
            steps.append(self._queue.enqueue_step(status.lane, status.id, status.priority, 0.0, status.share))
            steps.append(self._ledger.add_step(status.lane, status.id, status.load))
        run_together(self._client, steps)

    def ended(self, status: JobStatus, claim: Claim) -> None:
        """Tell how a job ended, and take it out of the queue. Raises QueueUnavailableError."""
        left = self._ledger.remove_step(claim.lane, claim.job_id, spent_s(status))
        run_together(self._client, [self._telling(status), self._queue.release_step(claim), left])

    def _telling(self, status: JobStatus, kind: str | None = None) -> Step:
        event = statuses.event_of(status, kind)
        head = f'{event.model_dump_json(exclude={"status"})[:-1]},"status":'
        arguments = [*self._board.put_arguments(status), head, *channels_of(status)]
        return Step(self._tell, put_keys(status), arguments)
