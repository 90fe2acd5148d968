"""Where browsers' uploads are begun, gone on with and ended, on behalf of one person."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from pipeline import layout, sample
from pipeline.access.gate import Gate
from pipeline.access.refusals import log_refusal
from pipeline.decisions.quotas import UploadLimits
from pipeline.errors import ChecksumError, InvalidJobError, ObjectNotFoundError
from pipeline.models import now
from pipeline.parts import Parts
from pipeline.records import uploads as records
from pipeline.records.uploads import Finished, Upload
from pipeline.uploads.checksum import extended, spelled
from pipeline.uploads.staged_file import StagedFile, check_same


@dataclass(frozen=True)
class Progress:
    """How far an upload is: bytes in the store, their checksum where it is known, and whether it is whole."""

    offset: int
    crc32c: str | None
    finished: bool


NOTHING_YET = Progress(0, None, finished=False)


class Uploads:
    """Uploads of one person, or of everybody where people are not told apart.

    Another's upload is not there (ObjectNotFoundError). Every method may raise StoreError.
    """

    def __init__(self, parts: Parts, gate: Gate, user: str, limits: UploadLimits) -> None:
        """Put uploads into the store of ``parts`` for ``user``."""
        self._parts = parts
        self._store = parts.store
        self._gate = gate
        self._user = user
        self._limits = limits

    def begin(
        self, name: str, size_bytes: int, *, resume: str | None = None, origin: str | None = None
    ) -> Upload:
        """Begin an upload, or return the one of the id ``resume`` if it is of the same file and goes on.

        ``origin`` is that of the page that will send. Raises InvalidJobError for what is over a limit.
        """
        self._check(layout.safe_name(name), size_bytes)  # which any answer and any log can spell
        if resume is not None:
            with suppress(ObjectNotFoundError):
                known = self.find(resume)
                if (known.name, known.size_bytes) == (layout.safe_name(name), size_bytes):
                    return known
        upload_id = layout.new_job_id(now())
        key = layout.upload_key(upload_id, name)
        upload = Upload(
            id=upload_id,
            user=self._user,
            name=layout.safe_name(name),
            size_bytes=size_bytes,
            session=self._parts.way.begin(key, size_bytes, origin),
        )
        records.note_begun(self._store, upload)
        return upload

    def find(self, upload_id: str) -> Upload:
        """Return an upload of this person. Raises ObjectNotFoundError."""
        found = records.begun(self._store, upload_id)
        person = self._gate.person
        if found is not None and (person is None or person.may_see(found.user)):
            return found
        error = ObjectNotFoundError(f"there is no upload {upload_id} any more; add the file again")
        if found is not None and person is not None:
            log_refusal("upload", error, upload=upload_id, person=person.name)
        raise error

    def progress(self, upload: Upload) -> Progress:
        """Return how far an upload is."""
        done = records.finished(self._store, upload.id)
        if done is not None:
            return Progress(upload.size_bytes, done.crc32c, finished=True)
        offset, crc32c = self._parts.way.state(upload)
        return Progress(offset, crc32c, finished=False)

    def staged(self, upload: Upload) -> StagedFile:
        """Return the file that takes the bytes. Raises ObjectNotFoundError where a bucket does."""
        return self._parts.way.staged(upload)

    def finish(self, upload: Upload, crc32c: str) -> str:
        """Make an input of an upload that has all its bytes; return its URI. Once more does no harm.

        Raises OffsetError where some are missing; ChecksumError if they are others than those that the
        browser has read, and removes them.
        """
        done = records.finished(self._store, upload.id)
        try:
            if done is not None:
                check_same(done.crc32c, crc32c)
            else:
                self._parts.way.complete(upload, crc32c)
        except ChecksumError as error:
            log_refusal("upload", error, upload=upload.id, user=upload.user, name=upload.name)
            if done is None:
                self.cancel(upload)
            raise
        records.note_finished(self._store, Finished(upload_id=upload.id, crc32c=crc32c))
        return self.uri(upload)

    def uri(self, upload: Upload) -> str:
        """Return the URI by which the upload is the input of a job."""
        return self._store.uri(upload.key)

    def sample(self) -> Upload:
        """Make an input of the photograph that comes along, for a first try; it is whole.

        Raises InvalidJobError where it would be over a limit.
        """
        upload_id = layout.new_job_id(now())
        data = sample.photograph()
        self._check(sample.NAME, len(data))
        upload = Upload(id=upload_id, user=self._user, name=sample.NAME, size_bytes=len(data))
        records.note_begun(self._store, upload)
        self._store.put_bytes(upload.key, data, create_only=True)
        records.note_finished(self._store, Finished(upload_id=upload_id, crc32c=spelled(extended(0, data))))
        return upload

    def cancel(self, upload: Upload) -> None:
        """Remove an upload, unless it is whole: then a job may have it, and the cleaner decides."""
        if records.finished(self._store, upload.id) is None:
            self._parts.way.drop(upload)
            records.forget(self._store, upload)

    def _check(self, name: str, size_bytes: int) -> None:
        most = self._limits.file_bytes
        if size_bytes < 1:
            raise InvalidJobError(f"{name} is empty; add a file with an image in it")
        if 0 < most < size_bytes:
            raise InvalidJobError(
                f"{name} has {size_bytes} bytes, and an upload may have {most} (upload_bytes); put it into"
                " the bucket, or ask the operator for more"
            )
        if self._limits.user_bytes:
            self._check_sum(name, size_bytes)

    def _check_sum(self, name: str, size_bytes: int) -> None:
        """Raise InvalidJobError where the uploads of the user would be more than they may be."""
        oldest = now() - timedelta(seconds=records.UNFINISHED_S)
        has = 0
        for info in self._store.list(layout.UPLOADS):
            if not info.key.endswith("/upload.json"):
                continue
            found = records.begun(self._store, layout.job_of(info.key) or "")
            if found is None or found.user != self._user:
                continue
            if info.updated_at > oldest or records.finished(self._store, found.id) is not None:
                has += found.size_bytes
        most = self._limits.user_bytes
        if has + size_bytes > most:
            raise InvalidJobError(
                f"{self._user} has {has} bytes of uploads, and {name} would add {size_bytes} to them, over"
                f" the limit of {most} (user_upload_bytes); wait until older ones are removed, or ask the"
                " operator for more"
            )
