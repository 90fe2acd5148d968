"""How the cluster is, put together from what the scheduler knows; pure."""

from collections.abc import Iterable, Sequence

from pipeline.cluster.gangs import Held
from pipeline.cluster.nodes import Node
from pipeline.cluster.scaler import Scaled
from pipeline.cluster.worker import SINGLE
from pipeline.config import Settings
from pipeline.decisions.autoscale import drain_s
from pipeline.decisions.gpus import worker_shares
from pipeline.models import ClusterStatus, NodeStatus


def cluster_status(
    nodes: Sequence[Node], scaled: Scaled, held: Iterable[Held], settings: Settings
) -> ClusterStatus:
    """Return the cluster as the command line and the metrics show it."""
    worlds, kept, demand = list(held), {node.id for node in scaled.kept}, scaled.demand
    return ClusterStatus(
        nodes=[_node_status(node, node.id in kept, worlds) for node in nodes],
        nodes_wanted=scaled.target.wanted if settings.nodes_max else None,
        nodes_max=settings.nodes_max,
        worlds=len(worlds),
        lanes=dict(scaled.lanes),
        speed=demand.speed if demand else 1.0,
        drain_s=drain_s(demand, settings.node_cores) if demand else 0.0,
    )


def _node_status(node: Node, kept: bool, worlds: Sequence[Held]) -> NodeStatus:
    here = [world for world in worlds if node.id in world.ranks]
    state = "draining" if node.draining else "kept" if kept else "idle"
    return NodeStatus(
        id=node.id,
        address=node.address,
        is_head=node.is_head,
        state=state,
        cores=node.cores,
        cores_used=sum(world.cores[node.id] for world in here),
        memory_bytes=int(node.resources.get("memory", 0)),
        workers=len(worker_shares([node.resources], SINGLE)) if state == "kept" else 0,
        worlds=len(here),
        ranks=sum(world.ranks[node.id] for world in here),
    )
