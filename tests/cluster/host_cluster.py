"""A Ray cluster over several hosts, with the service on it, for tests that break it."""

import json
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path

from pipeline.client import Client
from pipeline.cluster.worker import SINGLE
from pipeline.config import Settings
from pipeline.embedded.redis_server import find_redis_server
from pipeline.redis.connection import answers
from pipeline.worlds.processes import end, spawn
from tests.hosts import HERE, Machines

REDIS_PORT = 6390
RAY_PORT = 6379
DASHBOARD_PORT = 8265
OBJECT_STORE_BYTES = 80 << 20
JOB_S = 300

_RAY = str(Path(sys.executable).with_name("ray"))

# As cluster.yaml has it, only that lost hosts are noticed in half the time.
RAY = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_external_storage_namespace": "halorow",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
    "RAY_grpc_client_keepalive_time_ms": "3000",
    "RAY_grpc_client_keepalive_timeout_ms": "3000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1500",
    "RAY_prestart_worker_first_driver": "0",
}
SERVICE = {
    "HALOROW_HEARTBEAT_S": "1",
    "HALOROW_IDLE_S": "6",
    "HALOROW_LEASE_S": "3",
    "HALOROW_MORE_NODES_S": "8",
    "HALOROW_RECONCILE_S": "1",
}

# Says how many nodes Ray has whenever that changes; asks anew while Ray is away.
_COUNT_NODES = """
import sys, time
from ray._raylet import GcsClient
before = None
while True:
    try:
        found = GcsClient(address=sys.argv[1]).get_all_node_info(timeout=2).values()
        now = sum(node.state == 0 for node in found)
    except Exception:
        now = 0
    if now != before:
        print(now, flush=True)
        before = now
    time.sleep(0.2)
"""


