"""Turns what happened into letters: one for each channel that somebody has chosen for it.

What happened is marked in the store until its letters are posted; posting twice is posting once, so
whoever dies in between has it done again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from pipeline import layout
from pipeline.channels import keys
from pipeline.channels.models import Channel, Kind, Letter, Medium, Tiding
from pipeline.errors import JobNotFoundError, ObjectNotFoundError
from pipeline.models import Alert, JobStatus, Manifest, Result, now
from pipeline.notify import tidings
from pipeline.notify.choices import ChoiceBook
from pipeline.notify.outbox import Outbox
from pipeline.parts import Parts
from pipeline.records import statuses

QUIET = timedelta(seconds=5)
"""A batch whose newest job came later may not be whole yet."""

MOST_OF_A_BATCH = 10_000


class BatchMark(BaseModel):
    """``outbox/batch/…``: a batch of which somebody wants to know when it has ended."""

    model_config = ConfigDict(frozen=True)

    user: str
    batch: str


@dataclass(frozen=True)
class Fanout:
    """Posts letters; ``operators`` are who is told of alerts."""

    parts: Parts
    outbox: Outbox
    book: ChoiceBook
    operators: tuple[str, ...] = ()

    def job(self, job_id: str) -> None:
        """Post the letters on the end of a job, and take its mark away. Raises StoreError."""
        records = self.parts.records
        try:
            manifest = records.manifest(job_id)
        except JobNotFoundError:
            if layout.is_job_id(job_id):  # its manifest is older than any mark: there is nothing to tell of
                self.parts.store.delete(layout.outbox_key(job_id), durable=False)
            return
        ending = records.ending(job_id)
        if ending is None:
            return
        tiding = tidings.of_job(
            statuses.ended(manifest, ending), ending if isinstance(ending, Result) else None
        )
        self._post_for_job(manifest, tiding)
        standing = records.ending(job_id)
        if standing is not None and tidings.of_job(statuses.ended(manifest, standing)).id == tiding.id:
            # A retry meanwhile will have another end to tell, and needs the marker.
            self.parts.store.delete(layout.outbox_key(job_id), durable=False)

    def _post_for_job(self, manifest: Manifest, tiding: Tiding) -> None:
        choices = self.book.of(manifest.user)
        self._post(tiding, choices.wanting(tiding.kind))
        if manifest.webhook is not None:
            self.outbox.post(letter_of(tiding, keys.webhook_of_job(manifest.webhook), Medium.WEBHOOK))
        shown = Kind.BATCH in choices.page | choices.browser
        if manifest.batch is not None and (choices.wanting(Kind.BATCH) or shown):
            mark = BatchMark(user=manifest.user, batch=manifest.batch)
            key = keys.batch_key(mark.user, mark.batch)
            self.parts.store.put_bytes(key, mark.model_dump_json().encode())

    def alert(self, key: str) -> None:
        """Post the letters on an alert, and take it off the news.

        Raises StoreError, QueueUnavailableError.
        """
        try:
            alert = Alert.model_validate_json(self.parts.store.get_bytes(key))
        except ObjectNotFoundError:
            return
        told = [tidings.of_alert(alert, user) for user in self.operators]
        for tiding in told:
            self._post(tiding, self.book.of(tiding.user).wanting(Kind.ALERT))
        for tiding in told:  # all letters are posted before: Redis may be what the alert is about
            self.parts.notices.post(tidings.notice_of(tiding))
        self.parts.store.delete(key, durable=False)

    def batch(self, key: str, at: datetime | None = None) -> bool:
        """Post the letters on a batch if all of it has ended; return whether.

        Raises StoreError, QueueUnavailableError.
        """
        try:
            mark = BatchMark.model_validate_json(self.parts.store.get_bytes(key))
        except ObjectNotFoundError:
            return True
        if not self.parts.board.is_whole():
            return False
        known = self.parts.board.list(user=mark.user, limit=MOST_OF_A_BATCH)
        jobs = [status for status in known if status.batch == mark.batch]
        if not jobs and self.parts.board.is_whole():  # they were removed, and the list is still whole
            self.parts.store.delete(key, durable=False)
            return True
        if not has_ended(jobs, at or now()):
            return False
        tiding = tidings.of_batch(mark.user, mark.batch, jobs)
        choices = self.book.of(mark.user)
        self._post(tiding, choices.wanting(Kind.BATCH))
        self.parts.notices.post(tidings.notice_of(tiding))
        self.parts.store.delete(key, durable=False)
        return True

    def _post(self, tiding: Tiding, channels: Iterable[Channel]) -> None:
        for channel in channels:
            self.outbox.post(letter_of(tiding, channel.id, channel.medium))


def letter_of(tiding: Tiding, channel: str, medium: Medium) -> Letter:
    """Return a tiding as a letter through a channel."""
    letter_id = keys.letter_id(tiding.id, tiding.at, tiding.user, channel)
    return Letter(id=letter_id, channel=channel, medium=medium, tiding=tiding)


def has_ended(jobs: Iterable[JobStatus], at: datetime) -> bool:
    """Whether the jobs that are known of a batch have ended, and no more of them are being submitted."""
    found = list(jobs)
    return (
        bool(found)
        and all(job.state.is_final for job in found)
        and max(job.created_at for job in found) <= at - QUIET
    )
