"""The Python client: what the page, the command line and ``jobs/`` use.

::

    with Client.connect() as client:
        job = client.submit("photo.jpg", "gaussian:sigma=2 sobel")
        for event in client.watch(job.id):
            print(event.status.state, event.status.fraction_done)
        client.download(job.id, Path("edges.jpg"))
"""

import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from mpi_stage.contract import Request
from pipeline.access.gate import Gate
from pipeline.access.refusals import log_refusal
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.decisions.people import Person
from pipeline.desks.browse import Found, Listing, images_below, places, results
from pipeline.desks.presets import PresetBook
from pipeline.desks.uploads import Uploads
from pipeline.errors import (
    JobFailedError,
    JobStateError,
    KeyRefusedError,
    ObjectNotFoundError,
    QueueUnavailableError,
)
from pipeline.images.archive import SUFFIX as ARCHIVE
from pipeline.images.archive import archive_of, archive_of_many, unique_names
from pipeline.images.folder_images import check_folder_place
from pipeline.images.trees import ROOT, fetch_tree, tree_objects, tree_of
from pipeline.keeping.lending import lend
from pipeline.keeping.removal import keep_or_cancel, remove_job
from pipeline.models import ClusterStatus, Event, Failure, JobState, JobStatus, Manifest, Notice, Result, now
from pipeline.notify.choices import ChoiceBook
from pipeline.notify.desk import Desk
from pipeline.parts import Parts
from pipeline.ports import BucketStore, Subscription
from pipeline.previews.requests import preview_request, tile_request
from pipeline.records import statuses
from pipeline.records.settle import settle
from pipeline.records.timeline import Turn, timeline
from pipeline.submitting import submission
from pipeline.submitting.budgets import job_budget
from pipeline.submitting.orders import Order
from pipeline.submitting.outside import SCHEME, bucket_of, is_outside, matching

MOST_OF_A_BATCH = 10_000
"""So many of the newest jobs are looked through for those of a batch."""

LOOK_EVERY_S = 2.0
"""A watcher looks at the status itself so often: events are lost while Redis restarts."""

Steps = str | list[dict[str, Any]]


