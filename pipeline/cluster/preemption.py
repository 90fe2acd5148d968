"""Watches the machine that it runs on for a notice of its end, and has Ray drain the node.

``python -m pipeline.cluster.preemption`` runs on every node beside Ray, outside of it: an actor would keep
its node from being let go. Compute Engine takes a spot machine away about thirty seconds after its metadata
server has said so. From then on Ray places nothing new on the node, and the scheduler moves what is there.
"""

import argparse
import http.client
import socket
import time
import urllib.request

from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled, without types
from ray.core.generated.autoscaler_pb2 import DrainNodeReason  # type: ignore[attr-defined]  # made at run time

from pipeline import logs
from pipeline.config import Settings
from pipeline.errors import ServiceError

NOTICE_S = 25.0
"""What is left of the notice, after which Ray counts the node as gone."""

WAIT_S = 60.0
"""How long one question to the metadata server waits for a change."""

PAUSE_S = 2.0
_RPC_S = 5
_ALIVE = 0  # of GcsNodeInfo.GcsNodeState
_HEADERS = {"Metadata-Flavor": "Google"}


def await_notice(url: str) -> None:
    """Return when the metadata server at ``url`` says that this machine is taken away.

    Asks on while it does not answer.
    """
    log, answered = logs.get_logger(part="preemption"), True
    # The first question is answered at once: the notice may have come before this process.
    wait = ""
    while True:
        request = urllib.request.Request(f"{url}/instance/preempted{wait}", headers=_HEADERS)  # noqa: S310  (a setting)
        try:
            with urllib.request.urlopen(request, timeout=2 * WAIT_S) as answer:  # noqa: S310  (as above)
                if answer.read().strip().upper() == b"TRUE":
                    return
        except (OSError, http.client.HTTPException) as error:
            if answered:
                log.warning("the metadata server does not answer", url=url, error=str(error))
            answered = False
            time.sleep(PAUSE_S)
        else:
            answered = True
            wait = f"?wait_for_change=true&timeout_sec={WAIT_S:.0f}"


def node_at(client: GcsClient, address: str) -> str:
    """Return the id of the node at an address. Raises ServiceError where Ray has none."""
    for node in client.get_all_node_info(timeout=_RPC_S).values():
        if node.state == _ALIVE and node.node_manager_address == address:
            return str(node.node_id.hex())
    raise ServiceError(f"Ray has no node at {address}; is this the address that its node was started with?")


def drain(client: GcsClient, node_id: str, *, notice_s: float = NOTICE_S) -> None:
    """Have Ray drain a node, which will be gone in ``notice_s`` seconds. Raises ServiceError."""
    deadline_ms = round((time.time() + notice_s) * 1000)
    reason = DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    accepted, why = client.drain_node(node_id, reason, "the machine is taken away", deadline_ms)
    if not accepted:
        raise ServiceError(f"Ray does not drain node {node_id}: {why}")


def watch(settings: Settings, node_id: str | None = None) -> None:
    """Wait for the notice, and go on until Ray drains this machine's node, or the one named."""
    log = logs.get_logger(part="preemption")
    await_notice(settings.preemption_url)
    while True:
        try:
            client = GcsClient(address=settings.ray_address)
            found = node_id or node_at(client, own_address(settings.ray_address))
            drain(client, found)
        except (ServiceError, RuntimeError) as error:  # RuntimeError: Ray's own, where it does not answer
            log.warning("cannot drain now", error=str(error))
            time.sleep(PAUSE_S)
        else:
            log.warning("this machine is taken away; its node is drained", node=found)
            return


def own_address(gcs_address: str) -> str:
    """Return the address by which this machine reaches the head, which is what Ray takes by default."""
    host, _, port = gcs_address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # connecting it sends nothing
        probe.connect((host, int(port)))
        return str(probe.getsockname()[0])


def main() -> None:
    """Watch until the notice has come and been passed on; HALOROW_RAY_ADDRESS is the head's."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.cluster.preemption", description=main.__doc__)
    parser.add_argument("--node", help="id of the node to drain; by default that of this machine's address")
    arguments = parser.parse_args()
    settings = Settings.load()
    logs.configure(settings.log_level)
    watch(settings, arguments.node)


if __name__ == "__main__":
    main()
