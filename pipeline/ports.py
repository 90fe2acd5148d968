"""The ports of the service: what it needs of a store, a queue, a status board and an event bus."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from mpi_stage.contract import Access
from pipeline.decisions.quotas import Limits
from pipeline.models import (
    AlertsStatus,
    Backlog,
    Claim,
    ClusterStatus,
    Event,
    JobState,
    JobStatus,
    Lane,
    Load,
    Notice,
    ObjectInfo,
    Sample,
    Share,
    Vitals,
)

NOBODYS = Share()

CLUSTER_TTL_S = 60
"""What a scheduler has said of the cluster is no longer true after this, if it has not said it again."""

SAMPLES_KEPT = 8640
"""Of the queue over time: a day, with one every ten seconds."""


class ObjectStore(Protocol):
    """Named objects that are written whole; the truth about every job.

    A key is a relative path of one or more non-empty segments (no ``.``, ``..``, backslash or
    control characters); anything else raises KeyRefusedError. Every method may raise
    StoreUnavailableError.
    """

    def put_bytes(
        self, key: str, data: bytes, *, create_only: bool = False, durable: bool = True
    ) -> ObjectInfo:
        """Write an object, durable on return. Raises ObjectExistsError if ``create_only`` and there.

        With ``durable`` off a machine that loses its power may take the object, or what is in it,
        with it; until then everybody sees it all the same.
        """

    def put_file(self, key: str, path: Path, *, create_only: bool = False) -> ObjectInfo:
        """Write an object from a local file, verified by checksum. Raises as ``put_bytes``."""

    def get_bytes(self, key: str) -> bytes:
        """Read a whole object. Raises ObjectNotFoundError, ChecksumError."""

    def fetch(self, key: str, path: Path, *, generation: str | None = None) -> None:
        """Copy an object to a local file; ``generation`` must still match if given.

        Raises ObjectNotFoundError (also when the generation is gone), ChecksumError.
        """

    def local_path(self, key: str) -> Path | None:
        """Return where a process on this machine may read the object in place, None if nowhere."""

    def stat(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None where there is none."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose keys start with ``prefix``, in order of their keys."""

    def delete(self, key: str, *, durable: bool = True) -> None:
        """Remove an object; removing what is not there is no error.

        With ``durable`` off it may be back after the machine has lost its power.
        """

    def sign(self, key: str, *, method: str = "GET", life_s: int = 3600, filename: str | None = None) -> str:
        """Return a link that allows ``method`` on the object for ``life_s`` seconds."""

    def uri(self, key: str) -> str:
        """Return the object's full URI (``gs://bucket/key``, ``file:///…/key``, ``memory:///key``)."""

    def key_of(self, uri: str) -> str:
        """Return the key of a URI in this store. Raises KeyRefusedError for any other."""


@runtime_checkable
class GatheringStore(ObjectStore, Protocol):
    """A store that has many objects durable in less time than one after the other."""

    def together(self) -> AbstractContextManager[ObjectStore]:
        """Yield this store for putting many objects: they appear when the block ends, and are durable.

        Until then not even who has put them finds them. Raises in the end as ``put_bytes``, when all those
        objects are there that could be made; nothing is there where the block raises.
        """


@runtime_checkable
class BucketStore(ObjectStore, Protocol):
    """A store in a bucket, which ranks reach by themselves with the access that it hands out."""

    def address(self, key: str, generation: str | None = None) -> str:
        """Return what the stage knows an object by, or one generation of it."""

    def access(self) -> Access:
        """Return an endpoint and a token that works for some minutes at least."""

    def read_range(self, key: str, first: int, size_bytes: int, *, generation: str) -> bytes:
        """Read some bytes of an object. Raises ObjectNotFoundError, also when the ``generation`` is gone."""

    def beside(self, bucket: str) -> "BucketStore":
        """Return another bucket as a store, reached with the same credentials."""

    def copy(self, key: str, target: str, *, generation: str) -> ObjectInfo:
        """Copy an object inside the bucket. Raises ObjectNotFoundError, StoreError."""

    def close(self) -> None:
        """Close the connections, also those of stores made by :meth:`beside`."""


