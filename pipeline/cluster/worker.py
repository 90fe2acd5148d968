"""The Ray actors that work on jobs: one-rank workers, and gangs that hold a world each."""

import os
import tempfile
import threading
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ray

from mpi_stage.errors import WorldError
from pipeline import logs
from pipeline.attempts.plan_router import PlanRouter
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.cluster.resting import Resting
from pipeline.cluster.vitals import tell_vitals
from pipeline.cluster.world_nodes import RayNodes, node_address
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.decisions.routing import Cores
from pipeline.models import Claim, Lane
from pipeline.ports import Staging
from pipeline.submitting.budgets import job_budget
from pipeline.worlds.hydra import SpreadWorld
from pipeline.worlds.warm import WarmWorld
from pipeline.worlds.world import World

STOP_S = 5.0
"""How long a stopping worker may take to give its job back."""

SINGLE = "single"
"""The Ray resource that a one-rank worker takes; a node has as many as it is to have workers."""

FIRST = "-0"
"""How the name ends of the worker of a node that tells how the node is."""


def actor_class(kind: type, **options: Any) -> Any:  # noqa: ANN401  # Ray's actor classes have no types
    """Return a class as a Ray actor class that takes no core by itself."""
    make = ray.remote(num_cpus=0, **options)
    return make(kind)


def scratch_folder(name: str) -> Path:
    """Return where a worker of this name keeps its files on this machine."""
    return Path(tempfile.gettempdir()) / f"halorow-scratch-{os.getuid()}" / name


def run_or_die(work: Callable[[], None]) -> threading.Thread:
    """Run ``work`` in a thread; if it ends by an exception, end the process, for Ray to start anew."""

    def body() -> None:
        try:
            work()
        except BaseException:  # noqa: BLE001  # whatever it was, Ray starts a new process
            logs.get_logger().exception("a worker's thread ended")
            os._exit(1)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread


class Worker(Resting):
    """Ray actor that pulls jobs from the single lane by itself, from its start and after every restart.

    It works on the next job's pixels in a warm process of its own; this process never decodes.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        """Start pulling."""
        logs.configure(settings.log_level)
        self._name = name
        self._runner: JobRunner | None = None
        self._stopping = False
        self._leaving = False
        self._settings = settings
        self._over = threading.Event()
        self._thread = run_or_die(self._work)
        self.rest_from_now_on()

    def _work(self) -> None:
        world = WarmWorld(1)
        parts = connect_parts(self._settings)
        if self._name.endswith(FIRST):
            node = ray.get_runtime_context().get_node_id()
            run_or_die(partial(tell_vitals, parts.operators, node, self._over))
        runner = JobRunner(
            parts,
            world,
            Workplace(
                parts.store,
                scratch_folder(f"{self._settings.ray_namespace}-{self._name}"),
                job_budget(self._settings),
                band_bytes=self._settings.band_bytes,
            ),
            lane=Lane.SINGLE,
            consumer=f"{self._name}-{uuid.uuid4().hex[:8]}",
            router=PlanRouter(world.plan, Cores(self._settings.world_cores)),
            stall_s=self._settings.stall_s,
        )
        self._runner = runner
        if self._stopping or self._leaving:
            return
        try:
            world.warm_up()
        except WorldError:
            logs.get_logger(worker=self._name).exception("no stage process; it will be tried for each job")
        runner.run_forever()
        self._over.set()
        world.close()

    def ping(self) -> dict[str, Any]:
        """Return who this is."""
        return {"name": self._name, "pid": os.getpid(), "ready": self._runner is not None}

    def is_leaving(self) -> bool:
        """Whether it has been told to leave."""
        return self._leaving

    def leave(self, at_once: bool) -> bool:
        """Pull no more, and bring the job in work to its end or, ``at_once``, give it back.

        Returns whether that is done, and this may be ended.
        """
        self._leaving = True
        if at_once:
            self.stop()
        elif self._runner is not None:
            self._runner.retire()
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Give the job back and pull no more."""
        self._stopping = True
        if self._runner is not None:
            self._runner.stop()
        self._thread.join(STOP_S)


class Gang:
    """Ray actor in a placement group that works with one world on the jobs the scheduler hands it.

    It supervises the world, from the node of the group's first bundle.
    """

    def __init__(self, name: str, ranks: Sequence[int], settings: Settings) -> None:
        """Get ready for a world of so many ranks in each bundle; it starts with the first job."""
        logs.configure(settings.log_level)
        self._name = name
        self._parts = connect_parts(settings)
        self._folder = scratch_folder(f"{settings.ray_namespace}-{name}")
        self._settings = settings
        self._ranks = ranks
        self._nodes: RayNodes | None = None
        self._world = WarmWorld(sum(ranks), self._start)
        self._runner = JobRunner(
            self._parts,
            self._world,
            Workplace(self._parts.store, self._folder, job_budget(settings), band_bytes=settings.band_bytes),
            lane=Lane.GANG,
            consumer=name,
            stall_s=settings.stall_s,
        )

    def _start(self) -> World:
        """Start a world: on this machine, or over the group's nodes. Raises WorldError, ServiceError."""
        if len(self._ranks) == 1:
            return World(self._ranks[0])
        group: Any = ray.util.get_current_placement_group()
        interface = self._settings.interface
        if self._nodes is None:
            self._nodes = RayNodes(group, self._ranks, self._folder, interface)
        if isinstance(self._parts.store, Staging):
            self._nodes.check_shared(self._parts.store.staging_path("shared"))
        return SpreadWorld(self._nodes, node_address(interface))

    def ping(self) -> dict[str, Any]:
        """Return who this is."""
        return {"name": self._name, "pid": os.getpid()}

    def work(self, claim: Claim) -> bool:
        """Bring a job that the scheduler has claimed to its end, or back into the queue.

        Returns whether this gang is good for another: one over several nodes is not once its world has
        ended, since a node may have gone.
        """
        self._runner.work(claim)
        return len(self._ranks) == 1 or self._world.alive

    def stop(self) -> None:
        """Give the job back; the call that works on it returns soon."""
        self._runner.stop()

    def close(self) -> None:
        """End the world."""
        self._world.close()
        if self._nodes is not None:
            self._nodes.close()
