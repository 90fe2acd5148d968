"""What operators look at, in this process's memory: for tests of what stands on it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.models import AlertsStatus, Sample, Vitals
from pipeline.ports import SAMPLES_KEPT


@dataclass
class MemoryOperatorBoard:
    """Implements ``pipeline.ports.OperatorBoard``; nothing is forgotten by time."""

    _vitals: dict[str, Vitals] = field(default_factory=dict)
    _samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=SAMPLES_KEPT))
    _alerts: AlertsStatus | None = None

    def put_vitals(self, node_id: str, vitals: Vitals) -> None:
        """Write how a node is."""
        self._vitals[node_id] = vitals

    def vitals(self, node_ids: Sequence[str]) -> dict[str, Vitals]:
        """Return how those of the nodes are that have told."""
        return {node_id: self._vitals[node_id] for node_id in node_ids if node_id in self._vitals}

    def add_sample(self, sample: Sample) -> None:
        """Go on with the series of samples, of which the last ones are kept."""
        self._samples.append(sample)

    def samples(self, since: datetime) -> list[Sample]:
        """Return the samples that were made since then, the oldest first."""
        return [sample for sample in self._samples if sample.at >= since]

    def put_alerts(self, status: AlertsStatus) -> None:
        """Write which alerts there are."""
        self._alerts = status

    def alerts(self) -> AlertsStatus | None:
        """Return which alerts there are, None where nobody has said so."""
        return self._alerts
