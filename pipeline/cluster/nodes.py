"""The nodes of the Ray cluster, as the service sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray._private.state import state  # where Ray itself asks which nodes are being drained

from pipeline.decisions.gpus import CPU

HEAD = "node:__internal_head__"
"""The resource by which Ray itself marks its head."""


@dataclass(frozen=True)
class Node:
    """A node that Ray has now.

    Attributes
    ----------
    id, address: as Ray has them.
    resources: all that the node has, by name.
    draining: it will be gone soon, and is to be given nothing more.

    """

    id: str
    address: str
    resources: Mapping[str, float]
    draining: bool = False

    @property
    def is_head(self) -> bool:
        """Whether this is the cluster's head, which never goes."""
        return HEAD in self.resources

    @property
    def cores(self) -> int:
        """Cores for worlds."""
        return int(self.resources.get(CPU, 0))


def nodes() -> list[Node]:
    """Return the nodes that Ray has now, those that are being drained too. Raises RayError."""
    listed: Any = ray.nodes  # Ray leaves it without types
    going = draining()
    return [
        Node(one["NodeID"], one["NodeManagerAddress"], one["Resources"], one["NodeID"] in going)
        for one in listed()
        if one["Alive"]
    ]


def draining() -> frozenset[str]:
    """Return the ids of the nodes that will be gone soon. Raises RayError."""
    found: Any = state.get_draining_nodes  # as above
    return frozenset(found())


def machines() -> list[Mapping[str, float]]:
    """Return what each node that may be given work has in all, as Ray counts it. Raises RayError."""
    return [node.resources for node in nodes() if not node.draining]
