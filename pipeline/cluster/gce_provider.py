"""Machines of Compute Engine for Ray: its own provider, taught what becomes of them in practice.

``cluster.yaml`` names it. Two things are other than in Ray's provider:

- **Machines vanish.** Spot machines are deleted by Compute Engine at any time, and every call about one then
  ends with 404. Here such a machine counts as ended: no round of the autoscaler fails for it, and it does
  not keep the others of its batch from being deleted (compare ray-project/ray#29698).
- **Machines cannot be had.** A zone that has no more of a type, or a quota that is used up, is no passing
  fault, but Ray asks for the same type again at once, and for ever. Here such a machine is listed as one that
  does not come up. When Ray has waited for it long enough (its setting for that is in ``cluster.yaml``)
  it prefers another type that serves as well: on-demand machines where spot ones are out.

Nothing of the project is changed by ``ray up``: accounts, keys and network are made by hand, with fewer
rights than Ray's launcher would give itself (``docs/deploy-gce.md``).
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from pipeline.extras import require

try:
    from googleapiclient import discovery
    from googleapiclient.errors import HttpError
    from ray.autoscaler._private.gcp.config import build_request
    from ray.autoscaler._private.gcp.node import GCPCompute, GCPComputeNode, GCPNodeType
    from ray.autoscaler._private.gcp.node_provider import GCPNodeProvider
except ModuleNotFoundError:
    require("googleapiclient", "a cluster on Google Compute Engine")
    raise

NOT_FOUND = 404

OUT_OF_MACHINES = frozenset(
    {
        "ZONE_RESOURCE_POOL_EXHAUSTED",
        "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
        "QUOTA_EXCEEDED",
        "quotaExceeded",
    }
)
"""What Compute Engine says where there is no machine to be had: of operations, and of refused requests."""

logger = logging.getLogger(__name__)


class GceNodeProvider(GCPNodeProvider):
    """Ray's provider for Compute Engine, for machines that vanish or cannot be had. For many threads."""

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        """Take the section ``provider`` of ``cluster.yaml``; ``endpoint`` may name another server."""
        self._missed: dict[str, dict[str, str]] = {}
        super().__init__(provider_config, cluster_name)

    def _construct_clients(self) -> None:
        endpoint = self.provider_config.get("endpoint")
        client = discovery.build(
            "compute",
            "v1",
            requestBuilder=build_request,
            cache_discovery=False,
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )
        self._compute = GCPCompute(
            client,
            self.provider_config["project_id"],
            self.provider_config["availability_zone"],
            self.cluster_name,
        )
        self.resources = {GCPNodeType.COMPUTE: self._compute}

    @staticmethod
    def bootstrap_config(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """Return the configuration as it stands: it names accounts, key and network."""
        return cluster_config

    def non_terminated_nodes(self, tag_filters: Mapping[str, str]) -> list[str]:
        """Return the ids of all machines with these tags, with those that cannot be had."""
        with self.lock:
            found: list[str] = super().non_terminated_nodes(tag_filters)
            missed = [name for name, tags in self._missed.items() if tag_filters.items() <= tags.items()]
            return [*found, *(name for name in missed if name not in found)]

    def _get_node(self, node_id: str) -> GCPComputeNode:
        """Return a machine as it is now; one that cannot be had or has vanished is not running."""
        if node_id in self._missed:
            tags = self._missed[node_id]
            return GCPComputeNode({"name": node_id, "status": "PROVISIONING", "labels": tags}, self._compute)
        try:
            node: GCPComputeNode = super()._get_node(node_id)
        except HttpError as error:
            _check_vanished(error, node_id)
            gone = {"name": node_id, "status": "TERMINATED", "labels": {}, "labelFingerprint": ""}
            return GCPComputeNode(gone, self._compute)
        return node

    def set_node_tags(self, node_id: str, tags: dict[str, str]) -> None:
        """Set tags of a machine; of one that has vanished there are none to set."""
        try:
            super().set_node_tags(node_id, tags)
        except HttpError as error:
            _check_vanished(error, node_id)

    def create_node(
        self, base_config: dict[str, Any], tags: dict[str, str], count: int
    ) -> dict[str, dict[str, Any]]:
        """Ask for machines; return the operations by id. Raises the first fault, after the last machine."""
        asked: dict[str, dict[str, Any]] = {}
        faults: list[Exception] = []
        for _ in range(count):
            try:
                with self.lock:
                    operation, name = self._compute.create_instance(
                        base_config, tags, wait_for_operation=False
                    )
                asked[name] = operation
            except HttpError as error:
                self._note(f"{tags['ray-node-name']}-{uuid4().hex[:8]}-compute", tags, error, faults)
        for name, operation in asked.items():
            try:
                self._compute.wait_for_operation(operation)
            except Exception as error:  # noqa: BLE001  (Ray raises nothing more special)
                self._note(name, tags, error, faults)
        if faults:
            raise faults[0]
        return asked

    def _note(self, name: str, tags: dict[str, str], error: Exception, faults: list[Exception]) -> None:
        """Remember a machine that cannot be had, or else a fault."""
        if _codes(error) & OUT_OF_MACHINES:
            logger.warning("a %s cannot be had now: %s", tags.get("ray-user-node-type"), error)
            with self.lock:
                self._missed[name] = dict(tags)
        else:
            faults.append(error)

    def terminate_node(self, node_id: str) -> dict[str, Any] | None:
        """Begin to delete a machine; the list tells when it is done."""
        with self.lock:
            if self._missed.pop(node_id, None) is not None:
                return None
            try:
                operation: dict[str, Any] = self._compute.delete_instance(node_id, wait_for_operation=False)
            except HttpError as error:
                _check_vanished(error, node_id)
                return None
            return operation

    def terminate_nodes(self, node_ids: Sequence[str]) -> None:
        """Begin to delete machines. Raises the first fault, after the last machine."""
        faults: list[HttpError] = []
        for node_id in node_ids:
            try:
                self.terminate_node(node_id)
            except HttpError as error:
                faults.append(error)
        if faults:
            raise faults[0]


def _check_vanished(error: HttpError, node_id: str) -> None:
    """Raise an error again unless it says that a machine is not known any more."""
    if error.resp.status != NOT_FOUND:
        raise error
    logger.info("machine %s has vanished", node_id)


def _codes(error: Exception) -> set[str]:
    """Return what Compute Engine calls a fault, of an operation or of a refused request."""
    if isinstance(error, HttpError):
        details = error.error_details if isinstance(error.error_details, list) else []
        return {str(detail.get("reason")) for detail in details} | {
            str(detail.get("code")) for detail in details
        }
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return {str(detail.get("code")) for detail in told.get("errors", [])}
