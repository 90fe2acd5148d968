"""How people want to be told, kept in the store: a choice survives the loss of Redis."""

import threading
import uuid
from contextlib import suppress
from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from pipeline.channels import keys
from pipeline.channels.addresses import Rules, checked
from pipeline.channels.models import CHOSEN_AT_FIRST, REVEAL, Channel, Choices, Kind, Medium
from pipeline.errors import ChoiceError, ObjectNotFoundError, ServiceError
from pipeline.ports import ObjectStore

MOST_CHANNELS = 10
_ID_CHARS = 12
_changing = threading.Lock()
"""Held from the reading of somebody's choices until they are written anew, whichever book does it."""


class ChoiceBook:
    """The choices of all people; every method may raise StoreError.

    One process changes them, the page's, with any number of threads.
    """

    def __init__(self, store: ObjectStore, rules: Rules) -> None:
        """Keep them in ``store``; what may be an address is up to ``rules``."""
        self._store = store
        self.rules = rules

    def of(self, user: str) -> Choices:
        """Return how a user wants to be told; what everybody begins with where they have not said."""
        found = self._read(keys.choices_key(user))
        return found if found is not None and found.user == user else Choices(user=user)

    def keep(self, choices: Choices) -> Choices:
        """Write somebody's choices down, durable on return; return them."""
        data = choices.model_dump_json(context=REVEAL).encode()
        self._store.put_bytes(keys.choices_key(choices.user), data)
        return choices

    def add(
        self, user: str, medium: Medium, address: str, kinds: frozenset[Kind] = CHOSEN_AT_FIRST
    ) -> Channel:
        """Give a user one more channel. Raises ChoiceError where it cannot be one."""
        address, shown = checked(medium, address.strip(), user, self.rules)
        made = Channel(
            id=uuid.uuid4().hex[:_ID_CHARS],
            medium=medium,
            address=SecretStr(address),
            shown=shown,
            kinds=kinds,
        )
        with _changing:
            choices = self.of(user)
            if len(choices.channels) >= MOST_CHANNELS:
                raise ChoiceError(
                    f"there are {MOST_CHANNELS} ways to be told already, the most; remove one first"
                )
            if any(one.address.get_secret_value() == address for one in choices.channels):
                raise ChoiceError(f"{shown} is among your ways to be told already")
            self.keep(choices.model_copy(update={"channels": (*choices.channels, made)}))
        return made

    def change(self, user: str, channel: Channel) -> None:
        """Write one of a user's channels anew; one that is gone stays gone, its address stays as it is."""
        with _changing:
            choices = self.of(user)
            changed = tuple(
                channel.model_copy(update={"address": one.address, "medium": one.medium, "shown": one.shown})
                if one.id == channel.id
                else one
                for one in choices.channels
            )
            self.keep(choices.model_copy(update={"channels": changed}))

    def remove(self, user: str, channel_id: str) -> None:
        """Take a channel away from a user."""
        with _changing:
            choices = self.of(user)
            left = tuple(one for one in choices.channels if one.id != channel_id)
            self.keep(choices.model_copy(update={"channels": left}))

    def show(self, user: str, *, page: frozenset[Kind], browser: frozenset[Kind]) -> None:
        """Choose what the page shows a user in passing, and what the browser does."""
        with _changing:
            self.keep(self.of(user).model_copy(update={"page": page, "browser": browser}))

    def _read(self, key: str) -> Choices | None:
        with suppress(ObjectNotFoundError):
            data = self._store.get_bytes(key)
            try:
                return Choices.model_validate_json(data)
            except ValidationError:
                # What is wrong with it may say what is in it.
                raise ServiceError(f"{key} is no choice of this version; remove it to begin anew") from None
        return None


class Seen(BaseModel):
    """``notify/seen/<person>.json``: the notices of what happened until then have been looked at."""

    model_config = ConfigDict(frozen=True)

    until: datetime
