"""Where the objects of a job lie in the store.

::

    open/<id>                          marks a job that is not finished; written first, removed last
    outbox/<id>                        marks a job whose end has yet to be passed on (pipeline.channels.keys)
    keys/<sha256 of key>               the job that an idempotency key stands for
    uploads/<id>-<name>                an input that the client brought along, or that a browser has sent
    uploads/<id>/upload.json           a browser has begun to send it; then the id is the upload's, of no job
    uploads/<id>/finished.json         all of it is there and verified; a job can have it as its input
    uploads/<id>/used                  when a job last took it as its input
    jobs/<id>/job.json                 the manifest; the job is accepted when it is there
    jobs/<id>/attempt-<n>.json         attempt n was taken up; n is the fence
    jobs/<id>/attempt-<n>.outcome.json  attempt n ended without a result, and how
    jobs/<id>/retry-<n>.json           somebody asked for another round after attempt n
    jobs/<id>/output-<n>-<name>        what attempt n made; visible only through the result
    parts/<id>/<n>/…                   what attempt n composes its output of, in a bucket; gone afterwards
    bands/<id>/<n>/…                   the bands of attempt n at a large job; gone when the job has ended
    jobs/<id>/result.json              the result; create-only
    jobs/<id>/failed.json              the job failed or is a dead letter
    jobs/<id>/cancelled.json           the job is to stop, or has stopped
    jobs/<id>/removing                 somebody has asked for all of the job to be removed
    notify/…                           how people want to be told, and what they were (pipeline.channels.keys)
    presets/own/<user>/<name>.json     a pipeline that a user has saved; both are digests
    presets/shared/<user>/<name>.json  the same, for everybody to see
    alerts/state.json                  which alerts hold, and which did lately (pipeline.alerts)
    alerts/beat                        written over and over, to see whether the store takes what it is given

What the store says of a job follows from these alone: a result counts before a cancellation, that
before a failure, and a manifest with none of them is a job that waits or is being worked on.

All of a job lies in one folder, so that one listing tells all about it, and on a disk a new record
costs no new folder, each of which would have to be put on the disk as well.
"""

import hashlib
import re
import secrets
from datetime import UTC, datetime

OPEN = "open/"
OUTBOX = "outbox/"
NOTIFY = "notify/"
UPLOADS = "uploads/"
PARTS = "parts/"
BANDS = "bands/"
PRESETS = "presets/"
ALERTS = "alerts/"
RECORDS = ("jobs/", "keys/", OPEN, OUTBOX, NOTIFY, UPLOADS, PARTS, BANDS, PRESETS, ALERTS)
"""What the service keeps for itself; everything else in the store is its users'."""

_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_RANDOM_CHARS = 10
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z2-9]{10}")
_DATA = re.compile(rf"(?:{UPLOADS}({_ID.pattern})-|jobs/({_ID.pattern})/output-).+")
_OF_A_JOB = re.compile(rf"(?:{UPLOADS}|{PARTS}|{BANDS}|jobs/)({_ID.pattern})[-/]")
_ATTEMPT = re.compile(r"attempt-([0-9]{4,})\.json")
_NAME_CHARS = 120
_UNSAFE = re.compile(r"[^\w.,()@+=-]+")


def new_job_id(created_at: datetime) -> str:
    """Return an unused id; ids sort by the second in which they were made."""
    # Five bits of each byte: the alphabet has 32 letters.
    tail = "".join(_ID_ALPHABET[byte % 32] for byte in secrets.token_bytes(_ID_RANDOM_CHARS))
    return f"{created_at:%Y%m%d-%H%M%S}-{tail}"


def is_job_id(text: str) -> bool:
    """Whether ``text`` has the form of an id; anything else never reaches the store."""
    return _ID.fullmatch(text) is not None


def safe_name(name: str) -> str:
    """Return the last part of a path, fit for a key: no separators, blanks or control characters."""
    last = re.split(r"[/\\]", name)[-1]
    cleaned = _UNSAFE.sub("_", last).lstrip(".")
    stem, dot, suffix = cleaned.rpartition(".")
    if len(cleaned) > _NAME_CHARS and dot:
        cleaned = stem[: _NAME_CHARS - len(suffix) - 1] + dot + suffix
    return cleaned[:_NAME_CHARS] or "image"


def open_key(job_id: str) -> str:
    """Key of the marker of an unfinished job."""
    return f"{OPEN}{job_id}"


def outbox_key(job_id: str) -> str:
    """Key of the marker of a job whose end has yet to be passed on."""
    return f"{OUTBOX}{job_id}"


def idempotency_key(key: str, user: str) -> str:
    """Key of the object that says which job a user's idempotency key stands for."""
    digest = hashlib.sha256(f"{user}\x00{key}".encode()).hexdigest()
    return f"keys/{digest}"


