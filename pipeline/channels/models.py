"""What is written down about being told: choices, tidings, letters and what became of them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer
from pydantic_core.core_schema import SerializationInfo

from pipeline.models import now

REVEAL = {"reveal": True}
"""The context in which a model is written with its secrets: for the store alone."""


class Kind(StrEnum):
    """What a tiding is about."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GIVEN_UP = "given up"
    BATCH = "batch"
    ALERT = "alert"
    TEST = "test"


CHOSEN_AT_FIRST = frozenset({Kind.DONE, Kind.FAILED, Kind.GIVEN_UP, Kind.ALERT})
"""What a new channel tells of, unless its owner says otherwise."""


class Medium(StrEnum):
    """What a channel is."""

    MAIL = "e-mail"
    CHAT = "chat"
    WEBHOOK = "webhook"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Channel(_Model):
    """A way by which somebody is told.

    ``address`` is a mail address, an Apprise URL or a webhook's URL. Whoever has it may write to where it
    leads, so it is written out for the store alone; everybody else sees ``shown``.
    """

    id: str
    medium: Medium
    address: SecretStr
    shown: str
    kinds: frozenset[Kind] = CHOSEN_AT_FIRST
    on: bool = True

    @field_serializer("address")
    def _hidden(self, address: SecretStr, info: SerializationInfo) -> str:
        return address.get_secret_value() if info.context == REVEAL else str(address)

    @field_serializer("kinds")
    def _sorted(self, kinds: frozenset[Kind]) -> list[str]:
        return sorted(kinds)

    def wants(self, kind: Kind) -> bool:
        """Whether a tiding of a kind goes this way; a test always does."""
        return self.on and (kind is Kind.TEST or kind in self.kinds)


class Choices(_Model):
    """``notify/people/<person>.json``: how somebody wants to be told.

    ``page`` and ``browser`` are what the page shows in passing, and what the browser does.
    """

    version: int = 1
    user: str
    channels: tuple[Channel, ...] = ()
    page: frozenset[Kind] = frozenset(Kind) - {Kind.BATCH}
    browser: frozenset[Kind] = frozenset()

    @field_serializer("page", "browser")
    def _sorted(self, kinds: frozenset[Kind]) -> list[str]:
        return sorted(kinds)

    def channel(self, channel_id: str) -> Channel | None:
        """Return a channel by its id, None where it is gone."""
        return next((one for one in self.channels if one.id == channel_id), None)

    def wanting(self, kind: Kind) -> tuple[Channel, ...]:
        """Return the channels that a tiding of a kind goes through."""
        return tuple(one for one in self.channels if one.wants(kind))


class Tiding(_Model):
    """Something to be told; ``id`` is the same for the same, whoever comes upon it and however often.

    ``title`` is a line, ``text`` what follows it; ``payload`` is what programs are told. ``user`` is who
    is to be told, ``job`` whose end it is, if it is that of one.
    """

    id: str
    kind: Kind
    user: str
    at: datetime = Field(default_factory=now)
    title: str
    text: str = ""
    payload: dict[str, Any] = Field(default_factory=dict)
    job: str | None = None


class Letter(_Model):
    """A tiding on its way through one channel; ``id`` is what receivers know it by."""

    id: str
    channel: str
    medium: Medium
    tiding: Tiding
    posted_at: datetime = Field(default_factory=now)


class Outcome(StrEnum):
    """What became of a letter."""

    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class Told(_Model):
    """What became of a letter in the end.

    ``tries`` are all, ``unclear`` those of them of which nobody knows whether they arrived.
    """

    letter: Letter
    outcome: Outcome
    shown: str
    tries: int
    unclear: int = 0
    error: str | None = None
    at: datetime = Field(default_factory=now)


class Waiting(_Model):
    """A letter that is still on its way: how often it was tried, and what went wrong last."""

    letter: Letter
    tries: int
    error: str | None = None
