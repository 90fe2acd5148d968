"""The scheduler: places worlds, keeps the workers there, and brings Redis in line with the store.

``python -m pipeline.cluster.scheduler`` starts it on a cluster that runs, with the settings in force there.
A detached Ray actor. It holds nothing that cannot be lost: what it knows is in the store, in Redis
and in Ray, and it takes up again from there when Ray restarts it.
"""

import threading
import time
import uuid
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import RayError

from pipeline import logs
from pipeline.alerts.rules import rules_of
from pipeline.cluster.chronicle import Chronicle
from pipeline.cluster.crew import Crew
from pipeline.cluster.gangs import GangHolder, Shared
from pipeline.cluster.nodes import HEAD, nodes
from pipeline.cluster.resting import Resting
from pipeline.cluster.scaler import Scaler
from pipeline.cluster.telemetry import Telemetry
from pipeline.cluster.view import cluster_status
from pipeline.cluster.worker import STOP_S, actor_class, run_or_die
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.errors import HalorowError, QueueUnavailableError
from pipeline.keeping.cleaner import clean
from pipeline.keeping.reconcile import rebuild_and_reconcile
from pipeline.models import Claim, ClusterStatus, Lane

NAME = "scheduler"
CLAIM_S = 2.0
PAUSE_S = 1.0
SUPERVISE_S = 5.0
"""How often workers are made and let go, and the cluster is told of."""

SCALE_S = 2.0
"""How often that is, and the size of the cluster decided, where it follows the queue."""

GANGS = 2
"""Worlds at once: one works while the next is being placed. Ray holds back what there are no cores for."""


class Scheduler(Resting):
    """Ray actor that starts its loops when it is made, and again whenever Ray restarts it."""

    def __init__(self, settings: Settings) -> None:
        """Start the loops."""
        logs.configure(settings.log_level)
        self._settings = settings
        self._parts = connect_parts(settings)
        self._log = logs.get_logger(part=NAME)
        self._shared = Shared()
        self._stopping = self._shared.stopping
        self._claiming = threading.Lock()
        self._scaler = Scaler(self._parts, settings)
        self._crew = Crew(settings)
        self._telemetry = Telemetry(rules_of(settings))
        self._chronicle = Chronicle(self._parts)
        self._supervising = threading.Lock()
        loops = [self._reconcile, self._clean, self._supervise, self._listen, *([self._place] * GANGS)]
        self._threads = [run_or_die(loop) for loop in loops]
        self.rest_from_now_on()

    def ping(self) -> bool:
        """Answer that the actor is up."""
        return True

    def workers(self) -> list[Any]:
        """Return a reference for each worker that the cluster has room for: to who it is, when it answers."""
        return [worker.ping.remote() for worker in self._supervised()]

    def stop(self) -> None:
        """End the loops; jobs in work are given back."""
        self._stopping.set()
        with suppress(RayError):
            self._scaler.ask(0)
            stops = [worker.stop.remote() for worker in self._crew.all()]
            ray.wait(stops, num_returns=max(1, len(stops)), timeout=STOP_S)
        deadline = time.monotonic() + STOP_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _reconcile(self) -> None:
        """Compare store and Redis at the start and every few seconds."""
        while not self._stopping.is_set():
            try:
                done = rebuild_and_reconcile(self._parts)
                if done:
                    self._log.info("reconciled", **vars(done))
            except HalorowError as error:
                self._log.warning("cannot reconcile now", error=str(error))
            self._stopping.wait(self._settings.reconcile_s)

    def _clean(self) -> None:
        """Remove every now and then what is kept no longer."""
        while not self._stopping.wait(self._settings.clean_s):
            try:
                done = clean(self._parts, self._settings.retention)
                if done:
                    self._log.info(
                        "cleaned", objects=done.objects, bytes=done.size_bytes, statuses=done.statuses
                    )
            except HalorowError as error:
                self._log.warning("cannot clean now", error=str(error))

    def _supervise(self) -> None:
        """Have as many nodes as the queue needs, and workers on them; Ray restarts those that die."""
        while not self._stopping.is_set():
            try:
                self._supervised()
            except RayError as error:
                self._log.warning("cannot supervise now", error=str(error))
            self._stopping.wait(SCALE_S if self._settings.nodes_max else SUPERVISE_S)

    def _supervised(self) -> list[Any]:
        """Decide on the nodes, and return the workers of those that are kept. Raises RayError."""
        with self._supervising:
            there = nodes()
            at_work = [held for held in list(self._shared.held.values()) if held.at_work]
            busy = {node for held in at_work for node in held.ranks}
            scaled = self._scaler.step(there, busy)
            workers = self._crew.keep(scaled.kept, [node for node in there if node.draining])
            self._tell(cluster_status(there, scaled, list(self._shared.held.values()), self._settings))
            return workers

    def _tell(self, status: ClusterStatus) -> None:
        with suppress(QueueUnavailableError):
            status = self._chronicle.keep(status)
            self._telemetry.alerts(self._parts.operators.alerts())
        self._telemetry.tell(status)

    def _listen(self) -> None:
        """Count how jobs end; what is not heard while Redis is away is not counted."""
        ear = None
        while not self._stopping.is_set():
            try:
                ear = ear or self._parts.bus.subscribe_endings()
                event = ear.next(CLAIM_S)
                if event is not None:
                    self._telemetry.ended(event.status)
            except QueueUnavailableError:
                self._stopping.wait(PAUSE_S)

    def _place(self) -> None:
        """Take jobs of the gang lane and have each done by a world."""
        consumer = f"gang-{uuid.uuid4().hex[:8]}"
        holder = GangHolder(self._parts, self._settings, consumer, self._shared)
        while not self._stopping.is_set():
            try:
                claim = self._claim(consumer)
                if claim is None:
                    holder.rest()
                else:
                    holder.work(claim)
            except QueueUnavailableError:
                self._stopping.wait(PAUSE_S)
            except (HalorowError, RayError) as error:
                # The lease of the job, if there was one, runs out.
                self._log.warning("a gang failed", error=str(error))
                holder.drop()
                self._stopping.wait(PAUSE_S)
        holder.drop()

    def _claim(self, consumer: str) -> Claim | None:
        """Return the lane's next job, None if none came; one of those who wait asks the queue."""
        if not self._claiming.acquire(timeout=CLAIM_S):
            return None
        try:
            return self._parts.queue.claim(Lane.GANG, consumer, CLAIM_S)
        finally:
            self._claiming.release()


def start_scheduler(settings: Settings) -> Any:  # noqa: ANN401  # Ray's handles have no types
    """Return the cluster's one scheduler, made if there is none."""
    kind = actor_class(Scheduler, max_restarts=-1, max_task_retries=-1)
    named = {"name": NAME, "namespace": settings.ray_namespace, "lifetime": "detached"}
    # On the head: elsewhere it would keep a node from being let go, and could be taken away with one.
    place = {"resources": {HEAD: 0.001}}
    return kind.options(**named, **place, get_if_exists=True).remote(settings)


def main() -> None:
    """Start the scheduler on the cluster that this machine is part of; it lives on without us."""
    settings = Settings.load()
    ray.init(settings.ray_address or "auto", namespace=settings.ray_namespace, log_to_driver=False)
    ray.get(start_scheduler(settings).ping.remote())


if __name__ == "__main__":
    main()
