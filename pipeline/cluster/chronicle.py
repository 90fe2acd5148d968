"""How the cluster is, completed by what the nodes tell of themselves, and how it was over time."""

import time

from pipeline.cluster.vitals import VITALS_S, take_vitals
from pipeline.models import ClusterStatus, NodeStatus, Sample, Vitals
from pipeline.parts import Parts

SAMPLE_S = 10.0
"""How often the series of samples goes on."""


class Chronicle:
    """Keeps what operators look at up to date; in the scheduler, which runs on the head."""

    def __init__(self, parts: Parts) -> None:
        """Keep it on the boards of ``parts``."""
        self._parts = parts
        self._here: Vitals | None = None
        self._looked_s = self._sampled_s = float("-inf")

    def keep(self, status: ClusterStatus) -> ClusterStatus:
        """Post how the cluster is, with the vitals of its nodes; return that.

        Raises QueueUnavailableError.
        """
        told = self._parts.operators.vitals([node.id for node in status.nodes])
        nodes = [self._with_vitals(node, told.get(node.id)) for node in status.nodes]
        full = status.model_copy(update={"nodes": nodes})
        self._parts.board.put_cluster(full)
        if time.monotonic() - self._sampled_s >= SAMPLE_S:
            self._parts.operators.add_sample(Sample.of(full))
            self._sampled_s = time.monotonic()
        return full

    def _with_vitals(self, node: NodeStatus, told: Vitals | None) -> NodeStatus:
        """Return a node with what it told; of the head, where no worker may be, with what is seen here."""
        return node.model_copy(update={"vitals": self._own() if node.is_head else told})

    def _own(self) -> Vitals:
        if self._here is None or time.monotonic() - self._looked_s >= VITALS_S:
            self._here, self._looked_s = take_vitals(), time.monotonic()
        return self._here