def upload_key(job_id: str, name: str) -> str:
    """Key of an uploaded input."""
    return f"{UPLOADS}{job_id}-{safe_name(name)}"


def upload_record_key(upload_id: str) -> str:
    """Key of the record that an upload has begun."""
    return f"{UPLOADS}{upload_id}/upload.json"


def upload_finished_key(upload_id: str) -> str:
    """Key of the record that an upload is whole and verified."""
    return f"{UPLOADS}{upload_id}/finished.json"


def upload_used_key(upload_id: str) -> str:
    """Key of the mark whose time tells when an upload last became an input."""
    return f"{UPLOADS}{upload_id}/used"


def job_of(key: str) -> str | None:
    """Return the job that an object of the service belongs to; None for the key of anything else."""
    found = _OF_A_JOB.match(key)
    return found[1] if found else None


def job_of_name(name: str) -> str | None:
    """Return the job whose id a file's name begins with, if any."""
    found = _ID.match(name)
    return found[0] if found else None


def made_at(job_id: str) -> datetime:
    """Return the second in which an id was made."""
    return datetime.strptime(job_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)


def owner_of_data(key: str) -> str | None:
    """Return the job that an upload or an output is of; None for the key of anything else."""
    found = _DATA.fullmatch(key)
    return (found[1] or found[2]) if found else None


def job_prefix(job_id: str) -> str:
    """Return what the keys of a job's records start with."""
    return f"jobs/{job_id}/"


def places_of(job_id: str) -> list[str]:
    """Return what the keys of a job's objects outside of its own folder start with."""
    return [f"{UPLOADS}{job_id}-", parts_prefix(job_id), bands_prefix(job_id)]


def removal_key(job_id: str) -> str:
    """Key of the mark of a job that is being removed."""
    return f"jobs/{job_id}/removing"


def manifest_key(job_id: str) -> str:
    """Key of the manifest."""
    return f"jobs/{job_id}/job.json"


def attempt_key(job_id: str, attempt: int) -> str:
    """Key of the record that claims an attempt's number."""
    return f"jobs/{job_id}/attempt-{attempt:04d}.json"


def attempt_of(key: str) -> int | None:
    """Return the number of the attempt that a record's key claims; None for the key of anything else."""
    found = _ATTEMPT.fullmatch(key.rpartition("/")[2])
    return int(found[1]) if found else None


def outcome_key(job_id: str, attempt: int) -> str:
    """Key of the record of how an attempt ended."""
    return f"jobs/{job_id}/attempt-{attempt:04d}.outcome.json"


def retries_prefix(job_id: str) -> str:
    """Return what the keys of a job's retries start with."""
    return f"jobs/{job_id}/retry-"


def retry_key(job_id: str, after_attempt: int) -> str:
    """Key of the record that somebody asked for another round."""
    return f"jobs/{job_id}/retry-{after_attempt:04d}.json"


def output_key(job_id: str, attempt: int, name: str) -> str:
    """Key of what an attempt made; no two attempts write to the same one."""
    return f"jobs/{job_id}/output-{attempt:04d}-{safe_name(name)}"


def parts_prefix(job_id: str, attempt: int | None = None) -> str:
    """Return what the keys of the parts of a job's attempts start with, or of one attempt's.

    They lie apart from all else, so that a lifecycle rule of the bucket can remove what is left.
    """
    return f"{PARTS}{job_id}/" if attempt is None else f"{PARTS}{job_id}/{attempt:04d}/"


def bands_prefix(job_id: str, attempt: int | None = None) -> str:
    """Return what the keys of the bands of a job's attempts start with, or of one attempt's.

    They lie apart from all else, as parts do.
    """
    return f"{BANDS}{job_id}/" if attempt is None else f"{BANDS}{job_id}/{attempt:04d}/"


def result_key(job_id: str) -> str:
    """Key of the result."""
    return f"jobs/{job_id}/result.json"


def failed_key(job_id: str) -> str:
    """Key of the failure."""
    return f"jobs/{job_id}/failed.json"


def cancelled_key(job_id: str) -> str:
    """Key of the cancellation."""
    return f"jobs/{job_id}/cancelled.json"


def presets_prefix(user: str | None, *, shared: bool) -> str:
    """Return what the keys of a user's presets begin with; of everybody's if None."""
    below = f"{PRESETS}{'shared' if shared else 'own'}/"
    return below if user is None else f"{below}{_digest(user)}/"


def preset_key(user: str, name: str, *, shared: bool) -> str:
    """Key of a user's preset; names that differ in small and capital letters alone are the same."""
    return f"{presets_prefix(user, shared=shared)}{_digest(name.casefold())}.json"


def _digest(text: str) -> str:
    """Return what stands for a text of any length and letters in a key."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
