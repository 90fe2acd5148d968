"""What is written down about an upload: that it has begun, and that all of it is there and verified."""

from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline import layout
from pipeline.errors import ObjectExistsError, ObjectNotFoundError, ServiceError
from pipeline.models import now
from pipeline.ports import ObjectStore

_Record = TypeVar("_Record", bound=BaseModel)

UNFINISHED_S = 7 * 86_400.0
"""How long an upload may take in all; as long as a session of Google Cloud Storage lives."""


class Upload(BaseModel):
    """``uploads/<id>/upload.json``: an upload that has begun; never changed once written.

    ``session`` is the address to which the browser sends the bytes where the store is a bucket; who knows
    it can write the object, and nothing else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str
    user: str
    name: str
    size_bytes: int
    made_at: datetime = Field(default_factory=now)
    session: str | None = Field(default=None, repr=False)

    @property
    def key(self) -> str:
        """The key of the object that it becomes."""
        return layout.upload_key(self.id, self.name)


class Finished(BaseModel):
    """``uploads/<id>/finished.json``: all bytes are there, and have the checksum that the browser stated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload_id: str
    crc32c: str
    finished_at: datetime = Field(default_factory=now)


def begun(store: ObjectStore, upload_id: str) -> Upload | None:
    """Return the record of an upload, None where there is none. Raises StoreError."""
    return _read(store, Upload, layout.upload_record_key(upload_id)) if layout.is_job_id(upload_id) else None


def finished(store: ObjectStore, upload_id: str) -> Finished | None:
    """Return the record of an upload's end, None before it. Raises StoreError."""
    return _read(store, Finished, layout.upload_finished_key(upload_id))


def note_begun(store: ObjectStore, upload: Upload) -> None:
    """Write down that an upload has begun. Raises StoreError."""
    store.put_bytes(layout.upload_record_key(upload.id), upload.model_dump_json().encode(), create_only=True)


def note_finished(store: ObjectStore, record: Finished) -> None:
    """Write down that an upload is whole; the first note stays. Raises StoreError."""
    with suppress(ObjectExistsError):
        key = layout.upload_finished_key(record.upload_id)
        store.put_bytes(key, record.model_dump_json().encode(), create_only=True)


def note_used(store: ObjectStore, upload_id: str) -> None:
    """Write down that an upload is a job's input from now on, so that it is kept. Raises StoreError."""
    store.put_bytes(layout.upload_used_key(upload_id), b"", durable=False)


def forget(store: ObjectStore, upload: Upload) -> None:
    """Remove an upload, its records last. Raises StoreError."""
    for key in (
        layout.upload_finished_key(upload.id),
        upload.key,
        layout.upload_used_key(upload.id),
        layout.upload_record_key(upload.id),
    ):
        store.delete(key)


def _read(store: ObjectStore, model: type[_Record], key: str) -> _Record | None:
    try:
        return model.model_validate_json(store.get_bytes(key))
    except ObjectNotFoundError:
        return None
    except ValidationError as error:
        raise ServiceError(f"{key} is not a {model.__name__} of this version: {error}") from error
