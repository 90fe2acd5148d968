"""The nodes of a world as Ray has them: an actor in each bundle of a placement group."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.placement_group import PlacementGroup
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from mpi_stage.errors import NodeLostError, WorldError
from pipeline.errors import StoreNotSharedError
from pipeline.worlds.node_agent import Joined, NodeAgent, address_of
from pipeline.worlds.peers import PEER_S
from pipeline.worlds.remote_control import Door

START_S = 30.0
"""How long the actors may take to start, on busy machines."""


class NodeActor:
    """Ray actor that is a world's agent on its node; what it has started ends with it."""

    def __init__(self, interface: str) -> None:
        """Take the address of ``interface``, or the one that Ray uses if that is empty."""
        self._address = node_address(interface)
        self._agent = NodeAgent(self._address)

    def address(self) -> str:
        """Return this node's address."""
        return self._address

    def sees(self, path: Path, text: str) -> bool:
        """Whether a file has a text here."""
        try:
            return path.read_text() == text
        except OSError:
            return False

    def join(self, door: Door, number: int, scratch: Path) -> Joined:
        """Make ready for a world; see ``NodeAgent``."""
        return self._agent.join(door, number, scratch)

    def launch(self, proxy: list[str], ranks: int) -> None:
        """Start Hydra's proxy."""
        self._agent.launch(proxy, ranks)

    def killer(self, wait_s: float) -> int:
        """Return the signal that killed Hydra's proxy, or 0."""
        return self._agent.killer(wait_s)

    def end(self) -> None:
        """End what runs here."""
        self._agent.end()


class RayNodes:
    """The nodes of one placement group's bundles; see ``pipeline.worlds.hydra.Nodes``."""

    def __init__(self, group: PlacementGroup, ranks: Sequence[int], scratch: Path, interface: str) -> None:
        """Start the actors, for so many ranks in each bundle, without waiting for them."""
        self.ranks = list(ranks)
        self._scratch = scratch
        kind: Any = ray.remote(NodeActor)
        options = {"num_cpus": 0, "max_restarts": 0, "max_concurrency": 2}
        self._actors = [
            kind.options(
                **options,
                scheduling_strategy=PlacementGroupSchedulingStrategy(
                    placement_group=group, placement_group_bundle_index=number
                ),
            ).remote(interface)
            for number in range(len(ranks))
        ]
        self._addresses: list[str] = []

    @property
    def addresses(self) -> list[str]:
        """Of the nodes. Raises NodeLostError where one has gone."""
        if not self._addresses:
            self._addresses = self._all([actor.address.remote() for actor in self._actors])
        return self._addresses

    def join(self, door: Door) -> list[Joined]:
        """Have every node make ready. Raises WorldError where one cannot."""
        return self._all(
            [actor.join.remote(door, number, self._scratch) for number, actor in enumerate(self._actors)]
        )

    def launch(self, proxies: Sequence[Sequence[str]]) -> None:
        """Have every node start its proxy. Raises WorldError where one cannot."""
        jobs = zip(self._actors, proxies, self.ranks, strict=True)
        self._all([actor.launch.remote(list(proxy), ranks) for actor, proxy, ranks in jobs])

    def fallen(self, wait_s: float) -> dict[int, int]:
        """Return the numbers of the nodes whose proxy was killed, and by what signal."""
        asked = {number: actor.killer.remote(wait_s) for number, actor in enumerate(self._actors)}
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=PEER_S)
        found = {}
        for number, answer in asked.items():
            with suppress(RayError):  # a node that has gone, or does not answer in time
                found[number] = ray.get(answer, timeout=0)
        return {number: killer for number, killer in found.items() if killer}

    def end(self) -> None:
        """End what the nodes have started; those that do not answer end it by themselves."""
        with suppress(RayError):
            ends = [actor.end.remote() for actor in self._actors]
            ray.wait(ends, num_returns=len(ends), timeout=PEER_S)

    def close(self) -> None:
        """End the actors, and with them all that they have started."""
        for actor in self._actors:
            with suppress(RayError):
                ray.kill(actor)

    def check_shared(self, folder: Path) -> None:
        """Raise StoreNotSharedError where a node does not see what is written in a folder here."""
        folder.mkdir(exist_ok=True)
        text = os.urandom(16).hex()
        path = folder / f"{text}.seen"
        path.write_text(text)
        try:
            seen = self._all([actor.sees.remote(path, text) for actor in self._actors])
        finally:
            path.unlink()
        blind = [address for address, sees in zip(self.addresses, seen, strict=True) if not sees]
        if blind:
            raise StoreNotSharedError(
                f"the store's folder {folder} is not the same on node {', '.join(blind)}, "
                f"but the job's world spans {len(seen)} nodes; share the folder between all nodes, use a "
                "bucket (gs://…) as store, or ask for no more ranks than one node has cores"
            )

    @staticmethod
    def _all(jobs: Sequence[Any]) -> list[Any]:
        try:
            found: list[Any] = ray.get(list(jobs), timeout=START_S)
        except RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, WorldError):
                raise cause from error
            raise NodeLostError(f"a node of the world has gone or does not answer: {error}") from error
        return found


def node_address(interface: str) -> str:
    """Return this node's address: that of an interface, or the one that Ray uses if that is empty."""
    of_ray: Any = ray.util.get_node_ip_address  # Ray leaves it without types
    return address_of(interface) if interface else str(of_ray())
