"""Looks at everything that the rules are about."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pipeline import layout
from pipeline.alerts.probe import Probe
from pipeline.alerts.rules import AWAY, DEAD_WITHIN_S, FAILURES_WITHIN_S
from pipeline.alerts.watch import Readings
from pipeline.attempts.waits import oldest_wait_s
from pipeline.errors import HalorowError, QueueUnavailableError
from pipeline.models import ClusterStatus, JobState, JobStatus, Lane, NodeStatus
from pipeline.parts import Parts

BEAT = f"{layout.ALERTS}beat"
BEAT_S = 10.0
"""How long the store may take to keep a few bytes."""

MOST_FAILURES = 1000
"""Failures that are counted at most."""


class Lookout:
    """Looks at the service from beside it: from a process that needs neither Ray nor Redis to run."""

    def __init__(self, parts: Parts, redis_answers: Callable[[], bool], folder: Path | None) -> None:
        """Look at ``parts``; ``folder`` is where a local store is, None for one that is no folder here."""
        self._parts = parts
        self._redis_answers = redis_answers
        self._folder = folder
        self._beat = Probe(self._write, "store-beat")

    def look(self, at: datetime) -> Readings:
        """Return what is seen now; what cannot be seen is None."""
        readings: dict[str, Mapping[str, float] | None] = {
            "store-away": {"": 0.0 if self._store_answers() else AWAY},
            "store-disk-full": self._disk(),
        }
        if not self._redis_answers():
            return {**readings, "redis-away": {"": AWAY}}
        with suppress(QueueUnavailableError):  # it has gone meanwhile
            return {**readings, "redis-away": {"": 0.0}, **self._of_redis(at)}
        return readings

    def _of_redis(self, at: datetime) -> dict[str, Mapping[str, float] | None]:
        board, queue = self._parts.board, self._parts.queue
        cluster = board.cluster()
        recent = at - timedelta(seconds=FAILURES_WITHIN_S)
        failed = board.in_trouble(JobState.FAILED, since=recent, limit=MOST_FAILURES)
        day = at - timedelta(seconds=DEAD_WITHIN_S)
        dead = board.in_trouble(JobState.DEAD, since=day, limit=MOST_FAILURES)
        waited = {lane: oldest_wait_s(queue, board, lane, at) for lane in Lane}
        return {
            "scheduler-silent": {"": AWAY if cluster is None else 0.0},
            "queue-old": {lane.value: seconds for lane, seconds in waited.items() if seconds},
            "jobs-fail": {"": float(len(failed) + len(within(dead, at, FAILURES_WITHIN_S)))},
            "dead-letter": {"": float(len(dead))},
            **self._of_nodes(cluster),
        }

    def _of_nodes(self, cluster: ClusterStatus | None) -> dict[str, Mapping[str, float] | None]:
        if cluster is None:
            return {"node-busy": None, "node-disk-full": None}
        told = [(node, node.vitals) for node in cluster.nodes if node.vitals is not None]
        is_watched = self._folder is not None and is_same_disk(self._folder, Path(tempfile.gettempdir()))
        disks = [(node, vitals) for node, vitals in told if not (is_watched and _is_here(node))]
        return {
            "node-busy": {node.address: vitals.cpu_percent for node, vitals in told},
            "node-disk-full": {node.address: vitals.disk_percent for node, vitals in disks},
        }

    def _disk(self) -> Mapping[str, float] | None:
        if self._folder is None:
            return {}
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return None
        return {"": 100.0 * usage.used / max(1, usage.used + usage.free)}

    def _store_answers(self) -> bool:
        """Whether the store keeps a few bytes soon; one that hangs is asked again when it has answered."""
        try:
            self._beat.answer(BEAT_S)
        except (HalorowError, OSError):  # a TimeoutError among them
            return False
        return True

    def _write(self) -> None:
        self._parts.store.put_bytes(BEAT, b"", durable=False)


def within(ended: list[JobStatus], at: datetime, seconds: float) -> list[JobStatus]:
    """Return those of the jobs that ended within so many seconds."""
    oldest = at - timedelta(seconds=seconds)
    return [status for status in ended if status.finished_at is not None and status.finished_at >= oldest]


def is_same_disk(one: Path, other: Path) -> bool:
    """Whether two folders lie on the same disk: what is told of the one need not be told of the other."""
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def _is_here(node: NodeStatus) -> bool:
    return node.address.startswith("127.")
