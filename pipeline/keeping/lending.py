"""Whether an object may become the input of a new job: whole, verified, and not about to be removed."""

from datetime import datetime, timedelta

from pipeline import layout
from pipeline.decisions.retention import MARGIN_S
from pipeline.errors import ObjectNotFoundError
from pipeline.models import ObjectInfo, ObjectRef
from pipeline.parts import Parts
from pipeline.records import uploads as records


def lend(parts: Parts, found: ObjectRef, at: datetime) -> None:
    """Let a new job have an object as its input at the time ``at``.

    Raises ObjectNotFoundError for what is being removed, and for an upload that is not whole.
    """
    parts.retention.check_lent(found, at, parts.records.ending)
    upload_id = layout.job_of(found.key) if found.bucket is None else None
    if upload_id is None or not found.key.startswith(layout.UPLOADS):
        return
    upload = records.begun(parts.store, upload_id)
    if upload is None:  # it came along with a job
        return
    there = list(parts.store.list(f"{layout.UPLOADS}{upload_id}/"))
    if layout.upload_finished_key(upload_id) not in {info.key for info in there}:
        raise ObjectNotFoundError(f"{upload.name} is not uploaded to its end; send the rest, or add it again")
    life_s = parts.retention.inputs_s
    if life_s and at - last_use(there) >= timedelta(seconds=life_s - MARGIN_S):
        raise ObjectNotFoundError(
            f"{upload.name} is being removed: uploads are kept for {life_s / 86_400:g} days after their last"
            " use; add it again"
        )
    records.note_used(parts.store, upload_id)


def last_use(found: list[ObjectInfo]) -> datetime:
    """Return when an upload, of which these are the objects, was begun, ended or last made an input."""
    return max(info.updated_at for info in found)
