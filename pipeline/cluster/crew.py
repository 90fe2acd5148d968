"""The one-rank workers of the cluster: on the nodes that are kept, as many as each has room for."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from pipeline.cluster.nodes import Node
from pipeline.cluster.worker import SINGLE, STOP_S, Worker, actor_class
from pipeline.config import Settings
from pipeline.decisions.gpus import worker_shares

PREFIX = "worker-"
_ID_CHARACTERS = 16  # of a node's id, in the names of its workers


class Crew:
    """Makes and lets go of workers. Who they are is known to Ray alone, so nothing is lost with this."""

    def __init__(self, settings: Settings) -> None:
        """Know nobody yet."""
        self._settings = settings
        self._leaving: set[str] = set()
        self._asked: dict[str, Any] = {}
        self._met = False

    def keep(self, kept: Sequence[Node], leaving: Iterable[Node] = ()) -> list[Any]:
        """Have workers on all nodes of ``kept`` and on no others; return those that are to stay.

        Workers on other nodes end their job first; on those of ``leaving``, which will be gone soon, they
        give it back. Raises RayError.
        """
        wanted = {
            f"{PREFIX}{node.id[:_ID_CHARACTERS]}-{number}": (node, gpus)
            for node in kept
            for number, gpus in enumerate(worker_shares([node.resources], SINGLE))
        }
        there = self._names()
        self._meet(there)
        hurried = tuple(f"{PREFIX}{node.id[:_ID_CHARACTERS]}-" for node in leaving)
        self._leaving = (self._leaving | (there - wanted.keys())) & there
        self._asked = {name: asked for name, asked in self._asked.items() if name in self._leaving}
        for name in self._leaving:
            self._dismiss(name, at_once=name.startswith(hurried))
        return [self._worker(name, *wanted[name]) for name in sorted(wanted.keys() - self._leaving)]

    def all(self) -> list[Any]:
        """Return all workers there are. Raises RayError."""
        found = []
        for name in self._names():
            with suppress(ValueError):  # gone meanwhile
                found.append(self._handle(name))
        return found

    def _names(self) -> set[str]:
        listed: Any = ray.util.list_named_actors  # Ray leaves it without types
        ours = (
            one for one in listed(all_namespaces=True) if one["namespace"] == self._settings.ray_namespace
        )
        return {one["name"] for one in ours if one["name"].startswith(PREFIX)}

    def _meet(self, there: set[str]) -> None:
        """Find out who was leaving before this process began."""
        if self._met:
            return
        asked = {}
        for name in there:
            with suppress(ValueError):
                asked[self._handle(name).is_leaving.remote()] = name
        answered, _ = ray.wait([*asked], num_returns=len(asked), timeout=STOP_S) if asked else ([], [])
        for answer in answered:
            with suppress(RayError):
                if ray.get(answer):
                    self._leaving.add(asked[answer])
        self._met = True

    def _dismiss(self, name: str, *, at_once: bool) -> None:
        """Ask a worker to leave, and end it once it has said that it has nothing more to do."""
        asked = self._asked.pop(name, None)
        if asked is not None and not ray.wait([asked], timeout=0)[0]:
            self._asked[name] = asked
            return
        with suppress(ValueError):  # gone meanwhile
            worker, over = self._handle(name), False
            with suppress(RayError):
                over = asked is not None and bool(ray.get(asked))
            if over:
                ray.kill(worker)
            else:
                self._asked[name] = worker.leave.remote(at_once)

    def _handle(self, name: str) -> Any:  # noqa: ANN401  (Ray's handles have no type)
        return ray.get_actor(name, namespace=self._settings.ray_namespace)

    def _worker(self, name: str, node: Node, gpus: float) -> Any:  # noqa: ANN401  (as above)
        """Return the worker of a name, made if there is none."""
        with suppress(ValueError):
            return self._handle(name)
        # Without `soft` it ends with its node instead of starting anew elsewhere.
        place = NodeAffinitySchedulingStrategy(node.id, soft=False)
        return (
            actor_class(Worker, max_restarts=-1, max_task_retries=-1)
            .options(
                name=name,
                namespace=self._settings.ray_namespace,
                lifetime="detached",
                get_if_exists=True,
                resources={SINGLE: 1},
                num_gpus=gpus,
                scheduling_strategy=place,
            )
            .remote(name, self._settings)
        )
