"""The notification service: ``python -m pipeline.notifier``.

It hears every event; what is final it writes to the page's notice board and, where the manifest
names a webhook, POSTs there. Neither is lost over a restart: the store marks which webhooks are
still to be told (``outbox/<id>``), Redis which notices have been posted, and both are looked
through at the start and every now and then.
"""

import hashlib
import hmac
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from pipeline import layout, logs, statuses
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.errors import (
    HalorowError,
    JobNotFoundError,
    QueueUnavailableError,
    SettingsError,
    StoreError,
    WebhookError,
)
from pipeline.models import JobState, JobStatus, Manifest, Notice, Result
from pipeline.parts import Parts
from pipeline.ports import Subscription
from pipeline.webhooks import Delivery, deliver

SWEEP_EVERY_S = 30.0
LISTEN_S = 0.5
GATHER_S = 0.1
"""How long an ending may wait for others, to be told of together."""

SENDERS = 4
RECENT_JOBS = 200
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
MAX_TRIES = 10
"""With doubling pauses these take about six minutes; a restart of the service starts them anew."""

_WORDS = {
    JobState.SUCCEEDED: "is done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
    JobState.DEAD: "was given up",
}


def notice_of(status: JobStatus) -> Notice:
    """Return what to tell a user about the end of a job; its id is the same for the same end."""
    detail = f": {status.error}" if status.error else ""
    return Notice(
        id=f"{status.id}:{status.state.value}:{status.attempt}",
        user=status.user,
        job_id=status.id,
        text=f"{status.input_name} {_WORDS[status.state]}{detail}",
    )


def webhook_secret(link_secret: bytes) -> bytes:
    """Return the key that webhook bodies are signed with, derived from the service's secret."""
    return hmac.new(link_secret, b"halorow-webhook-1", hashlib.sha256).hexdigest().encode()


def body_of(status: JobStatus, result: Result | None) -> bytes:
    """Return what a webhook is sent."""
    told = {
        "job": status.id,
        "state": status.state.value,
        "input_name": status.input_name,
        "pipeline": status.pipeline,
        "batch": status.batch,
        "finished_at": status.finished_at.isoformat() if status.finished_at else None,
        "error": status.error,
        "exit_code": status.exit_code,
        "output_key": status.output_key,
        "pixels_sha256": (result.pixels_sha256 or None) if result else None,
    }
    return json.dumps(told, ensure_ascii=False).encode()


class Notifier:
    """Passes the ends of jobs on; :meth:`run` does so until :meth:`stop`."""

    def __init__(self, parts: Parts, secret: bytes, *, allow_private: bool = False) -> None:
        """Sign webhooks with ``secret``; call private addresses only if ``allow_private``."""
        self._parts = parts
        self._secret = secret
        self._allow_private = allow_private
        self._stopping = threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._log = logs.get_logger(part="notifier")

    def stop(self) -> None:
        """Have :meth:`run` end soon."""
        self._stopping.set()

    def run(self) -> None:
        """Listen and pass on, until told to stop."""
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook") as senders:
            subscription = None
            swept = -SWEEP_EVERY_S
            while not self._stopping.is_set():
                try:
                    if subscription is None:
                        subscription = self._parts.bus.subscribe_endings()
                    if time.monotonic() - swept >= SWEEP_EVERY_S:
                        swept = time.monotonic()
                        self.sweep(senders)
                    event = subscription.next(LISTEN_S)
                    if event is not None:
                        self._tell([event.status, *self._more(subscription)], senders)
                except (QueueUnavailableError, StoreError) as error:
                    self._log.warning("cannot pass on now", error=str(error))
                    self._stopping.wait(FIRST_PAUSE_S)
            if subscription is not None:
                subscription.close()

    def sweep(self, senders: ThreadPoolExecutor) -> None:
        """Pass on what was missed. Raises QueueUnavailableError, StoreError."""
        recent = reversed(self._parts.board.list(limit=RECENT_JOBS))
        self._parts.notices.post_all([notice_of(status) for status in recent if status.state.is_final])
        for info in self._parts.store.list(layout.OUTBOX):
            self._send_later(info.key.removeprefix(layout.OUTBOX), senders)

    def _more(self, subscription: Subscription) -> Iterator[JobStatus]:
        """Yield what ends within a moment, so that a batch is not told of one by one."""
        self._stopping.wait(GATHER_S)
        while (event := subscription.next(0.0)) is not None:
            yield event.status

    def _tell(self, ended: Sequence[JobStatus], senders: ThreadPoolExecutor) -> None:
        self._parts.notices.post_all([notice_of(status) for status in ended])
        for status in ended:
            if self._parts.store.stat(layout.outbox_key(status.id)) is not None:
                self._send_later(status.id, senders)

    def _send_later(self, job_id: str, senders: ThreadPoolExecutor) -> None:
        """Have a webhook told by another thread, unless one is at it."""
        with self._lock:
            if job_id in self._busy:
                return
            self._busy.add(job_id)
        senders.submit(self._send, job_id)

    def _send(self, job_id: str) -> None:
        try:
            self._try(job_id)
        except (HalorowError, OSError) as error:
            # The marker stays, so the next round tries again.
            self._log.warning("webhook not told", job=job_id, error=str(error))
        finally:
            with self._lock:
                self._busy.discard(job_id)

    def _try(self, job_id: str) -> None:
        records = self._parts.records
        try:
            manifest = records.manifest(job_id)
        except JobNotFoundError:
            return
        ending = records.ending(job_id)
        if ending is None or manifest.webhook is None:
            return
        status = statuses.ended(manifest, ending)
        body = body_of(status, ending if isinstance(ending, Result) else None)
        delivery = Delivery(notice_of(status).id, manifest.webhook, body)
        self._persist(manifest, delivery)

    def _persist(self, manifest: Manifest, delivery: Delivery) -> None:
        """Try until it is delivered, refused for good, or tried too often; then remove the marker."""
        pause_s = FIRST_PAUSE_S
        for tried in range(1, MAX_TRIES + 1):
            try:
                deliver(delivery, self._secret, allow_private=self._allow_private)
            except WebhookError as error:
                self._log.warning("webhook failed", job=manifest.id, tried=tried, error=str(error))
                if not error.may_pass or tried == MAX_TRIES:
                    break
                if self._stopping.wait(pause_s):
                    return
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                self._log.info("webhook told", job=manifest.id, tried=tried)
                break
        ending = self._parts.records.ending(manifest.id)
        if ending is not None and notice_of(statuses.ended(manifest, ending)).id == delivery.id:
            # A retry meanwhile would have another end to tell, and needs the marker.
            self._parts.store.delete(layout.outbox_key(manifest.id))


def main() -> int:
    """Run the service until SIGTERM or Ctrl-C; return the exit code."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.stderr.write(f"{error.public_message}\n")
        return error.exit_code
    logs.configure(settings.log_level)
    notifier = Notifier(
        connect_parts(settings),
        webhook_secret(settings.link_secret.get_secret_value().encode()),
        allow_private=settings.webhook_allow_private,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: notifier.stop())
    notifier.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
