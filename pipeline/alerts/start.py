"""The alerts of a service that runs, watched from a thread of whoever passes them on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from pipeline.alerts.book import AlertBook
from pipeline.alerts.lookout import Lookout
from pipeline.alerts.loop import AlertLoop, Tell
from pipeline.alerts.rules import rules_of
from pipeline.config import Settings
from pipeline.parts import Parts
from pipeline.ports import OperatorBoard
from pipeline.redis.connection import answers, connect
from pipeline.redis.operators import RedisOperatorBoard
from pipeline.stores.registry import local_folder

END_S = 5.0
"""How long the end waits for a look that is under way."""


@contextmanager
def watched(settings: Settings, parts: Parts, tell: Tell) -> Iterator[None]:
    """Apply the rules while the block lasts, and ``tell`` of what is raised and cleared.

    ``tell`` may be called again for the same ``id``, ``since`` and ``state`` after a crash.
    """
    # Not patient: that Redis is away is to be seen soon, and what else is wrong meanwhile.
    client = connect(settings.redis_url.get_secret_value(), patience_s=0.0)
    loop = alert_loop(settings, parts, tell, RedisOperatorBoard(client))
    thread = threading.Thread(target=loop.run, name="alerts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.stop()
        thread.join(END_S)
        client.close()


def alert_loop(settings: Settings, parts: Parts, tell: Tell, board: OperatorBoard) -> AlertLoop:
    """Return what applies the rules of ``settings`` to ``parts``, and posts alerts on ``board``."""
    redis_answers = partial(answers, settings.redis_url.get_secret_value())
    return AlertLoop(
        AlertBook(parts.store, board),
        Lookout(parts, redis_answers, local_folder(settings.store_uri)),
        rules_of(settings),
        tell,
        clear_s=settings.alert_clear_s,
        every_s=settings.alert_look_s,
    )
