"""A cloud of test hosts: Compute Engine's protocol in front, and Ray on each machine that it makes."""

import json
from pathlib import Path
from threading import Lock, Thread

import yaml
from fakes.gce import FakeGce

from tests.cluster.autoscaler_rounds import HEAD_TAGS
from tests.cluster.host_cluster import HostCluster
from tests.hosts import Machines

ROOT = Path(__file__).parent.parent.parent
IDLE_S = 6
GIVEN_UP_S = 8
"""After so long a machine that does not come up counts as one that cannot be had."""


class Cloud:
    """A cluster whose head makes the other machines, by ``cluster.yaml`` with smaller ones and less patience.

    Attributes
    ----------
    gce: the server, which knows the machines.
    cluster: the hosts that stand for them.
    """

    def __init__(self, machines: Machines, folder: Path, gce: FakeGce) -> None:
        """Start the head."""
        from pipeline.cluster.gce_provider import GceNodeProvider  # noqa: PLC0415  (reads its key when it is made)

        self.gce = gce
        self.cluster = HostCluster(machines, folder, later=True)
        self.cluster._env["HALOROW_CORES"] = "1"  # as many as one machine has: worlds begin with no machine
        self._lock = Lock()
        self._hosts: dict[str, int] = {}
        for number in machines.numbers[1:]:
            machines.kill(number)
        config = self._config(folder)
        path = folder / "cluster.yaml"
        path.write_text(json.dumps(config))
        provider = GceNodeProvider(config["provider"], config["cluster_name"])
        kind = config["available_node_types"]["head"]
        (head,) = provider.create_node(kind["node_config"], HEAD_TAGS, 1)
        gce.began, gce.ended = self._apart(self._boot), self._apart(self.lose)
        self.cluster.start_ray(
            self.cluster.head,
            "--num-cpus=0",
            f"--autoscaling-config={path}",
            RAY_enable_autoscaler_v2="1",
            RAY_CLOUD_INSTANCE_ID=head,
            RAY_NODE_TYPE_NAME="head",
            RAY_AUTOSCALER_RECONCILE_ALLOCATE_STATUS_TIMEOUT_S=str(GIVEN_UP_S),
            AUTOSCALER_UPDATE_INTERVAL_S="1",
        )

    def lose(self, machine: str) -> None:
        """End the host of a machine without a word."""
        with self._lock:
            number = self._hosts.pop(machine, None)
            if number is not None:
                self.cluster.machines.kill(number)

    def take_away(self, machine: str) -> None:
        """Do as Compute Engine does with a spot machine: it is gone, and so is what is known of it."""
        self.gce.vanish(machine)
        self.lose(machine)

    def host_of(self, machine: str) -> str:
        """Return the name of the host of a machine."""
        with self._lock:
            return self.cluster.machines.name(self._hosts[machine])

    def _config(self, folder: Path) -> dict:
        config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
        config["provider"] |= {"endpoint": self.gce.endpoint, "disable_node_updaters": True}
        config["auth"]["ssh_private_key"] = str(folder / "ssh")
        (folder / "ssh").write_text("any key: it is hashed alone")
        for kind in config["available_node_types"].values():
            kind["resources"] = {name: min(1, count) for name, count in kind["resources"].items()}
            kind["idle_timeout_s"] = IDLE_S
        return config

    def _boot(self, machine: str) -> None:
        node_type = self.gce.machines[machine]["labels"]["ray-user-node-type"]
        with self._lock:
            number = min(set(self.cluster.machines.numbers[1:]) - set(self._hosts.values()))
            self._hosts[machine] = number
            self.cluster.machines.boot(number)
            self.cluster.start_ray(number, RAY_CLOUD_INSTANCE_ID=machine, RAY_NODE_TYPE_NAME=node_type)

    @staticmethod
    def _apart(what):
        return lambda machine: Thread(target=what, args=(machine,), daemon=True).start()
