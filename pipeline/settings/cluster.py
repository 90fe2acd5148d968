"""The machines that work is done on, and how many of them there are to be."""

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from pipeline.settings.values import plain_url, usable_cores


class ClusterSettings(BaseModel):
    """Workers, worlds and nodes."""

    workers: int = Field(default_factory=usable_cores, ge=0, le=10_000, description="one-rank workers")
    cores: int = Field(default_factory=usable_cores, ge=1, le=100_000, description="cores a world may use")
    interface: str = Field("", description="network interface by which nodes talk; empty takes Ray's")
    idle_s: float = Field(
        20.0, ge=0, le=86_400, description="how long an idle world keeps its cores and nodes"
    )
    more_nodes_s: float = Field(
        60.0, ge=0, le=86_400, description="how long a world waits for nodes that are to come"
    )
    nodes_max: int = Field(
        0, ge=0, le=10_000, description="worker nodes that the queue may ask for; 0 leaves their number alone"
    )
    nodes_min: int = Field(0, ge=0, le=10_000, description="worker nodes at any time")
    nodes_standby: int = Field(
        0, ge=0, le=10_000, description="worker nodes beyond those that the queue needs"
    )
    node_cores: int = Field(default_factory=usable_cores, ge=1, le=1000, description="cores of a worker node")
    drain_s: float = Field(300.0, ge=10, le=86_400, description="how long emptying the queue may take")
    node_start_s: float = Field(90.0, ge=0, le=3600, description="how long a node takes to start")
    quiet_s: float = Field(
        60.0, ge=0, le=86_400, description="how long the queue is empty before nodes are let go"
    )
    preemption_url: str = Field(
        "http://metadata.google.internal/computeMetadata/v1",
        description="metadata server that tells a node of its end",
    )
    ray_address: str = Field("", description="address of a running Ray; empty starts one or finds one")
    ray_namespace: str = Field("halorow", min_length=1, description="Ray namespace of the actors")
    ray_dashboard_port: int = Field(8265, ge=1, le=65535, description="port of Ray's dashboard")

    @field_validator("nodes_min", "nodes_standby")
    @classmethod
    def _within_maximum(cls, nodes: int, info: ValidationInfo) -> int:
        most = info.data.get("nodes_max")
        if most is not None and nodes > most:
            raise PydanticCustomError("nodes", "must be at most nodes_max ({most})", {"most": most})
        return nodes

    @field_validator("preemption_url")
    @classmethod
    def _plain_preemption_url(cls, url: str) -> str:
        return plain_url(url)

    @property
    def world_cores(self) -> int:
        """Cores that a world may use: no more than the cluster may ever have."""
        return min(self.cores, self.most_cores or self.cores)

    @property
    def most_cores(self) -> int:
        """Cores that the cluster may ever have, 0 where its size is nobody's business."""
        return self.nodes_max * self.node_cores
