"""Ray's autoscaler, version 2, round by round: the real one, told of a cluster that a test makes up.

What Ray's control service would say of nodes and demands is given by the test; machines come from the
provider that the configuration names, installing Ray on them is left out.
"""

from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.providers import _clear_provider_cache
from ray.autoscaler.tags import (
    NODE_KIND_HEAD,
    STATUS_UP_TO_DATE,
    TAG_RAY_LAUNCH_CONFIG,
    TAG_RAY_NODE_KIND,
    TAG_RAY_NODE_NAME,
    TAG_RAY_NODE_STATUS,
    TAG_RAY_USER_NODE_TYPE,
)
from ray.autoscaler.v2.autoscaler import Autoscaler
from ray.autoscaler.v2.instance_manager.config import FileConfigReader
from ray.core.generated.autoscaler_pb2 import (
    ClusterResourceState,
    GetClusterResourceStateReply,
    NodeState,
    NodeStatus,
    ResourceRequest,
)

CONNECTIONS_LEFT = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning",
    "ignore:unclosed <socket:ResourceWarning",
)
"""For tests of its provider for Compute Engine, which leaves connections to the collector of garbage."""

HEAD_TAGS = {
    TAG_RAY_NODE_NAME: "ray-halorow-head",
    TAG_RAY_NODE_KIND: NODE_KIND_HEAD,
    TAG_RAY_USER_NODE_TYPE: "head",
    TAG_RAY_LAUNCH_CONFIG: "made-by-hand",
    TAG_RAY_NODE_STATUS: STATUS_UP_TO_DATE,
}


class ControlService:
    """What the autoscaler asks Ray's control service for."""

    address = "10.20.0.2:6379"

    def __init__(self) -> None:
        """Begin without nodes and demands."""
        self.nodes: dict[str, dict[str, float]] = {}
        self.types: dict[str, str] = {}
        self.demands: list[dict[str, float]] = []
        self._version = 0

    def join(self, machine: str, node_type: str, resources: dict[str, float]) -> None:
        """Have Ray come up on a machine."""
        self.nodes[machine] = resources
        self.types[machine] = node_type

    def get_cluster_resource_state(self) -> bytes:
        """Return the state as the control service would send it."""
        self._version += 1
        nodes = [
            NodeState(
                node_id=machine.encode(),
                instance_id=machine,
                ray_node_type_name=self.types[machine],
                total_resources=resources,
                available_resources=resources,
                status=NodeStatus.RUNNING,
                node_state_version=self._version,
            )
            for machine, resources in self.nodes.items()
        ]
        state = ClusterResourceState(cluster_resource_state_version=self._version, node_states=nodes)
        for demand in self.demands:
            state.pending_resource_requests.add(request=ResourceRequest(resources_bundle=demand), count=1)
        return bytes(GetClusterResourceStateReply(cluster_resource_state=state).SerializeToString())

    def drain_nodes(self, node_ids: list[bytes]) -> list[bytes]:
        """Let nodes go."""
        for node_id in node_ids:
            self.nodes.pop(node_id.decode(), None)
        return node_ids


class Rounds:
    """An autoscaler whose head is up."""

    def __init__(self, config: dict[str, Any], path: Path) -> None:
        """Make the head's machine, and the autoscaler."""
        path.write_text(yaml.safe_dump(config))
        _clear_provider_cache()
        self.control = ControlService()
        self.autoscaler = Autoscaler("session", FileConfigReader(str(path)), self.control)
        self.adapter = self.autoscaler._cloud_instance_provider
        self.provider = self.adapter.v1_provider
        (head,) = self.provider.create_node(
            config["available_node_types"]["head"]["node_config"], HEAD_TAGS, 1
        )
        self.control.join(head, "head", {"node:__internal_head__": 1.0})

    def round(self) -> Any:
        """Have the autoscaler look once, and whatever it asks the provider for be done; return its state."""
        state = self.autoscaler.update_autoscaling_state()
        # In their order: what is asked for is put into the second by the first. A barrier holds each of
        # its threads until all have come to it, which is when none is at work any more.
        self.adapter._main_executor.submit(int).result()
        launchers = self.adapter._node_launcher_executors
        barrier = Barrier(launchers._max_workers)
        for waiting in [launchers.submit(barrier.wait) for _ in range(barrier.parties)]:
            waiting.result()
        return state

    def close(self) -> None:
        """End its threads."""
        self.adapter._main_executor.shutdown()
        self.adapter._node_launcher_executors.shutdown()
