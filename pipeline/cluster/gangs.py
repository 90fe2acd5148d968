"""One place for a world: reserve the cores, start the actor, hand it a job, let go when idle."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.placement_group import (
    PlacementGroup,
    placement_group,
    placement_group_table,
    remove_placement_group,
)
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from mpi_stage.errors import NodeLostError
from pipeline import logs
from pipeline.attempts.aftermath import Aftermath
from pipeline.attempts.heart import Heart
from pipeline.attempts.pulse import Pulse
from pipeline.cluster.nodes import draining, machines, nodes
from pipeline.cluster.worker import SINGLE, STOP_S, Gang, actor_class
from pipeline.config import Settings
from pipeline.decisions.gpus import CPU, GPU, cores_beside_gpus, gpus_to_hope_for, world_gpus
from pipeline.decisions.placement import cores_on_nodes, cores_today, ranks_on_nodes
from pipeline.decisions.retry import device_of_next
from pipeline.errors import QueueUnavailableError, StoreError
from pipeline.models import AttemptOutcome, Claim
from pipeline.parts import Parts

PLACE_S = 10.0
"""A group made before Ray has noticed a lost node may wait for it for minutes; a new one does not."""

FREE_S = 1.0
"""Free cores are given within this; if not, somebody holds them."""

LOOK_S = 0.5

NODE_LOSS_S = 30.0
"""Ray has noticed the loss of a node by then, with the health checks of ``cluster.yaml`` too."""


@dataclass(frozen=True)
class Held:
    """Where a world holds cores: by the id of each node its ranks there and its cores."""

    ranks: dict[str, int]
    cores: dict[str, int]
    at_work: bool


@dataclass(frozen=True)
class Shared:
    """What the holders of one scheduler share, and tell it.

    That it ends; that one of them waits for cores; and what each of them holds, by its name.
    """

    stopping: threading.Event = field(default_factory=threading.Event)
    cores_wanted: threading.Event = field(default_factory=threading.Event)
    held: dict[str, Held] = field(default_factory=dict)


class GangHolder:
    """At most one placement group with one gang; for one thread of the scheduler."""

    def __init__(self, parts: Parts, settings: Settings, name: str, shared: Shared) -> None:
        """Hold nothing yet."""
        self._wanted = shared.cores_wanted
        self._held = shared.held
        self._parts = parts
        self._settings = settings
        self._name = name
        self._stopping = shared.stopping
        self._group: PlacementGroup | None = None
        self._gang: Any = None
        self._heart = Heart()
        self._ranks = 0
        self._gpus = 0.0
        self._cores = 0
        self._nodes: list[str] = []
        self._made = 0
        self._used_at = 0.0
        self._log = logs.get_logger(part=name)

    def work(self, claim: Claim) -> None:
        """Have a claimed job done. Raises QueueUnavailableError, StoreError, RayError."""
        with Pulse(claim, self._parts, self._heart, stopping=self._stopping) as pulse:
            # Renews the lease while the cores are waited for; the gang then renews it itself.
            ranks = self._ranks_of(claim)
            placed = self._placed(ranks, self._gpus_of(claim, ranks), pulse)
        if not placed:
            Aftermath(self._parts).put_back(claim)
            return
        job = self._gang.work.remote(claim)
        self._at_work(now=True)
        try:
            if not self._await(job):
                self.drop()
        except RayError as error:
            # An attempt without a note counts as a death; another may claim the job at once.
            self._log.warning("a gang died", job=claim.job_id, error=str(error))
            lost = threading.Thread(
                target=self._excuse, args=(claim, next(iter(self._nodes), "")), daemon=True
            )
            self.drop()
            with suppress(QueueUnavailableError):
                self._parts.queue.requeue(claim)
            lost.start()
        self._at_work(now=False)
        self._used_at = time.monotonic()

    def _at_work(self, *, now: bool) -> None:
        if self._name in self._held:
            self._held[self._name] = replace(self._held[self._name], at_work=now)

    def _excuse(self, claim: Claim, node: str) -> None:
        """Note that the job is not to blame for its attempt's end, where the gang's node has gone.

        A gang may be missed before its node is: Ray takes some seconds to be sure of that.
        """
        deadline = time.monotonic() + NODE_LOSS_S
        with suppress(QueueUnavailableError, StoreError, RayError):
            while node in node_ids():
                if time.monotonic() > deadline or self._stopping.wait(LOOK_S):
                    return
            self._note_loss(claim)

    def _note_loss(self, claim: Claim) -> None:
        records = self._parts.records
        attempts = records.history(claim.job_id).attempts
        mine = [one.attempt for one in attempts if one.worker == claim.consumer]
        if not mine:
            return
        outcome = AttemptOutcome(
            job_id=claim.job_id,
            attempt=max(mine),
            kind=NodeLostError.__name__,
            message="the node of the world's supervisor was lost",
            retryable=True,
            counts=False,
        )
        records.end_attempt(outcome)
        if records.standing(claim.job_id).newest == outcome.attempt:  # else the next one has counted it
            self._parts.ledger.retried(claim.lane)

    def rest(self) -> None:
        """Let go of a gang that has been idle for long enough, or whose cores another waits for.

        Also of one with a node that will be gone soon. Raises RayError.
        """
        if self._gang is None:
            return
        idle_s = time.monotonic() - self._used_at
        if idle_s > self._settings.idle_s or self._wanted.is_set() or self._is_leaving():
            self.drop()
            self._wanted.clear()

    def _is_leaving(self) -> bool:
        """Whether a node of the gang will be gone soon."""
        return not draining().isdisjoint(self._nodes)

    def drop(self) -> None:
        """End the gang and give its cores back."""
        gang, group, self._gang, self._group = self._gang, self._group, None, None
        self._nodes = []
        self._held.pop(self._name, None)
        if gang is not None:
            with suppress(RayError):
                ray.get(gang.close.remote(), timeout=STOP_S)
            with suppress(RayError):
                ray.kill(gang)
        if group is not None:
            with suppress(RayError):
                remove_placement_group(group)

    def _ranks_of(self, claim: Claim) -> int:
        manifest = self._parts.records.manifest(claim.job_id)
        if manifest.ranks is not None:
            return manifest.ranks
        outcomes = self._parts.records.history(claim.job_id).outcomes.values()
        return next((outcome.ranks for outcome in outcomes if outcome.ranks), self._settings.world_cores)

    def _gpus_of(self, claim: Claim, ranks: int) -> float:
        records = self._parts.records
        history = records.history(claim.job_id)
        device = device_of_next(records.manifest(claim.job_id).device, history.lost(history.highest + 1))
        return world_gpus(device, ranks, machines(), SINGLE)

    def _placed(self, ranks: int, gpus: float, pulse: Pulse) -> bool:
        """Hold a gang of so many ranks; False if the job or the scheduler was stopped meanwhile."""
        same = (self._ranks, self._gpus) == (ranks, gpus)
        if self._gang is not None and same and not self._is_crowded(ranks) and not self._is_leaving():
            return True
        self.drop()
        since_s = time.monotonic()
        while not pulse.stopped():
            waited_s = time.monotonic() - since_s
            patient = waited_s < self._settings.more_nodes_s
            gpus = gpus if patient else gpus_to_hope_for(gpus, machines())
            cores = self._shape(ranks, gpus, patient=patient)
            strategy = "STRICT_SPREAD" if len(cores) > 1 else "PACK"
            part = {GPU: gpus} if gpus else {}
            self._group = placement_group([{CPU: number, **part} for number in cores], strategy=strategy)
            if self._group.wait(FREE_S) or self._wait_for_others():
                self._start(ranks, gpus, cores)
                return True
            remove_placement_group(self._group)
            self._group = None
        return False

    def _is_crowded(self, ranks: int) -> bool:
        """Whether the gang has fewer cores than it could have, now that nodes have come."""
        return not self._gpus and self._cores < cores_today(
            min(ranks, self._settings.world_cores), node_cores()
        )

    def _shape(self, ranks: int, gpus: float, *, patient: bool) -> list[int]:
        """Return the cores that a world is to have on each node: all it wants, or what there is.

        Which nodes there are may change at any time, so this is asked again for every group.
        """
        wanted = min(ranks, self._settings.world_cores)
        if gpus:
            return [cores_beside_gpus(wanted, gpus, machines())]
        there = node_cores()
        further = self._settings.node_cores if self._settings.nodes_max else None
        return cores_on_nodes(wanted if patient else cores_today(wanted, there) or wanted, there, further)

    def _wait_for_others(self) -> bool:
        """Ask idle gangs for their cores, and wait for them."""
        self._wanted.set()
        return self._group is not None and bool(self._group.wait(PLACE_S))

    def _start(self, ranks: int, gpus: float, cores: Sequence[int]) -> None:
        self._made += 1
        self._ranks, self._gpus = ranks, gpus
        self._cores = sum(cores)
        options: dict[str, Any] = {"num_gpus": gpus}
        if self._group is not None:
            table: Any = placement_group_table(self._group)
            self._nodes = [table["bundles_to_node_id"][bundle] for bundle in range(len(cores))]
            options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(
                placement_group=self._group, placement_group_bundle_index=0
            )
        kind = actor_class(Gang, max_restarts=0, max_concurrency=3)
        name = f"{self._name}-{self._made}"
        dealt = ranks_on_nodes(ranks, cores)
        self._gang = kind.options(**options).remote(name, dealt, self._settings)
        self._held[self._name] = Held(
            ranks=dict(zip(self._nodes, dealt, strict=True)),
            cores=dict(zip(self._nodes, cores, strict=True)),
            at_work=False,
        )

    def _await(self, job: Any) -> bool:  # noqa: ANN401  # Ray's references have no type
        """Wait for the end of a gang's work; return whether the gang is good for more.

        The job is given back, to be done elsewhere, where the scheduler ends or a node will be gone soon.
        """
        asked = False
        while True:
            try:
                return bool(ray.get(job, timeout=LOOK_S)) and not asked
            except GetTimeoutError:
                if not asked and (self._stopping.is_set() or self._is_leaving()):
                    asked = True
                    self._gang.stop.remote()


def node_cores() -> list[int]:
    """Return the cores of each node that may be given work."""
    return [int(machine.get(CPU, 0)) for machine in machines()]


def node_ids() -> list[str]:
    """Return the ids of the nodes that Ray has now."""
    return [node.id for node in nodes()]
