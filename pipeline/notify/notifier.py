"""The notification service: ``python -m pipeline.notify.notifier``.

It hears how jobs end and writes that to the page's notice board; what people have chosen to be told
otherwise it posts as letters, and sends these (``pipeline.notify``). Nothing is lost over a restart, or over
the loss of Redis: what has yet to be passed on is marked in the store (``outbox/``), which is looked through
at the start, at every ending and every now and then. Beside that it watches over the service
(``pipeline.alerts``).
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from pipeline import layout, logs
from pipeline.alerts.start import watched
from pipeline.channels import keys
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.errors import HalorowError, QueueUnavailableError, SettingsError, StoreError
from pipeline.models import JobStatus, Notice
from pipeline.notify import tidings
from pipeline.notify.choices import ChoiceBook
from pipeline.notify.fanout import Fanout
from pipeline.notify.news import announce
from pipeline.notify.outbox import Outbox, letters_of
from pipeline.notify.postman import Postman
from pipeline.notify.rests import Rests
from pipeline.notify.sender import Sender, sender_of
from pipeline.parts import Parts
from pipeline.ports import BucketStore, Subscription

LISTEN_S = 0.5
GATHER_S = 0.1
"""How long an ending may wait for others, to be told of together."""

LOOK_S = 1.0
LOOK_IN_BUCKET_S = 10.0
"""How often the outbox is looked through when nothing is heard; a bucket's listings cost money."""

SWEEP_S = 30.0
FORGET_S = 3600.0
BATCH_S = 10.0
SENDERS = 8
RECENT_JOBS = 200
AWAY_S = 1.0


def notice_of(status: JobStatus) -> Notice:
    """Return what the page is to say of the end of a job."""
    return tidings.notice_of(tidings.of_job(status))


class Notifier:
    """Passes on what happens; :meth:`run` does so until :meth:`stop`."""

    def __init__(
        self,
        parts: Parts,
        sender: Sender,
        *,
        operators: tuple[str, ...] = (),
        per_minute: int = 0,
    ) -> None:
        """Tell ``operators`` of alerts; ``per_minute`` mails and chat messages by a channel, 0 any number."""
        self._parts = parts
        self._outbox = Outbox(parts.store)
        book = ChoiceBook(parts.store, sender.rules)
        self._fanout = Fanout(parts, self._outbox, book, operators)
        self._postman = Postman(self._outbox, book, parts.records, sender, per_minute=per_minute)
        self._look_s = LOOK_IN_BUCKET_S if isinstance(parts.store, BucketStore) else LOOK_S
        self._stopping = threading.Event()
        self._more = threading.Event()
        self._due_s = {"look": 0.0, "sweep": 0.0, "forget": time.monotonic() + FORGET_S}
        self._rests = Rests()
        self._log = logs.get_logger(part="notifier")

    def stop(self) -> None:
        """Have :meth:`run` end soon."""
        self._stopping.set()
        self._postman.stop()

    def run(self) -> None:
        """Listen and pass on, until told to stop."""
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="letters") as senders:
            subscription = None
            while not self._stopping.is_set():
                try:
                    if subscription is None:
                        subscription = self._parts.bus.subscribe_endings()
                    self._round(subscription, senders)
                except (QueueUnavailableError, StoreError) as error:
                    self._log.warning("cannot pass on now", error=str(error))
                    self._stopping.wait(AWAY_S)
                    # What waits in the store goes out all the same while Redis is away.
                    with suppress(HalorowError):
                        self._look(senders)
            if subscription is not None:
                subscription.close()

    def _round(self, subscription: Subscription, senders: ThreadPoolExecutor) -> None:
        if self._is_time("sweep", SWEEP_S):
            self._sweep()
        if self._is_time("forget", FORGET_S):
            self._outbox.forget()
        if self._more.is_set() or self._is_time("look", self._look_s):
            self._more.clear()
            self._look(senders)
        event = subscription.next(LISTEN_S)
        if event is not None:
            self._post_notices([event.status, *self._others(subscription)])
            self._look(senders)

    def _is_time(self, what: str, every_s: float) -> bool:
        at = time.monotonic()
        if at < self._due_s[what]:
            return False
        self._due_s[what] = at + every_s
        return True

    def _others(self, subscription: Subscription) -> Iterator[JobStatus]:
        """Yield what ends within a moment, so that a batch is not told of one by one."""
        self._stopping.wait(GATHER_S)
        while (event := subscription.next(0.0)) is not None:
            yield event.status

    def _post_notices(self, ended: Sequence[JobStatus]) -> None:
        self._parts.notices.post_all([notice_of(status) for status in ended])

    def _sweep(self) -> None:
        """Post the notices that were missed. Raises QueueUnavailableError."""
        recent = reversed(self._parts.board.list(limit=RECENT_JOBS))
        self._post_notices([status for status in recent if status.state.is_final])

    def _look(self, senders: ThreadPoolExecutor) -> None:
        """Look through the outbox: post letters on what happened, then have those sent that are due.

        Letters go out though Redis is away: it may be what they tell of. Raises StoreError.
        """
        listing = list(self._parts.store.list(layout.OUTBOX))
        self._rests.forget_all_but({info.key for info in listing})
        posted = [self._passed_on(info.key) for info in listing if not self._rests.is_resting(info.key)]
        due = self._outbox.due() if any(posted) else letters_of(listing)
        self._postman.look(due, senders, self._more.set)

    def _passed_on(self, key: str) -> bool:
        """Do as :meth:`_pass_on`; what fails keeps its mark, and keeps nothing else from being told."""
        try:
            return self._pass_on(key)
        except (HalorowError, ValueError) as error:
            kind, passes = type(error).__name__, isinstance(error, StoreError | QueueUnavailableError)
            if self._rests.fail(key, f"{kind}: {error}", passes=passes):
                self._log.warning("cannot pass on now", mark=key, kind=kind, error=str(error))
            return True

    def _pass_on(self, key: str) -> bool:
        """Do what the mark of something that happened asks for; False for a key of anything else."""
        if key.startswith(keys.DUE):
            return False
        if key.startswith(keys.NEWS):
            self._fanout.alert(key)
        elif key.startswith(keys.BATCHES):
            return self._batch(key)
        else:
            self._fanout.job(key.removeprefix(layout.OUTBOX))
        return True

    def _batch(self, key: str) -> bool:
        self._rests.rest(key, BATCH_S)
        ended = self._fanout.batch(key)
        if ended:
            self._rests.forget(key)
        return ended


def notifier_of(settings: Settings, parts: Parts | None = None) -> Notifier:
    """Return a notifier of the service that the settings name. Raises StoreError."""
    return Notifier(
        parts or connect_parts(settings),
        sender_of(settings),
        operators=settings.operator_names,
        per_minute=settings.notify_per_minute,
    )


def main() -> int:
    """Run the service until SIGTERM or Ctrl-C; return the exit code."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.stderr.write(f"{error.public_message}\n")
        return error.exit_code
    logs.configure(settings.log_level)
    parts = connect_parts(settings)
    notifier = notifier_of(settings, parts)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: notifier.stop())
    with watched(settings, parts, partial(announce, parts.store)):
        notifier.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
