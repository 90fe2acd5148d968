"""What is written down about a job and the service: manifest, status, result, failure, event."""

from pipeline.models.alerts import Alert, AlertsStatus, AlertState, Notice
from pipeline.models.attempts import (
    AttemptOutcome,
    AttemptRecord,
    Cancellation,
    Ending,
    Failure,
    Result,
    RetryRecord,
    ended_at,
)
from pipeline.models.base import now
from pipeline.models.cluster import Backlog, ClusterStatus, LaneStatus, Load, NodeStatus, Sample, Vitals
from pipeline.models.jobs import FINAL_STATES, MANIFEST_VERSION, TROUBLE, JobState, Manifest
from pipeline.models.objects import ObjectInfo, ObjectRef
from pipeline.models.queue import Claim, Lane, Share
from pipeline.models.status import Event, JobStatus, RankProgress

__all__ = [
    "FINAL_STATES",
    "MANIFEST_VERSION",
    "TROUBLE",
    "Alert",
    "AlertState",
    "AlertsStatus",
    "AttemptOutcome",
    "AttemptRecord",
    "Backlog",
    "Cancellation",
    "Claim",
    "ClusterStatus",
    "Ending",
    "Event",
    "Failure",
    "JobState",
    "JobStatus",
    "Lane",
    "LaneStatus",
    "Load",
    "Manifest",
    "NodeStatus",
    "Notice",
    "ObjectInfo",
    "ObjectRef",
    "RankProgress",
    "Result",
    "RetryRecord",
    "Sample",
    "Share",
    "Vitals",
    "ended_at",
    "now",
]