@runtime_checkable
class DirectStore(ObjectStore, Protocol):
    """A store to which a browser can send an object itself, piece by piece, in a session.

    Every method may raise StoreError; those with a session ObjectNotFoundError where that is over.
    """

    def begin_session(self, key: str, size_bytes: int, origin: str | None) -> str:
        """Return the address of a session for a new object, for pages of this origin if one is given."""

    def session_offset(self, session: str, size_bytes: int) -> int:
        """Return how many bytes a session has; ``size_bytes`` where the object is there."""

    def end_session(self, session: str) -> None:
        """Give a session up, with what it has."""

    def checksum(self, key: str) -> str | None:
        """Return the CRC32C that the store has made of an object, in base64; None where there is none."""


class JobQueue(Protocol):
    """Ids of jobs that wait, by lane and priority, each handed to one holder at a time.

    Every method may raise QueueUnavailableError.
    """

    def admit(self, lane: Lane, job_id: str, share: Share, limits: Limits) -> None:
        """Keep a place for a job that is about to be submitted; it is counted from now on.

        The place is held for :data:`pipeline.decisions.quotas.ADMITTED_S`, unless ``withdraw`` gives it back
        sooner. A job that the queue knows keeps what it has. Raises QuotaError.
        """

    def withdraw(self, lane: Lane, job_id: str) -> None:
        """Give back the place of a job that is not submitted after all; all others stay."""

    def enqueue(
        self, lane: Lane, job_id: str, priority: int = 0, delay_s: float = 0.0, share: Share = NOBODYS
    ) -> bool:
        """Add a job, to be handed out in ``delay_s`` at the earliest; False if it is in the queue."""

    def claim(self, lane: Lane, consumer: str, block_s: float) -> Claim | None:
        """Take the next job: one whose lease has run out, else the next in turn (``decisions.sharing``).

        Higher priorities come first, but keep none waiting for ever; within a priority users take
        turns by their jobs' pixels, and one user's jobs come in the order of their submission. Waits up
        to ``block_s`` seconds; None if nothing came.
        """

    def renew(self, claim: Claim) -> bool:
        """Start the lease anew; False if another consumer holds the job by now."""

    def release(self, claim: Claim) -> bool:
        """Take the job out of the queue for good; False if another consumer holds it by now."""

    def requeue(self, claim: Claim, priority: int | None = None, delay_s: float = 0.0) -> bool:
        """Give the job back to its place, to be handed out again; False if another consumer holds it.

        It keeps its priority unless it is given another. With a delay another go is charged to its user's
        share.
        """

    def contains(self, job_id: str) -> bool:
        """Whether the queue knows the job: waiting, delayed or held."""

    def known(self, job_ids: Sequence[str]) -> set[str]:
        """Return those of the jobs that the queue knows."""

    def depth(self, lane: Lane) -> int:
        """Jobs that wait in a lane, delayed ones included, held ones not."""

    def held(self, lane: Lane) -> int:
        """Jobs of a lane that somebody holds."""

    def next_up(self, lane: Lane, limit: int) -> list[str]:
        """Return the ids of the jobs of each priority that wait and come next, up to ``limit`` of each."""


class Ledger(Protocol):
    """How much work each lane has before it; every method may raise QueueUnavailableError.

    It follows the queue and decides nothing about jobs: what is lost or doubled here makes the cluster
    a little too small or too large for a while. An empty queue sets it right.
    """

    def add(self, lane: Lane, job_id: str, load: Load) -> None:
        """Count a job that is in the queue; again with another load instead of the one before."""

    def remove(self, lane: Lane, job_id: str, spent_s: float = 0.0) -> None:
        """Count a job no longer; with ``spent_s`` core-seconds as done, without as dropped."""

    def retried(self, lane: Lane) -> None:
        """Count an attempt that failed and is to be tried again."""

    def backlog(self, lane: Lane) -> Backlog:
        """Return what is counted now."""


