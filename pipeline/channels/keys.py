"""Where being told is written down in the store.

::

    outbox/<job>                       marks a job whose end has yet to be passed on
    outbox/news/<tiding>.json          something that happened and has yet to be passed on
    outbox/batch/<person>-<digest>.json  marks a batch whose end is to be told when it comes
    outbox/due/<letter>.letter.json    a letter that has yet to be sent
    outbox/due/<letter>.try-<n>.json   somebody began try n; create-only
    outbox/due/<letter>.last-<n>       try n may have arrived from here on
    outbox/due/<letter>.failed-<n>.json  try n has failed
    notify/people/<person>.json        how somebody wants to be told
    notify/seen/<person>.json          up to when somebody has looked at their notices
    notify/told/<person>/<letter>.json   what became of a letter; create-only
"""

import hashlib
import re
from datetime import UTC, datetime

from pipeline.layout import NOTIFY, OUTBOX

DUE = f"{OUTBOX}due/"
NEWS = f"{OUTBOX}news/"
BATCHES = f"{OUTBOX}batch/"
PEOPLE = f"{NOTIFY}people/"
TOLD = f"{NOTIFY}told/"

_PERSON_CHARS = 32
_CHANNEL_CHARS = 10
_TIDING_CHARS = 16
_LETTER = re.compile(r"\d{8}-\d{12}-[0-9a-f]{32}-[0-9a-f]{10}-[0-9a-f]{16}")
_PART = re.compile(rf"({_LETTER.pattern})\.(letter|try|last|failed)(?:-(\d{{4}}))?(?:\.json)?")


def _digest(text: str, characters: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:characters]


def person_of(user: str) -> str:
    """Return what a user's records are kept under: names may hold anything."""
    return _digest(user, _PERSON_CHARS)


def choices_key(user: str) -> str:
    """Key of how a user wants to be told."""
    return f"{PEOPLE}{person_of(user)}.json"


def seen_key(user: str) -> str:
    """Key of up to when a user has looked at their notices."""
    return f"{NOTIFY}seen/{person_of(user)}.json"


def webhook_of_job(url: str) -> str:
    """Return what stands for the webhook that a job itself names, in place of a channel's id."""
    return f"job-{_digest(url, _CHANNEL_CHARS)}"


def letter_id(tiding_id: str, at: datetime, user: str, channel: str) -> str:
    """Return the id of a letter: the same for the same tiding and channel, in order of time.

    It begins with the tiding's microsecond; its user and channel can be told by it.
    """
    what = _digest(f"{tiding_id}\x00{user}\x00{channel}", _TIDING_CHARS)
    return f"{at.astimezone(UTC):%Y%m%d-%H%M%S%f}-{person_of(user)}-{_digest(channel, _CHANNEL_CHARS)}-{what}"


def is_letter_id(text: str) -> bool:
    """Whether ``text`` has the form of a letter's id; anything else never reaches the store."""
    return _LETTER.fullmatch(text) is not None


def person_in(letter: str) -> str:
    """Return whose letter it is, as :func:`person_of` gives it."""
    return letter.split("-")[2]


def way_of(letter: str) -> str:
    """Return what letters have in common that go through the same channel."""
    return "-".join(letter.split("-")[2:4])


def due_key(letter: str, part: str = "letter", number: int = 0) -> str:
    """Key of a part of a letter that has yet to be sent: the letter, a ``try``, ``last`` or ``failed``."""
    if part == "letter":
        return f"{DUE}{letter}.letter.json"
    return f"{DUE}{letter}.{part}-{number:04d}" + ("" if part == "last" else ".json")


def part_of(key: str) -> tuple[str, str, int] | None:
    """Return letter, part and number of a key below :data:`DUE`; None for any other."""
    found = _PART.fullmatch(key.removeprefix(DUE))
    return (found[1], found[2], int(found[3] or 0)) if found else None


def told_prefix(person: str) -> str:
    """Return what the keys of what became of a person's letters start with."""
    return f"{TOLD}{person}/"


def told_key(letter: str) -> str:
    """Key of what became of a letter."""
    return f"{TOLD}{person_in(letter)}/{letter}.json"


def news_key(tiding_id: str, at: datetime) -> str:
    """Key of something that happened and has yet to be passed on."""
    return f"{NEWS}{at.astimezone(UTC):%Y%m%d-%H%M%S%f}-{_digest(tiding_id, _PERSON_CHARS)}.json"


def batch_key(user: str, batch: str) -> str:
    """Key of the mark of a batch whose end is to be told."""
    return f"{BATCHES}{person_of(user)}-{_digest(batch, _TIDING_CHARS)}.json"
