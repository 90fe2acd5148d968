"""The notifier is killed, again and again, while it tells people: does everything come, and once?"""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from docs.generate.reliability_results import Run
from pipeline.channels.models import Kind, Medium, Outcome
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.embedded.redis_server import RedisServer
from pipeline.worlds.processes import end, spawn
from tests.receivers import Receivers, receiving

IMAGE = Path(__file__).parents[1] / "images" / "coins.png"
PATIENCE_S = 120.0
BEFORE = ("begun",)
"""A mail server has yet to take the address: the mail has surely not arrived. An HTTP server has the headers,
and the rest may follow before the kill strikes."""

ANY = ("begun", "arrived", "answered")
"""Also when it has all of it and has yet to answer, and when it has answered: then nobody can know."""


@dataclass
class Killer:
    """Kills the notifier at moments of deliveries, one after the other, ``times`` in all."""

    moments: Sequence[str]
    times: int
    process: object = None
    kills: Counter = field(default_factory=Counter)
    _seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    killed: threading.Event = field(default_factory=threading.Event)

    def __call__(self, medium: str, moment: str) -> None:
        """Kill at every second delivery whose moment is next in turn."""
        with self._lock:
            done = self.kills.total()
            if done >= self.times or self.killed.is_set() or self.process is None:
                return
            if moment != self.moments[done % len(self.moments)]:
                return
            self._seen += 1
            if self._seen % 2:
                return
            self.process.kill()
            self.process.wait()
            self.kills[f"{medium} {moment}"] += 1
            self.killed.set()


@dataclass(frozen=True)
class Tally:
    """How often each letter came, and how often at most it may have, for what is written down of it."""

    expected: int
    came: Counter
    allowed: dict[tuple[str, str], int]
    unsent: int

    @property
    def again(self) -> int:
        """Letters that came more than once."""
        return sum(count - 1 for count in self.came.values())

    @property
    def too_often(self) -> int:
        """Letters that came more often than tries of which nobody knew whether they had arrived explain."""
        return sum(count > self.allowed.get(name, 0) for name, count in self.came.items())

    @property
    def missing(self) -> int:
        """Letters that never came."""
        return self.expected - len(self.came)


def letters(
    folder: Path,
    *,
    kills: int,
    jobs: int,
    moments: Sequence[str] = ANY,
    media: Sequence[Medium] = tuple(Medium),
    seed: int = 1,
) -> tuple[Run, Tally]:
    """End ``jobs`` jobs and kill the notifier ``kills`` times while it tells of them by some media.

    What the chat is told has no id of a letter and is known by its job. Several media are used at the same
    time: a kill at one's moment strikes the others at any.
    """
    since_s = time.monotonic()
    killer = Killer(moments, kills)
    with receiving(killer) as receivers, redis(folder) as server:
        settings = Settings.load(
            find_service=False,
            redis_url=server.url,
            store_uri=(folder / "store").as_uri(),
            **chosen(receivers),
        )
        with Client(connect_parts(settings), settings) as client:
            desk = client.desk()
            addresses = {
                Medium.MAIL: "ann@example.org",
                Medium.WEBHOOK: receivers.webhook,
                Medium.CHAT: receivers.chat,
            }
            for medium in media:
                channel = desk.add(medium, addresses[medium])
                desk.change(channel.model_copy(update={"kinds": frozenset({Kind.CANCELLED})}))
            for _ in range(jobs):
                client.cancel(client.submit(IMAGE, "invert").id)
            watch(
                killer,
                environment(settings, receivers),
                lambda: not desk.waiting() and enough(desk, jobs, media),
            )
            tally = judge(desk, receivers, jobs * len(media))
    figures = {
        "kills": killer.kills.total(),
        "letters": tally.expected,
        "missing": tally.missing,
        "too_often": tally.too_often,
        "unsent": tally.unsent,
        "again": tally.again,
    }
    details = {"killed at": dict(killer.kills)}
    return Run("letters", seed, figures, round(time.monotonic() - since_s, 1), details), tally


def chosen(receivers: Receivers) -> dict[str, str]:
    """Return the settings that the receivers need, by name."""
    return {name.removeprefix("HALOROW_").lower(): value for name, value in receivers.environment.items()}


def environment(settings: Settings, receivers: Receivers) -> dict[str, str]:
    """Return the environment of a notifier."""
    return {
        **os.environ,
        **receivers.environment,
        "HALOROW_LOG_LEVEL": "error",
        "HALOROW_REDIS_URL": settings.redis_url.get_secret_value(),
        "HALOROW_STORE_URI": settings.store_uri,
    }


def enough(desk, jobs: int, media: Sequence[Medium]) -> bool:
    """Whether it is written down of every letter what became of it."""
    return len(desk.latest(1000)) >= jobs * len(media)


def watch(killer: Killer, env: dict[str, str], is_done) -> None:
    """Run a notifier, and another whenever it has been killed, until all is told. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S + 5 * killer.times
    while not is_done() or killer.killed.is_set():
        killer.killed.clear()
        process = spawn([sys.executable, "-m", "pipeline.notify.notifier"], env=env)
        killer.process = process
        try:
            while not killer.killed.wait(0.1) and not is_done():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not told within {PATIENCE_S:.0f} s and 5 s for each kill")
        finally:
            killer.process = None
            end(process)


def judge(desk, receivers: Receivers, expected: int) -> Tally:
    """Compare what came with what is written down."""
    told = desk.latest(1000)
    allowed = {}
    for one in told:
        name = one.letter.tiding.job if one.letter.medium is Medium.CHAT else one.letter.id
        allowed[one.letter.medium.value, name] = 1 + one.unclear
    unsent = sum(one.outcome is not Outcome.SENT for one in told)
    return Tally(expected, receivers.inbox.counts(), allowed, unsent)


@contextmanager
def redis(folder: Path):
    """Run a Redis."""
    server = RedisServer(folder / "redis")
    server.start()
    try:
        yield server
    finally:
        server.stop()
