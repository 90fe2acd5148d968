"""Where one person chooses how to be told, and sees what became of it."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.access.refusals import log_refusal
from pipeline.channels import keys
from pipeline.channels.addresses import checked
from pipeline.channels.models import Channel, Choices, Kind, Letter, Medium, Told, Waiting
from pipeline.errors import ChoiceError, ObjectNotFoundError
from pipeline.extras import lack_of
from pipeline.models import Notice, now
from pipeline.notify import tidings
from pipeline.notify.choices import ChoiceBook, Seen
from pipeline.notify.fanout import letter_of
from pipeline.notify.outbox import Outbox
from pipeline.notify.webhooks import webhook_key
from pipeline.parts import Parts

MOST_ASKED = 5
"""Test messages, and letters sent again, that somebody may ask for in a minute."""

LATEST = 20


@dataclass(frozen=True)
class Desk:
    """The choices, letters and notices of ``user``; every method may raise StoreError."""

    parts: Parts
    book: ChoiceBook
    user: str
    link_secret: bytes = field(repr=False)

    @property
    def outbox(self) -> Outbox:
        """The letters of everybody."""
        return Outbox(self.parts.store)

    def choices(self) -> Choices:
        """Return how the user wants to be told."""
        return self.book.of(self.user)

    def keep(self, *, page: frozenset[Kind], browser: frozenset[Kind]) -> None:
        """Choose what the page shows in passing, and what the browser does."""
        self.book.show(self.user, page=page, browser=browser)

    def add(self, medium: Medium, address: str) -> Channel:
        """Add a channel. Raises ChoiceError, which names no secret."""
        with self._refusing():
            if medium is Medium.CHAT:
                checked(medium, address.strip(), self.user, self.book.rules)
                _check_with_apprise(address.strip())
            return self.book.add(self.user, medium, address)

    def change(self, channel: Channel) -> None:
        """Write a channel anew: its events, and whether it is on; its address stays."""
        self.book.change(self.user, channel)

    def remove(self, channel_id: str) -> None:
        """Take a channel away."""
        self.book.remove(self.user, channel_id)

    def test(self, channel_id: str) -> Letter:
        """Have a test message sent through a channel. Raises ChoiceError where it cannot be."""
        with self._refusing():
            channel = self._channel(channel_id)
            tiding = tidings.of_test(self.user, uuid.uuid4().hex)
            return self._post(letter_of(tiding, channel.id, channel.medium))

    def send_again(self, letter_id: str) -> Letter:
        """Have a letter sent once more, under an id of its own. Raises ChoiceError."""
        with self._refusing():
            told = self.outbox.told(self.user, letter_id)
            if told is None:
                raise ChoiceError("this message is not known any more")
            tiding = told.letter.tiding
            fresh = tiding.model_copy(update={"id": f"{tiding.id}:again:{uuid.uuid4().hex}", "at": now()})
            return self._post(letter_of(fresh, told.letter.channel, told.letter.medium))

    def latest(self, limit: int = LATEST) -> list[Told]:
        """Return what became of the last letters, the newest first."""
        return self.outbox.latest(self.user, limit)

    def waiting(self) -> list[Waiting]:
        """Return the letters that are on their way."""
        return self.outbox.waiting(self.user)

    def webhook_key(self) -> str:
        """Return the key by which the user's receivers check the signatures of webhooks."""
        return webhook_key(self.link_secret, self.user).decode()

    def notices(self, after: str | None = None) -> list[Notice]:
        """Return the notices since the one with the id ``after``. Raises QueueUnavailableError."""
        return self.parts.notices.read(self.user, after)

    def seen(self) -> datetime | None:
        """Return up to when the user has looked at their notices, None if they never have."""
        try:
            return Seen.model_validate_json(self.parts.store.get_bytes(keys.seen_key(self.user))).until
        except ObjectNotFoundError:
            return None

    def mark_read(self, notices: Sequence[Notice]) -> bool:
        """Remember that the user has looked at these notices; False if they had before."""
        latest = max((notice.at for notice in notices), default=None)
        seen = self.seen()
        if latest is None or (seen is not None and latest <= seen):
            return False
        record = Seen(until=latest).model_dump_json().encode()
        self.parts.store.put_bytes(keys.seen_key(self.user), record, durable=False)
        return True

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Log what is refused to the user."""
        try:
            yield
        except ChoiceError as error:
            log_refusal("being told", error, person=self.user)
            raise

    def _channel(self, channel_id: str) -> Channel:
        channel = self.choices().channel(channel_id)
        if channel is None:
            raise ChoiceError("this way to be told was removed; reload the page")
        if not channel.on:
            raise ChoiceError(f"{channel.shown} is switched off; switch it on first")
        return channel

    def _post(self, letter: Letter) -> Letter:
        """Post a letter that the user has asked for, unless they have asked for many just now."""
        since = now() - timedelta(minutes=1)
        asked = [waiting.letter for waiting in self.waiting()]
        asked += [told.letter for told in self.latest(5 * MOST_ASKED)]
        recent = sum(one.posted_at > since and _is_asked_for(one) for one in asked)
        if recent >= MOST_ASKED:
            raise ChoiceError(
                f"{MOST_ASKED} messages were asked for within a minute, the most; wait a little"
            )
        self.outbox.post(letter)
        return letter


def _is_asked_for(letter: Letter) -> bool:
    return letter.tiding.kind is Kind.TEST or ":again:" in letter.tiding.id


def _check_with_apprise(address: str) -> None:
    """Raise ChoiceError where Apprise is not there, or does not understand an address that may be one."""
    lack = lack_of("apprise", "being told by a chat")
    if lack is not None:
        raise ChoiceError(lack)
    from pipeline.notify.chat import plugin_of  # noqa: PLC0415  (Apprise takes half a second to load)

    if plugin_of(address) is None:
        raise ChoiceError("Apprise does not understand this address; docs/notifications.md has examples")