class StatusBoard(Protocol):
    """The present status of every job, and who has been asked to stop."""

    def put(self, status: JobStatus) -> None:
        """Write a job's status, unless what is there is newer (a later attempt, the end of this one)."""

    def reset(self, status: JobStatus) -> None:
        """Write a job's status whatever is there: for a retry that was asked for, and for rebuilding."""

    def get(self, job_id: str) -> JobStatus | None:
        """Return a job's status, None where it is not known (any more)."""

    def in_trouble(
        self, state: JobState, *, since: datetime | None = None, limit: int = 100
    ) -> list[JobStatus]:
        """Return the jobs that are failed now, or dead as ``state`` says, whose ends came last first."""

    def list(self, *, user: str | None = None, limit: int = 100) -> list[JobStatus]:
        """Return the newest jobs first."""

    def delete(self, job_id: str) -> None:
        """Forget a job."""

    def prune(self) -> int:
        """Take jobs off the lists whose statuses have expired; return how many entries that were."""

    def put_cluster(self, status: ClusterStatus) -> None:
        """Write how the cluster is; forgotten after :data:`CLUSTER_TTL_S`."""

    def cluster(self) -> ClusterStatus | None:
        """Return how the cluster is, None where no scheduler has said so lately."""

    def is_whole(self) -> bool:
        """Whether nothing has been lost since :meth:`mark_whole`."""

    def mark_whole(self) -> None:
        """Say that the board holds all it should."""

    def request_cancel(self, job_id: str) -> None:
        """Ask whoever works on the job to stop."""

    def cancel_requested(self, job_id: str) -> bool:
        """Whether somebody has asked for it."""

    def clear_cancel(self, job_id: str) -> None:
        """Take the request back."""


class EventBus(Protocol):
    """Who wants to know hears what happens; nothing is kept for those who do not listen."""

    def publish(self, event: Event) -> None:
        """Send an event to all who listen."""

    def subscribe(self, job_id: str | None = None) -> "Subscription":
        """Listen to one job, or to all; the subscription stands when this returns."""

    def subscribe_endings(self) -> "Subscription":
        """Listen to the events of final states, of all jobs; the subscription stands when this returns."""


class Subscription(Protocol):
    """An open ear on the event bus."""

    def next(self, timeout_s: float) -> Event | None:
        """Return the next event, None if none came within ``timeout_s`` seconds."""

    def close(self) -> None:
        """Stop listening."""


class NoticeBoard(Protocol):
    """The latest notices for each user, oldest first; every method may raise QueueUnavailableError."""

    def post(self, notice: Notice) -> bool:
        """Add a notice; False if the job's end (``notice.id``) has been told before."""

    def post_all(self, notices: Sequence[Notice]) -> None:
        """Add those of the notices whose ends have not been told before."""

    def read(self, user: str, after: str | None) -> list[Notice]:
        """Return the notices after the one with the id ``after``, all if None or no longer known."""


class OperatorBoard(Protocol):
    """What operators look at beside the jobs; every method may raise QueueUnavailableError.

    All of it is told anew: nothing here is missed for long when it is lost.
    """

    def put_vitals(self, node_id: str, vitals: Vitals) -> None:
        """Write how a node is; forgotten after :data:`CLUSTER_TTL_S`."""

    def vitals(self, node_ids: Sequence[str]) -> dict[str, Vitals]:
        """Return how those of the nodes are that have told lately."""

    def add_sample(self, sample: Sample) -> None:
        """Go on with the series of samples, of which the last :data:`SAMPLES_KEPT` are kept."""

    def samples(self, since: datetime) -> list[Sample]:
        """Return the samples that were added since then, the oldest first."""

    def put_alerts(self, status: AlertsStatus) -> None:
        """Write which alerts there are."""

    def alerts(self) -> AlertsStatus | None:
        """Return which alerts there are, None where nobody has said so."""


@runtime_checkable
class Staging(Protocol):
    """A store that takes a file over without copying it, if it lies where this says."""

    def staging_path(self, name: str) -> Path:
        """Return where to write a file that ``put_file`` will move."""

    def folder_path(self, prefix: str) -> Path:
        """Return where to write files that are objects whose keys start with ``prefix``."""

    def sweep_staging(self, older_than_s: float, keep: Callable[[str], bool]) -> int:
        """Remove files that were left there; return how many."""

    def pin(self, key: str, name: str, *, generation: str) -> Path:
        """Give an object another name, which stays on it whatever becomes of its own; raise as ``fetch``."""
