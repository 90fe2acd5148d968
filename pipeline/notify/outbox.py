"""The letters that have yet to be sent, and what became of those that were.

A letter is posted create-only, and not again once it is told. Each try is claimed create-only before
anything is sent, so that no two notifiers make the same one. Where the medium allows it, all is sent but
the last byte, then ``last`` is written down, then the byte is sent: a try that ended silently before that
mark has surely not arrived. After it nobody knows; the letter is sent again under the same id, by which
receivers tell that they have it. What became of a letter is written create-only before the letter goes.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from pipeline.channels import keys
from pipeline.channels.models import REVEAL, Letter, Told, Waiting
from pipeline.errors import ObjectExistsError, ObjectNotFoundError
from pipeline.models import ObjectInfo, now
from pipeline.notify.holder import Holder
from pipeline.ports import ObjectStore

KEPT = 200
"""What became of so many of a person's letters is kept."""

KEPT_DAYS = 7
"""And of all letters of so many days: while their tidings may be come upon again."""


class Claimed(BaseModel):
    """``try-<n>.json``: who began a try."""

    model_config = ConfigDict(frozen=True)

    holder: Holder


class Failed(BaseModel):
    """``failed-<n>.json``: why a try was in vain; ``unclear`` if it may have arrived all the same."""

    model_config = ConfigDict(frozen=True)

    error: str
    unclear: bool = False