class Client:
    """Submits jobs and follows them; safe to share between threads."""

    def __init__(self, parts: Parts, settings: Settings, person: Person | None = None) -> None:
        """Use ``parts``, with ``settings`` for the defaults of a submission, on behalf of ``person``.

        A person sees their own jobs alone: for every method another's are not there
        (JobNotFoundError). Without a person everybody's are, as for an operator.
        """
        self._parts = parts
        self._settings = settings
        self._gate = Gate(parts.records, person)

    def acting_for(self, person: Person) -> "Client":
        """Return a client with the same connections for somebody who has logged in."""
        return Client(self._parts, self._settings, person)

    @classmethod
    def connect(cls, settings: Settings | None = None, *, patience_s: float | None = None) -> Self:
        """Return a client of the service that the settings name, by default the one that runs here.

        Every call waits for a Redis that is away for up to ``patience_s`` seconds, by default
        20. Raises SettingsError; QueueUnavailableError if the service does not answer.
        """
        chosen = settings or Settings.load()
        parts = connect_parts(chosen, patience_s=patience_s)
        try:
            parts.queue.contains("nothing")
        except BaseException:
            parts.close()
            raise
        return cls(parts, chosen)

    def close(self) -> None:
        """Give the connections to the service back; those of :meth:`acting_for` are the same."""
        self._parts.close()

    def __enter__(self) -> Self:
        """Return this client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def submit(
        self,
        input: str | Path,  # noqa: A002  (the word of the command line and the page)
        steps: Steps,
        **options: Any,  # noqa: ANN401  (named and typed in pipeline.submitting.orders.Order)
    ) -> JobStatus:
        """Submit a local file, which is uploaded, or an object of the store by its URI.

        Options, all by name: ``input_name``, ``output`` (URI of an object or, ending in ``/``, of a
        folder in the same store), ``priority`` (-10 to 10), ``key`` (idempotency key), ``user``,
        ``batch``, ``webhook``, ``ranks``, ``device``, ``memory_bytes``, ``block_rows``; which image of
        the input: ``page``, ``plane`` (``z=3,c=1``), ``level``; how the output is written:
        ``format`` (``cog``), ``compression``, ``quality``, ``tile``; and ``digest``, False to do without
        that of the pixels. Raises QuotaError, PipelineError, MissingInputError, InvalidJobError,
        KeyRefusedError, StoreError.
        """
        return submission.submit(self._parts, self.order(input, steps, **options))

    def submit_many(self, orders: Iterable[Order]) -> list[JobStatus]:
        """Submit what :meth:`order` has made, many at a time; return the statuses in the same order.

        One that fails is raised after those before it and around it have been accepted: submitted
        again with the same idempotency keys, they are the same jobs. Errors as for :meth:`submit`.
        """
        return submission.submit_many(self._parts, orders)

    def submit_bytes(self, data: bytes, name: str, steps: Steps, **options: Any) -> JobStatus:  # noqa: ANN401
        """Submit an image held in memory under a file name; options and errors as for :meth:`submit`."""
        return submission.submit(self._parts, self.order(name, steps, **{**options, "data": data}))

    def order(
        self,
        input: str | Path,  # noqa: A002  (as above)
        steps: Steps,
        **options: Any,  # noqa: ANN401  (as above)
    ) -> Order:
        """Return what :meth:`submit` would submit, for :meth:`submit_many`; options as there."""
        defaults = {
            "memory_bytes": int(self._settings.memory_bytes),
            "limits": self._settings.limits,
            "max_ranks": self._settings.most_cores or None,
        }
        stated = {name: value for name, value in options.items() if value is not None}
        if "data" not in stated:
            self._gate.check_text(input)
        stated["user"] = self._gate.submitter(stated.get("user"), self._settings.user)
        return Order(input=input, steps=steps, **{**defaults, **stated})

    def preview_request(self, uri: str, steps: list[dict[str, Any]], name: str) -> tuple[Request, str]:
        """Return what the stage is asked for a preview of an object, and what names the object's content.

        Raises KeyRefusedError, ObjectNotFoundError, StoreError, PipelineError.
        """
        return preview_request(self._parts, self._settings, self.order(uri, steps, input_name=name))

    def tile_request(self, job_id: str, *, after: bool) -> tuple[Request, str]:
        """Return what the stage is asked for tiles of a job's input, or of its result; and their generation.

        Raises JobNotFoundError, JobFailedError, JobStateError, ObjectNotFoundError, StoreError.
        """
        manifest = self._gate.manifest(job_id)
        budget = job_budget(self._settings)
        if not after:
            return tile_request(self._parts, budget, manifest.input, manifest)
        return tile_request(self._parts, budget, self.result(job_id).output, None)

    def batch(self, batch: str) -> list[tuple[str, str]]:
        """Return the results of a batch that are there, as names, each once, and keys.

        Only jobs that the board still knows are found. Raises QueueUnavailableError, StoreError.
        """
        jobs = [one for one in self.jobs(limit=MOST_OF_A_BATCH) if one.batch == batch]
        ended = [
            self._parts.records.result(one.id) for one in reversed(jobs) if one.state is JobState.SUCCEEDED
        ]
        found = [(one.output_name, one.output.key) for one in ended if one is not None]
        return unique_names((name, tree_of(key) or key) for name, key in found)

    def archive_of_batch(self, batch: str) -> Iterator[bytes]:
        """Yield an archive of all results of a batch.

        Raises as :meth:`batch`, and ObjectNotFoundError where there are none.
        """
        entries = self.batch(batch)
        if not entries:
            raise ObjectNotFoundError(f"no job of the batch {batch} has a result (any more)")
        return archive_of_many(self._parts.store, entries)

    def presets(self) -> PresetBook:
        """Return the presets that are there for whom this client acts."""
        return PresetBook(self._parts.store, self._gate.submitter(None, self._settings.user))

    def uploads(self) -> Uploads:
        """Return where browsers' uploads are begun, gone on with and ended."""
        return Uploads(self._parts, self._gate, self._user, self._settings.upload_limits)

    @property
    def _user(self) -> str:
        """In whose name things are done where nobody says."""
        return self._gate.submitter(None, self._settings.user)

    def jobs(self, *, user: str | None = None, limit: int = 100) -> list[JobStatus]:
        """Return the newest jobs first. Raises QueueUnavailableError."""
        return self._parts.board.list(user=self._gate.narrowed(user), limit=limit)

    def status(self, job_id: str) -> JobStatus:
        """Return a job's status, from the store where Redis does not know it. Raises JobNotFoundError."""
        with suppress(QueueUnavailableError):
            known = self._parts.board.get(job_id)
            if known is not None:
                self._gate.check(job_id, known.user)
                return known
        manifest = self._gate.manifest(job_id)
        ending = self._parts.records.ending(job_id)
        if ending is not None:
            return statuses.ended(manifest, ending)
        return statuses.queued(manifest, self._parts.records.history(job_id).highest)

    def cluster(self) -> ClusterStatus | None:
        """Return how the cluster is, None where no scheduler has said so lately.

        Raises QueueUnavailableError.
        """
        return self._parts.board.cluster()

    def manifest(self, job_id: str) -> Manifest:
        """Return what was asked for. Raises JobNotFoundError."""
        return self._gate.manifest(job_id)

    def failure(self, job_id: str) -> Failure | None:
        """Return why a job failed, with the evidence; None if it has not. Raises JobNotFoundError."""
        self._gate.pass_by(job_id)
        return self._parts.records.failure(job_id)

    def timeline(self, job_id: str) -> list[Turn]:
        """Return what has happened to a job, the oldest first. Raises JobNotFoundError, StoreError."""
        self._gate.pass_by(job_id)
        return timeline(self._parts.records, job_id)

    def watch(self, job_id: str, timeout_s: float | None = None) -> Iterator[Event]:
        """Yield the job's present status as an event, then every event up to its final one.

        Ends without a final event after ``timeout_s`` seconds. Raises JobNotFoundError.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._gate.pass_by(job_id)
        subscription = self._parts.bus.subscribe(job_id)
        try:
            last = self.status(job_id)
            yield statuses.event_of(last)
            while not last.state.is_final:
                wait_s = LOOK_EVERY_S if deadline is None else min(LOOK_EVERY_S, deadline - time.monotonic())
                if wait_s <= 0:
                    return
                event = subscription.next(wait_s)
                if event is None:
                    status = self.status(job_id)
                    if status.updated_at == last.updated_at and status.state is last.state:
                        continue
                    event = statuses.event_of(status)
                last = event.status
                yield event
        finally:
            subscription.close()

    def wait(self, job_id: str, timeout_s: float | None = None) -> JobStatus:
        """Return the job's status at its end, or after ``timeout_s`` seconds. Raises JobNotFoundError."""
        for _ in self.watch(job_id, timeout_s):
            pass
        return self.status(job_id)

    def events(self) -> Subscription:
        """Listen to the events of all jobs that may be seen, until it is closed."""
        return self._gate.ear(self._parts.bus.subscribe())

    def endings(self) -> Subscription:
        """Listen to how all jobs that may be seen end, until it is closed; a batch needs no more."""
        return self._gate.ear(self._parts.bus.subscribe_endings())

    def cancel(self, job_id: str) -> JobStatus:
        """Stop a job: one that waits at once, one that is worked on within two seconds.

        A result that is committed before the ranks stop still counts. Raises JobNotFoundError,
        JobStateError if the job has ended.
        """
        manifest = self._gate.manifest(job_id)
        before = self.status(job_id)
        ending = self._parts.records.ending(job_id)
        if ending is not None and before.state is not JobState.CANCELLED:
            ended = statuses.ended(manifest, ending)
            raise JobStateError(f"job {job_id} has {ended.state.value} already; there is nothing to cancel")
        self._parts.records.cancel(job_id)
        with suppress(QueueUnavailableError):
            # A worker that does not hear of it from Redis finds it in the store a little later.
            self._parts.board.request_cancel(job_id)
        if before.state is JobState.RUNNING:
            return before
        cancellation = self._parts.records.ending(job_id)
        if cancellation is None:
            return self.status(job_id)
        try:
            return settle(self._parts.records, self._parts.news, manifest, cancellation)
        except QueueUnavailableError:
            return statuses.ended(manifest, cancellation, before)

    def retry(self, job_id: str) -> JobStatus:
        """Give a job that failed, died or was cancelled a new round of attempts.

        Raises JobNotFoundError, JobStateError; ObjectNotFoundError where its input is being removed.
        """
        manifest = self._gate.manifest(job_id)
        ending = self._parts.records.ending(job_id)
        if ending is None or isinstance(ending, Result):
            state = "has succeeded" if ending else "has not ended"
            raise JobStateError(f"job {job_id} {state}; only failed, dead and cancelled jobs are retried")
        lend(self._parts, manifest.input, now())
        attempt = self._parts.records.reopen(manifest)
        keep_or_cancel(self._parts, manifest)
        status = statuses.queued(manifest, attempt)
        with suppress(QueueUnavailableError):
            self._parts.board.clear_cancel(job_id)
            self._parts.board.reset(status)
            self._parts.bus.publish(statuses.event_of(status))
            self._parts.queue.enqueue(manifest.lane, job_id, manifest.priority, share=manifest.share)
            self._parts.ledger.add(manifest.lane, job_id, status.load)
        return status

    def delete(self, job_id: str) -> None:
        """Remove what the service keeps of a job that has ended: input, result and records.

        What its user has named places for stays. Raises JobNotFoundError, JobStateError where it has not
        ended or an unfinished job needs it, StoreError, QueueUnavailableError.
        """
        remove_job(self._parts, self._gate.manifest(job_id))

    def result(self, job_id: str) -> Result:
        """Return the result. Raises JobNotFoundError, JobFailedError, JobStateError if there is none yet."""
        ending = self._parts.records.ending(self._gate.manifest(job_id).id)
        if isinstance(ending, Result):
            return ending
        if isinstance(ending, Failure):
            raise JobFailedError(ending.message, ending.exit_code)
        if ending is not None:
            raise JobFailedError(f"job {job_id} was cancelled; `halorow retry {job_id}` starts it again")
        raise JobStateError(f"job {job_id} has not ended; `halorow watch {job_id}` waits for it")

    def link(self, job_id: str, *, life_s: int | None = None) -> str:
        """Return a signed link to the result; to an archive of it where it is many objects.

        Raises as :meth:`result`, and JobStateError for many objects in a bucket, which has no archives.
        """
        result, store = self.result(job_id), self._parts.store
        key, name, tree = result.output.key, result.output_name, tree_of(result.output.key)
        if tree is not None:
            if isinstance(store, BucketStore):
                raise JobStateError(
                    f"the result of job {job_id} is many objects below {store.uri(tree)}, and a link is to "
                    f"one; `halorow result {job_id} --output {name}` downloads them, `Client.links` gives all"
                )
            key, name = tree, f"{name}{ARCHIVE}"
        return store.sign(key, life_s=life_s or self._settings.link_life_s, filename=name)

    def links(self, job_id: str, *, life_s: int | None = None) -> dict[str, str]:
        """Return a signed link to each object of the result, by its name. Raises as :meth:`result`."""
        result, store = self.result(job_id), self._parts.store
        tree = tree_of(result.output.key)
        if tree is None:
            return {result.output_name: self.link(job_id, life_s=life_s)}
        life_s = life_s or self._settings.link_life_s
        names = {info.key: info.key.removeprefix(f"{tree}/") for info in tree_objects(store, tree)}
        return {name: store.sign(key, life_s=life_s) for key, name in names.items()}

    def input_link(self, job_id: str, *, life_s: int | None = None) -> str:
        """Return a signed link to the input. Raises JobNotFoundError."""
        manifest = self.manifest(job_id)
        lies_in, bucket = self._parts.store, manifest.input.bucket
        store = lies_in if bucket is None else bucket_of(lies_in, bucket)
        return store.sign(
            manifest.input.key, life_s=life_s or self._settings.link_life_s, filename=manifest.input_name
        )

    def input_uri(self, job_id: str) -> str:
        """Return the URI of a job's input, as a further job can have it. Raises JobNotFoundError."""
        found = self.manifest(job_id).input
        if found.bucket is not None:
            return f"{SCHEME}{found.bucket}/{found.key}"
        return self._parts.store.uri(tree_of(found.key) or found.key)

    def download(self, job_id: str, path: Path | str) -> None:
        """Copy the result to a local file, which appears when it is whole.

        A result of many objects becomes a folder, or an archive where the file's name ends in ``.zip``.
        Raises as :meth:`result`, OutputExistsError where a folder is to appear and something is there.
        """
        result, store = self.result(job_id), self._parts.store
        tree = tree_of(result.output.key)
        path = Path(path)
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            if tree is None:
                store.fetch(result.output.key, part, generation=result.output.generation)
            elif path.suffix.lower() == ARCHIVE:
                with part.open("xb") as file:
                    file.writelines(archive_of(store, tree))
            else:
                check_folder_place(path, overwrite=False)
                fetch_tree(store, tree, part)
            part.replace(path)
        finally:
            shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)

    def open_object(self, key: str) -> Path | None:
        """Return where an object lies on this machine, None where it does not.

        Of an image of many objects it is a folder. Raises ObjectNotFoundError, and KeyRefusedError for
        what a person may not read.
        """
        self._may_read(key)
        path = self._parts.store.local_path(key)
        if path is None and (root := self._parts.store.local_path(f"{key}/{ROOT}")) is not None:
            return root.parent
        if path is None and self._parts.store.stat(key) is None:
            raise ObjectNotFoundError(f"there is no object {key}")
        return path

    def archive(self, key: str) -> Iterator[bytes]:
        """Yield an archive of the many objects below a key.

        Raises ObjectNotFoundError, StoreError, and KeyRefusedError for what a person may not read.
        """
        self._may_read(key)
        return archive_of(self._parts.store, key)

    def uri_of(self, place: str) -> str:
        """Return the URI of a place in the store: as it is, or made from a key or the beginning of one."""
        if "://" in place:
            return place
        # What a store makes of a key is only defined for whole ones.
        return self._parts.store.uri(f"{place}x").removesuffix("x")

    def matching(self, pattern: str) -> list[str]:
        """Return the URIs that a pattern such as ``gs://bucket/scans/*.tif`` stands for.

        Raises KeyRefusedError, ObjectNotFoundError, StoreError.
        """
        self._may_read_below(pattern)
        return matching(self._parts.store, pattern, self._parts.places.buckets)

    def objects(self, uri: str) -> list[str]:
        """Return the URIs of the objects whose URIs start with ``uri``. Raises KeyRefusedError."""
        self._may_read_below(uri)
        prefix = self._parts.store.key_of(f"{uri}x").removesuffix("x")
        return [self._parts.store.uri(info.key) for info in self._parts.store.list(prefix)]

    def places(self) -> list[str]:
        """Return the URIs below which inputs may lie."""
        return places(self._parts, self._user)

    def images_below(self, place: str, suffixes: Sequence[str]) -> Listing:
        """Return the images below a URI, by the ends of their names, and Zarrs.

        Raises KeyRefusedError for a place that inputs may not lie in, StoreError.
        """
        return images_below(self._parts, self._gate, self._user, place, suffixes)

    def results(self, *, limit: int = 100) -> list[tuple[JobStatus, Found]]:
        """Return what the newest jobs have made, as inputs of further ones. Raises QueueUnavailableError."""
        return results(self._parts.store, self.jobs(limit=limit))

    def notices(self, user: str, after: str | None = None) -> list[Notice]:
        """Return what the notifier has to tell a user since the notice ``after``; a person their own."""
        return self._parts.notices.read(self._gate.narrowed(user) or user, after)

    def desk(self, user: str | None = None) -> Desk:
        """Return where a user chooses how to be told, else the service's own; a person theirs."""
        name = self._gate.person.name if self._gate.person is not None else user or self._settings.user
        book = ChoiceBook(self._parts.store, self._settings.notify_rules)
        secret = self._settings.link_secret.get_secret_value().encode()
        return Desk(self._parts, book, name, secret)

    def _may_read(self, key: str) -> None:
        """Raise KeyRefusedError for what a person may not read."""
        person = self._gate.person
        if person is not None:
            try:
                self._parts.places.check_source(key, person.name, self._parts.records.owner)
            except KeyRefusedError as error:
                log_refusal("object", error, key=key, person=person.name)
                raise

    def _may_read_below(self, uri: str) -> None:
        """Raise KeyRefusedError where what begins so is not all for a person to read."""
        if self._gate.person is not None and not is_outside(self._parts.store, uri):
            self._may_read(self._parts.store.key_of(f"{uri.partition('*')[0]}x"))
