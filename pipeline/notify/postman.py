"""Takes letters to where they go: which are due, by what they go, and what becomes of them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from pipeline import logs
from pipeline.channels import keys
from pipeline.channels.models import Letter, Medium, Outcome, Told
from pipeline.errors import DeliveryError, HalorowError, JobNotFoundError
from pipeline.models import now
from pipeline.notify import pace
from pipeline.notify.choices import ChoiceBook
from pipeline.notify.outbox import Due, Failed, Outbox
from pipeline.notify.sender import Sender
from pipeline.records.jobs import JobRecords

MOST_WAYS_OF_A_PERSON = 3
"""Channels of one person that are used at the same time, so that slow receivers hold up nobody else."""

REMOVED = "the channel was removed or switched off"


@dataclass
class _Way:
    """What is remembered of a channel while the notifier lives: its pace, and how long it is left alone."""

    bucket: pace.Bucket
    rest_until_s: float = 0.0
    failures: int = 0


class Postman:
    """Sends what is in an outbox, each channel's letters in order; safe between threads."""

    def __init__(
        self, outbox: Outbox, book: ChoiceBook, records: JobRecords, sender: Sender, *, per_minute: int = 0
    ) -> None:
        """Send at most ``per_minute`` mails and chat messages through one channel; 0 is no limit."""
        self._outbox = outbox
        self._book = book
        self._records = records
        self._sender = sender
        self._per_minute = per_minute
        self._ways: dict[str, _Way] = {}
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._log = logs.get_logger(part="notifier")

    def stop(self) -> None:
        """Begin no more tries."""
        self._stopping.set()

    def look(self, due: list[Due], senders: Executor, done: Callable[[], None]) -> None:
        """Have those of the letters sent whose time has come; ``done`` is called when one channel's are."""
        at = now()
        by_way: dict[str, list[Due]] = {}
        for one in due:
            if one.posted_at is not None and pace.is_due(one.number, one.failed_at, at):
                by_way.setdefault(keys.way_of(one.id), []).append(one)
        for way, letters in by_way.items():
            if self._take(way):
                senders.submit(self._drain, way, letters, done)

    def _take(self, way: str) -> bool:
        """Whether a channel may be used now; if so nobody else does."""
        person = way.partition("-")[0]
        with self._lock:
            rest_until_s = self._ways[way].rest_until_s if way in self._ways else 0.0
            used = sum(one.startswith(person) for one in self._busy)
            if way in self._busy or used >= MOST_WAYS_OF_A_PERSON or time.monotonic() < rest_until_s:
                return False
            self._busy.add(way)
            return True

    def _drain(self, way: str, letters: list[Due], done: Callable[[], None]) -> None:
        try:
            for due in letters:
                if self._stopping.is_set() or not self._one(way, due):
                    break
        except Exception as error:  # noqa: BLE001  (the letter stays, and others must not wait for it)
            self._log.warning("cannot pass on now", kind=type(error).__name__, error=str(error))
            self._rest(way)
        finally:
            with self._lock:
                self._busy.discard(way)
            done()

    def _one(self, way: str, due: Due) -> bool:
        """Try a letter; False if its channel is to be left alone for now."""
        letter = self._outbox.letter(due.id)
        if letter is None or self._outbox.is_told(due.id):
            self._outbox.clear(due)
            return True
        if self._outbox.is_held(due, now()):
            return True
        address, shown = self._address(letter)
        if address is None:
            self._finish(letter, due, Outcome.DROPPED, shown, REMOVED)
            return True
        if not self._paced(way, letter.medium):
            return False
        number = due.number + 1
        if not self._outbox.claim(letter.id, number):
            return True
        return self._try(way, due, letter, (address, shown))

    def _try(self, way: str, due: Due, letter: Letter, to: tuple[str, str]) -> bool:
        address, shown = to
        number = due.number + 1
        again = self._unclear(due) > 0
        try:
            self._send(letter, address, number, again=again)
        except DeliveryError as error:
            last = not error.may_pass or pace.is_last(number, due.posted_at or now(), now())
            self._log.warning("not told", letter=letter.id, to=shown, tried=number, error=str(error))
            self._outbox.fail(letter.id, number, Failed(error=str(error), unclear=error.unclear))
            if last:
                self._finish(letter, self._outbox.look_up(letter.id), Outcome.FAILED, shown, str(error))
                return True
            self._rest(way)
            return False
        self._log.info("told", letter=letter.id, to=shown, tried=number, kind=letter.tiding.kind.value)
        self._finish(letter, due, Outcome.SENT, shown, None, tries=number)
        self._ways.pop(way, None) if letter.medium is Medium.WEBHOOK else self._well(way)
        return True

    def _send(self, letter: Letter, address: str, number: int, *, again: bool) -> None:
        """Send a letter. Raises DeliveryError; StoreError where that it may arrive cannot be written down."""
        try:
            self._sender.send(
                letter,
                address,
                again=again,
                before_last=lambda: self._outbox.mark_last(letter.id, number),
            )
        except HalorowError:
            raise
        except Exception as error:  # what no part foresaw is a failed try, or it would be tried for ever
            message = f"it could not be sent ({type(error).__name__})"
            raise DeliveryError(message, may_pass=True, unclear=True) from error

    def _finish(  # noqa: PLR0917  (what a record holds)
        self,
        letter: Letter,
        due: Due,
        outcome: Outcome,
        shown: str,
        error: str | None,
        tries: int | None = None,
    ) -> None:
        told = Told(
            letter=letter,
            outcome=outcome,
            shown=shown,
            tries=due.number if tries is None else tries,
            unclear=self._unclear(due),
            error=error,
        )
        self._outbox.finish(told)

    def _unclear(self, due: Due) -> int:
        """Return how many tries may have arrived, as far as anybody knows."""
        count = 0
        for number, parts in due.tries.items():
            if "failed" not in parts:
                count += "last" in parts
            elif (failed := self._outbox.failure(due, number)) is not None:
                count += failed.unclear
        return count

    def _address(self, letter: Letter) -> tuple[str | None, str]:
        """Return where a letter goes, None if nowhere any more, and what is shown of it."""
        user = letter.tiding.user
        channel = self._book.of(user).channel(letter.channel)
        if channel is not None:
            return (channel.address.get_secret_value() if channel.on else None), channel.shown
        try:
            url = self._records.manifest(letter.tiding.job or "").webhook
        except JobNotFoundError:
            url = None
        is_its = url is not None and keys.webhook_of_job(url) == letter.channel
        return (url if is_its else None), "the job's webhook" if is_its else letter.medium.value

    def _paced(self, way: str, medium: Medium) -> bool:
        if medium is Medium.WEBHOOK:
            return True
        with self._lock:
            held = self._ways.setdefault(way, _Way(pace.Bucket(self._per_minute)))
            at_s = time.monotonic()
            if held.bucket.take(at_s):
                return True
            held.rest_until_s = at_s + 60 / self._per_minute
            return False

    def _rest(self, way: str) -> None:
        with self._lock:
            held = self._ways.setdefault(way, _Way(pace.Bucket(self._per_minute)))
            held.failures += 1
            held.rest_until_s = time.monotonic() + pace.pause_s(held.failures, pace.LONGEST_REST_S)

    def _well(self, way: str) -> None:
        with self._lock:
            if way in self._ways:
                self._ways[way].failures = 0
                self._ways[way].rest_until_s = 0.0
