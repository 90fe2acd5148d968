"""The parts of the service that the settings name: the store, and Redis for the rest."""

from pipeline.config import Settings
from pipeline.decisions.retry import RetryPolicy
from pipeline.parts import Parts
from pipeline.redis.connection import PATIENCE_S, connect
from pipeline.redis.events import RedisEventBus
from pipeline.redis.ledger import RedisLedger
from pipeline.redis.news import RedisNews
from pipeline.redis.notices import RedisNoticeBoard
from pipeline.redis.operators import RedisOperatorBoard
from pipeline.redis.queue import RedisQueue
from pipeline.redis.status import RedisStatusBoard
from pipeline.stores.registry import store_of


def connect_parts(settings: Settings, *, patience_s: float | None = None) -> Parts:
    """Open the store and get ready to talk to Redis, to which nothing is sent yet. Raises StoreError.

    While Redis is away a call waits for it up to ``patience_s`` seconds, by default 20.
    """
    patience_s = PATIENCE_S if patience_s is None else patience_s
    url = settings.redis_url.get_secret_value()
    client = connect(url, patience_s=patience_s)
    queue = RedisQueue(client, lease_s=settings.lease_s)
    board = RedisStatusBoard(client, finished_ttl_s=settings.finished_ttl_s)
    bus = RedisEventBus(url, patience_s=patience_s)
    ledger = RedisLedger(client)

    def close() -> None:
        client.close()
        bus.close()

    return Parts(
        store=store_of(settings),
        queue=queue,
        ledger=ledger,
        board=board,
        bus=bus,
        notices=RedisNoticeBoard(client),
        retry=RetryPolicy(max_attempts=settings.max_attempts, max_deaths=settings.max_deaths),
        heartbeat_s=settings.heartbeat_s,
        teller=RedisNews(client, queue, board, bus, ledger),
        operators=RedisOperatorBoard(client),
        places=settings.places,
        retention=settings.retention,
        close=close,
    )
