"""What operators look at, on Redis: how nodes are, the queue over time, alerts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import redis

from pipeline.models import AlertsStatus, Sample, Vitals
from pipeline.ports import CLUSTER_TTL_S, SAMPLES_KEPT
from pipeline.redis import keys
from pipeline.redis.connection import redis_errors


class RedisOperatorBoard:
    """Implements ``pipeline.ports.OperatorBoard``. Safe between threads."""

    def __init__(self, client: redis.Redis) -> None:
        """Use ``client``."""
        self._client = client

    def put_vitals(self, node_id: str, vitals: Vitals) -> None:
        """Write how a node is; forgotten after a minute."""
        with redis_errors(self._client):
            self._client.set(keys.vitals(node_id), vitals.model_dump_json(), ex=CLUSTER_TTL_S)

    def vitals(self, node_ids: Sequence[str]) -> dict[str, Vitals]:
        """Return how those of the nodes are that have told lately."""
        if not node_ids:
            return {}
        with redis_errors(self._client):
            found: Any = self._client.mget([keys.vitals(node_id) for node_id in node_ids])
        told = zip(node_ids, found, strict=True)
        return {node_id: Vitals.model_validate_json(text) for node_id, text in told if text is not None}

    def add_sample(self, sample: Sample) -> None:
        """Go on with the series of samples, of which the last ones are kept."""
        entry: Any = {"json": sample.model_dump_json()}
        with redis_errors(self._client):
            self._client.xadd(keys.samples(), entry, maxlen=SAMPLES_KEPT, approximate=False)

    def samples(self, since: datetime) -> list[Sample]:
        """Return the samples that were added since then, the oldest first."""
        with redis_errors(self._client):
            entries: Any = self._client.xrange(keys.samples(), min=max(0, int(since.timestamp() * 1000)))
        return [Sample.model_validate_json(fields["json"]) for _, fields in entries]

    def put_alerts(self, status: AlertsStatus) -> None:
        """Write which alerts there are."""
        with redis_errors(self._client):
            self._client.set(keys.alerts(), status.model_dump_json())

    def alerts(self) -> AlertsStatus | None:
        """Return which alerts there are, None where nobody has said so."""
        with redis_errors(self._client):
            text = self._client.get(keys.alerts())
        return None if text is None else AlertsStatus.model_validate_json(str(text))