class HostCluster:
    """Redis on this machine; Ray with one core on each host, the first of which is the head."""

    def __init__(self, machines: Machines, folder: Path, *, jobs: bool = False, later: bool = False) -> None:
        """Start everything, without waiting for it; Ray not yet where it is to be started ``later``.

        With ``jobs`` there is a one-rank worker on each host too, Ray takes jobs, and asks for its token.
        """
        self._takes_jobs = jobs
        self.machines = machines
        self.head = machines.numbers[0]
        self._folder = folder
        self._raylets: dict[int, subprocess.Popen[bytes]] = {}
        self._env = {**os.environ, **RAY, **SERVICE, "TMPDIR": str(machines.tmp)}
        # `python` of a job is this one, as it is in the image of a cluster.
        self._env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        if jobs:
            (folder / "token").write_text(secrets.token_hex(32))
            self._env |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
        self._start_redis()
        self._env["HALOROW_CORES"] = str(len(machines.numbers))
        self._env["HALOROW_STORE_URI"] = (folder / "store").as_uri()
        self._env["HALOROW_REDIS_URL"] = f"redis://:{self._password}@{machines.address(HERE)}:{REDIS_PORT}/0"
        for number in () if later else machines.numbers:
            self.start_ray(number)
        self.client = Client.connect(
            Settings.load(
                redis_url=self._env["HALOROW_REDIS_URL"],
                store_uri=self._env["HALOROW_STORE_URI"],
                find_service=False,
            )
        )
        self._nodes = 0
        self._counted = threading.Condition()
        self._counter = spawn(
            [sys.executable, "-c", _COUNT_NODES, self._ray_address], env=self._env, stdout=subprocess.PIPE
        )
        threading.Thread(target=self._count, daemon=True).start()

    def start_ray(self, number: int, *words: str, **settings: str) -> None:
        """Start Ray on a host, or start it again, with more words and settings than others have."""
        before = self._raylets.pop(number, None)
        if before is not None:
            end(before)
        program = [_RAY, "start", "--block", "--num-cpus=1"]
        if self._takes_jobs:
            program.append(f"--resources={json.dumps({SINGLE: 1})}")
        size = f"--object-store-memory={OBJECT_STORE_BYTES}"
        argv = [*program, size, f"--node-ip-address={self.machines.address(number)}"]
        if number == self.head:
            argv += ["--head", f"--port={RAY_PORT}", f"--include-dashboard={self._takes_jobs}"]
            argv += [f"--dashboard-host={self.machines.address(number)}"]
            argv += [f"--redis-password={self._password}"]
        else:
            argv += [f"--address={self._ray_address}"]
        argv += words
        env = self._env | settings
        if number == self.head:
            env["RAY_REDIS_ADDRESS"] = f"{self.machines.address(HERE)}:{REDIS_PORT}"
        with (self._folder / f"ray-{number}.log").open("ab") as log:
            self._raylets[number] = self.machines.start(number, argv, env=env, stdout=log, stderr=log)

    def start_scheduler(self) -> None:
        """Start the service on the cluster."""
        with (self._folder / "scheduler.log").open("ab") as log:
            argv = [sys.executable, "-m", "pipeline.cluster.scheduler"]
            started = self.machines.start(self.head, argv, env=self._env, stdout=log, stderr=log)
            assert started.wait(60) == 0, (self._folder / "scheduler.log").read_text()

    def ray_job(self, script: Path, *words: str) -> str:
        """Run a script by ``ray job submit``; return what it and Ray said."""
        address = f"http://{self.machines.address(self.head)}:{DASHBOARD_PORT}"
        argv = [_RAY, "job", "submit", "--address", address, "--", "python", str(script), *words]
        done = subprocess.run(argv, env=self._env, capture_output=True, text=True, check=False, timeout=JOB_S)
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def deaths(self, job_id: str) -> int:
        """Return how many attempts count as the job's having killed its worker."""
        history = self.client._parts.records.history(job_id)
        return history.deaths(history.highest)

    def hide(self, number: int, folder: str) -> None:
        """Give a host another folder where the others have one of the store's."""
        place = self._folder / "store" / folder
        place.mkdir(exist_ok=True)
        mounted = self.machines.start(number, ["mount", "-t", "tmpfs", "tmpfs", str(place)])
        assert mounted.wait(10) == 0

    def await_nodes(self, nodes: int, timeout_s: float) -> None:
        """Wait until Ray has so many nodes."""
        with self._counted:
            came = self._counted.wait_for(lambda: self._nodes == nodes, timeout_s)
        assert came, f"Ray has {self._nodes} nodes and not {nodes} after {timeout_s} s"

    def leftovers(self) -> dict[int, list[int]]:
        """Return the processes of MPI and of the stage on each host that has any."""
        hosts = {
            number: self.machines.processes(number, "mpi_stage|hydra") for number in self.machines.numbers
        }
        return {number: found for number, found in hosts.items() if found}

    def stop(self) -> None:
        """End what is not on the hosts."""
        self.client.close()
        for process in (*self._raylets.values(), self._counter, self._redis):
            process.kill()
            process.wait()
        self._counter.stdout.close()

    @property
    def _ray_address(self) -> str:
        return f"{self.machines.address(self.head)}:{RAY_PORT}"

    def _start_redis(self) -> None:
        self._password = secrets.token_urlsafe(16)
        folder = self._folder / "redis"
        folder.mkdir()
        address = self.machines.address(HERE)
        words = ["--bind", address, "--port", str(REDIS_PORT), "--requirepass", self._password]
        with (folder / "redis.log").open("ab") as log:
            argv = [find_redis_server(), *words, "--dir", str(folder), "--save", ""]
            self._redis = spawn(argv, stdout=log, stderr=log)
        url = f"redis://:{self._password}@{address}:{REDIS_PORT}/0"
        assert any(answers(url) for _ in range(100)), "redis does not answer"

    def _count(self) -> None:
        for line in self._counter.stdout:
            with self._counted:
                self._nodes = int(line)
                self._counted.notify_all()