@dataclass
class Due:
    """What a listing tells of a letter: when it was posted, and the parts of each try with their times."""

    id: str
    posted_at: datetime | None = None
    tries: dict[int, dict[str, datetime]] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The number of the newest try, 0 before the first."""
        return max(self.tries, default=0)

    @property
    def newest(self) -> dict[str, datetime]:
        """The parts of the newest try."""
        return self.tries.get(self.number, {})

    @property
    def failed_at(self) -> datetime | None:
        """When the newest try failed, None if it has not."""
        return self.newest.get("failed")


class Outbox:
    """Letters in a store; every method may raise StoreError. Safe between threads and processes."""

    def __init__(self, store: ObjectStore, holder: Holder | None = None) -> None:
        """Keep the letters in ``store``, and claim them for ``holder``, by default this process."""
        self._store = store
        self._holder = holder or Holder.here()

    def post(self, letter: Letter) -> bool:
        """Put a letter into the outbox; False if it is there or has been told already."""
        if self.is_told(letter.id):
            return False
        try:
            self._put(keys.due_key(letter.id), letter)
        except ObjectExistsError:
            return False
        return True

    def due(self) -> list[Due]:
        """Return the letters that have yet to be sent, the oldest first, by one listing."""
        return letters_of(self._store.list(keys.DUE))

    def look_up(self, letter_id: str) -> Due:
        """Return what is known of one letter now."""
        found = letters_of(self._store.list(f"{keys.DUE}{letter_id}."))
        return found[0] if found else Due(letter_id)

    def letter(self, letter_id: str) -> Letter | None:
        """Return a letter that has yet to be sent, None where there is none."""
        with suppress(ObjectNotFoundError):
            return Letter.model_validate_json(self._store.get_bytes(keys.due_key(letter_id)))
        return None

    def claim(self, letter_id: str, number: int) -> bool:
        """Begin a try; False if somebody else has, or has made it and cleared it away by now."""
        try:
            self._put(keys.due_key(letter_id, "try", number), Claimed(holder=self._holder))
        except ObjectExistsError:
            return False
        if self.is_told(letter_id):
            self.clear(self.look_up(letter_id))
            return False
        return True

    def is_held(self, due: Due, at: datetime) -> bool:
        """Whether somebody else may be at a letter's newest try: neither failed nor surely dead."""
        begun = due.newest.get("try")
        if begun is None or due.failed_at is not None:
            return False
        try:
            data = self._store.get_bytes(keys.due_key(due.id, "try", due.number))
        except ObjectNotFoundError:
            return False
        holder = Claimed.model_validate_json(data).holder
        return holder.name != self._holder.name and not holder.is_gone(begun, at)

    def mark_last(self, letter_id: str, number: int) -> None:
        """Write down that a try may arrive from now on."""
        self._store.put_bytes(keys.due_key(letter_id, "last", number), b"")

    def fail(self, letter_id: str, number: int, failed: Failed) -> None:
        """Write down that a try was in vain."""
        with suppress(ObjectExistsError):
            self._put(keys.due_key(letter_id, "failed", number), failed)

    def failure(self, due: Due, number: int) -> Failed | None:
        """Return why a try was in vain, None where nobody has said so."""
        if "failed" in due.tries.get(number, {}):
            with suppress(ObjectNotFoundError):
                data = self._store.get_bytes(keys.due_key(due.id, "failed", number))
                return Failed.model_validate_json(data)
        return None

    def finish(self, told: Told) -> None:
        """Write down what became of a letter, and take it out of the outbox; the first word stays."""
        with suppress(ObjectExistsError):
            self._put(keys.told_key(told.letter.id), told)
        self.clear(self.look_up(told.letter.id))

    def clear(self, due: Due) -> None:
        """Take a letter out of the outbox: its tries first, so that none is left without it."""
        for number, parts in due.tries.items():
            for part in parts:
                self._store.delete(keys.due_key(due.id, part, number), durable=False)
        self._store.delete(keys.due_key(due.id), durable=False)

    def is_told(self, letter_id: str) -> bool:
        """Whether it is written down what became of a letter."""
        return self._store.stat(keys.told_key(letter_id)) is not None

    def told(self, user: str, letter_id: str) -> Told | None:
        """Return what became of a letter of a user, None where that is not known, or it is another's."""
        if not keys.is_letter_id(letter_id) or keys.person_in(letter_id) != keys.person_of(user):
            return None
        with suppress(ObjectNotFoundError):
            return Told.model_validate_json(self._store.get_bytes(keys.told_key(letter_id)))
        return None

    def latest(self, user: str, limit: int) -> list[Told]:
        """Return what became of a user's last letters, the newest first."""
        found = [info.key for info in self._store.list(keys.told_prefix(keys.person_of(user)))]
        ids = (key.rpartition("/")[2].removesuffix(".json") for key in reversed(found[-limit:]))
        return [told for one in ids if (told := self.told(user, one)) is not None]

    def waiting(self, user: str) -> list[Waiting]:
        """Return a user's letters that are on their way, the oldest first."""
        mine = [due for due in self.due() if keys.person_in(due.id) == keys.person_of(user)]
        read = ((due, self.letter(due.id)) for due in mine)
        return [
            Waiting(letter=letter, tries=due.number, error=failed.error if failed else None)
            for due, letter in read
            if letter is not None
            for failed in [self.failure(due, due.number)]
        ]

    def forget(self, at: datetime | None = None) -> int:
        """Remove what became of letters beyond :data:`KEPT` and :data:`KEPT_DAYS`; return how many."""
        by_person: dict[str, list[ObjectInfo]] = {}
        for info in self._store.list(keys.TOLD):
            by_person.setdefault(info.key.split("/")[2], []).append(info)
        old = [
            info
            for found in by_person.values()
            for info in found[:-KEPT]
            if ((at or now()) - info.updated_at).days >= KEPT_DAYS
        ]
        for info in old:
            self._store.delete(info.key, durable=False)
        return len(old)

    def _put(self, key: str, record: BaseModel) -> None:
        self._store.put_bytes(key, record.model_dump_json(context=REVEAL).encode(), create_only=True)


def letters_of(listing: Iterable[ObjectInfo]) -> list[Due]:
    """Return the letters of a listing of :data:`pipeline.channels.keys.DUE`, in order of their ids."""
    found: dict[str, Due] = {}
    for letter_id, part, number, info in _parts(listing):
        due = found.setdefault(letter_id, Due(letter_id))
        if part == "letter":
            due.posted_at = info.updated_at
        else:
            due.tries.setdefault(number, {})[part] = info.updated_at
    return list(found.values())


def _parts(listing: Iterable[ObjectInfo]) -> Iterator[tuple[str, str, int, ObjectInfo]]:
    for info in listing:
        named = keys.part_of(info.key)
        if named is not None:
            yield *named, info
