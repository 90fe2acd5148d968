"""A cluster on this machine whose nodes Ray's own autoscaler starts and ends, with the service on it.

Ray's provider for several nodes on one machine stands in for the cloud's; scheduler, workers, worlds,
queue and store are the real ones.
"""

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pipeline.client import Client
from pipeline.config import Settings
from pipeline.embedded.redis_server import RedisServer
from pipeline.embedded.service import free_port
from pipeline.worlds.processes import descendants, end, signal_all, spawn

if TYPE_CHECKING:
    import subprocess

PROVIDER = "ray.autoscaler._private.fake_multi_node.node_provider"
HEAD_ID = "f" * 51 + "00000"
"""What the provider takes for the head."""

OBJECT_STORE_BYTES = 80 << 20
IDLE_S = 2.0
START_S = 90.0

RAY = {
    "AUTOSCALER_UPDATE_INTERVAL_S": "1",
    "RAY_AUTH_MODE": "disabled",
    "RAY_CLOUD_INSTANCE_ID": HEAD_ID,
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_FAKE_CLUSTER": "1",
    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": HEAD_ID,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_autoscaler_v2": "1",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1500",
    "RAY_prestart_worker_first_driver": "0",
}
SERVICE = {
    "HALOROW_DRAIN_S": "20",
    "HALOROW_HEARTBEAT_S": "1",
    "HALOROW_IDLE_S": "1",
    "HALOROW_LEASE_S": "3",
    "HALOROW_NODE_START_S": "5",
    "HALOROW_QUIET_S": "3",
    "HALOROW_RECONCILE_S": "1",
}
"""Everything in seconds that takes minutes with machines of a cloud."""


class GrowingCluster:
    """A head without cores, and up to ``nodes`` nodes of ``cores`` cores and one-rank workers each."""

    def __init__(self, folder: Path, nodes: int, cores: int = 1, **service: str) -> None:
        """Be ready to start; ``service`` are settings of the service, by their variables' names."""
        self._folder = folder
        self._redis = RedisServer(folder / "redis")
        self._head: subprocess.Popen[bytes] | None = None
        self._sizes = {"CPU": cores, "single": cores}
        self.nodes = nodes
        self._service = service
        self.env: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start Redis, Ray and the service."""
        self._redis.start()
        port, self.metrics_port = free_port(0), free_port(0)
        self.env = {
            **os.environ,
            **RAY,
            **SERVICE,
            "HALOROW_CORES": str(self.nodes * self._sizes["CPU"]),
            "HALOROW_NODES_MAX": str(self.nodes),
            "HALOROW_NODE_CORES": str(self._sizes["CPU"]),
            "HALOROW_RAY_ADDRESS": f"127.0.0.1:{port}",
            "HALOROW_REDIS_URL": self._redis.url,
            "HALOROW_STORE_URI": (self._folder / "store").as_uri(),
            **self._service,
        }
        # Ray's sockets lie below it, and the path of a socket is 107 bytes long at most.
        self._ray_folder = tempfile.TemporaryDirectory(prefix="hr-")
        try:
            self._start_head(port)
            self._start_scheduler()
        except BaseException:
            self._stop()
            raise
        settings = Settings.load(
            redis_url=self._redis.url, store_uri=self.env["HALOROW_STORE_URI"], find_service=False
        )
        self.client = Client.connect(settings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self.client.close()
        self._stop()

    @property
    def ray_address(self) -> str:
        """Where the head listens."""
        return self.env["HALOROW_RAY_ADDRESS"]

    def processes(self) -> list[int]:
        """Return the ids of all processes of Ray, those of all nodes included."""
        return descendants(self._head.pid) if self._head is not None else []

    def node_processes(self, node_id: str) -> list[int]:
        """Return the ids of a node's processes."""
        found = []
        for pid in self.processes():
            try:
                environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:  # it has just ended
                continue
            if f"RAY_OVERRIDE_NODE_ID_FOR_TESTING={node_id}".encode() in environment:
                found.append(pid)
        return found

    def _start_head(self, port: int) -> None:
        config = self._folder / "autoscaling.json"
        config.write_text(json.dumps(self._config(port)))
        program = str(Path(sys.executable).with_name("ray"))
        argv = [program, "start", "--head", "--block", f"--port={port}", "--num-cpus=0"]
        argv += [f"--autoscaling-config={config}", f"--object-store-memory={OBJECT_STORE_BYTES}"]
        argv += ["--node-ip-address=127.0.0.1", "--include-dashboard=false"]
        argv += [f"--temp-dir={self._ray_folder.name}", f"--metrics-export-port={self.metrics_port}"]
        with (self._folder / "ray.log").open("ab") as log:
            self._head = spawn(argv, env=self.env, stdout=log, stderr=log)

    def _start_scheduler(self) -> None:
        """Start the service as soon as Ray is up."""
        log, deadline = self._folder / "scheduler.log", time.monotonic() + START_S
        while True:
            with log.open("wb") as file:
                argv = [sys.executable, "-m", "pipeline.cluster.scheduler"]
                started = spawn(argv, env=self.env, stdout=file, stderr=file)
            if started.wait(START_S) == 0:
                return
            if time.monotonic() > deadline:
                ray_log = (self._folder / "ray.log").read_text()
                raise RuntimeError(f"the service did not start:\n{log.read_text()}\n{ray_log}")

    def _config(self, port: int) -> dict[str, object]:
        """Return what Ray's autoscaler is told; the provider needs no more than this of a cluster.yaml."""
        head = {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0}
        worker = {
            "resources": {**self._sizes, "object_store_memory": OBJECT_STORE_BYTES},
            "node_config": {},
            "min_workers": 0,
            "max_workers": self.nodes,
            "idle_timeout_s": IDLE_S,
        }
        lists = ("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands")
        more = ("head_start_ray_commands", "worker_start_ray_commands", "cluster_synced_files")
        return {
            "cluster_name": "growing",
            "max_workers": self.nodes,
            "provider": {
                "type": "external",
                "module": f"{PROVIDER}.FakeMultiNodeProvider",
                "use_node_id_as_ip": True,
                "disable_node_updaters": True,
                "disable_launch_config_check": True,
                "launch_multiple": True,
                "head_node_id": HEAD_ID,
                "gcs_address": f"127.0.0.1:{port}",
            },
            "available_node_types": {"worker": worker, "ray.head.default": head},
            "head_node_type": "ray.head.default",
            "auth": {},
            "upscaling_speed": 1.0,
            "idle_timeout_minutes": IDLE_S / 60,
            "docker": {},
            "file_mounts": {},
            "file_mounts_sync_continuously": False,
            "rsync_exclude": [],
            "rsync_filter": [],
            **{name: [] for name in (*lists, *more)},
        }

    def _stop(self) -> None:
        if self._head is not None:
            rest = self.processes()
            end(self._head)
            signal_all(rest, signal.SIGKILL)
        self._redis.stop()
        self._ray_folder.cleanup()
