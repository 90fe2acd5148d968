"""Ray's own autoscaler follows the queue: nodes come, vanish, are taken away, and go."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.growing import GrowingCluster
from pipeline import metrics
from pipeline.errors import JobStateError
from pipeline.models import JobState, Lane
from pipeline.worlds.processes import is_running, spawn
from tests.embedded_service import halorow_argv, pixels_of_run
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

LONG_RUN = pytest.mark.skipif(
    not os.environ.get("HALOROW_LONG"), reason="takes minutes: `make cluster` runs it"
)
NODES = 2
WAIT_S = 120
STEPS = "denoise"
LONG = "denoise " * 20


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    # So short that the jobs of the first test need both nodes.
    hurry = {"HALOROW_DRAIN_S": "10"}
    with GrowingCluster(tmp_path_factory.mktemp("growing"), NODES, cores=2, **hurry) as made:
        yield made


@pytest.fixture(scope="module")
def image(request):
    return request.config.rootpath / "tests" / "images" / "coffee.tif"


def nodes(cluster):
    """Return the worker nodes as the service sees them."""
    status = cluster.client.cluster()
    return [node for node in status.nodes if not node.is_head] if status else []


def wanted(cluster):
    return cluster.client.cluster().nodes_wanted


def finish(cluster, jobs):
    ended = [cluster.client.wait(job.id, WAIT_S) for job in jobs]
    assert all(status.state is JobState.SUCCEEDED for status in ended), [one.error for one in ended]


def test_nodes_come_as_the_queue_grows_and_go_when_it_has_drained(cluster, image):
    until(cluster.client.cluster, "a first look")
    assert nodes(cluster) == []

    # The first keep one node busy for longer than the other takes to come, however fast the machine is.
    held = cluster.client.submit_many([cluster.client.order(image, LONG)] * 20)
    jobs = cluster.client.submit_many([cluster.client.order(image, STEPS)] * 20)

    until(lambda: wanted(cluster) == NODES, "a wish for all nodes")
    until(lambda: len(nodes(cluster)) == NODES, "all nodes")
    for job in held:
        with suppress(JobStateError):  # it has ended already
            cluster.client.cancel(job.id)
    finish(cluster, jobs)
    until(lambda: wanted(cluster) == 0, "a wish for none")
    until(lambda: not nodes(cluster), "the end of all nodes")


def test_a_job_too_large_for_today_s_nodes_brings_those_that_it_needs(cluster, image):
    assert cluster.client.cluster().lanes[Lane.GANG].waiting == 0
    job = cluster.client.submit(image, STEPS, ranks=2)
    finish(cluster, [job])
    assert len(cluster.client.result(job.id).report["ranks"]) == 2


@LONG_RUN
def test_a_job_whose_node_vanishes_ends_on_another_that_comes_by_itself(cluster, image, tmp_path):
    job = cluster.client.submit(image, LONG)
    until(lambda: cluster.client.status(job.id).rows_done > 0, "a beginning")
    lost = nodes(cluster)[0].id

    for pid in cluster.node_processes(lost):
        os.kill(pid, signal.SIGKILL)

    finish(cluster, [job])
    result = cluster.client.result(job.id)
    assert result.attempt > 1
    assert result.pixels_sha256 == pixels_of_run(image, LONG.strip(), tmp_path)
    until(lambda: lost not in {node.id for node in nodes(cluster)}, "news of the loss")


class Metadata(BaseHTTPRequestHandler):
    """The part of Compute Engine's metadata server that tells of the machine's end."""

    def do_GET(self):
        waits = self.path.endswith("?wait_for_change=true&timeout_sec=60")
        if self.headers["Metadata-Flavor"] != "Google" or not self.path.startswith("/v1/instance/preempted"):
            self.send_error(403)
            return
        if waits:
            self.server.asked.set()
            self.server.notice.wait(60)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"TRUE" if self.server.notice.is_set() else b"FALSE")

    def log_message(self, *_):
        pass


@pytest.fixture
def metadata():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    server.daemon_threads = True
    server.asked, server.notice = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.notice.set()
    server.shutdown()
    server.server_close()


@LONG_RUN
@pytest.mark.parametrize("ranks", [1, 2], ids=["a worker", "a world"])
def test_a_notice_drains_the_node_and_its_job_ends_elsewhere_without_blame(cluster, image, metadata, ranks):
    job = cluster.client.submit(image, LONG, ranks=ranks)
    until(lambda: cluster.client.status(job.id).rows_done > 0, "a beginning")
    lane = Lane.GANG if ranks > 1 else Lane.SINGLE
    assert cluster.client.status(job.id).lane is lane
    busy = [node for node in nodes(cluster) if node.ranks] if ranks > 1 else nodes(cluster)
    node = busy[0].id
    env = {**cluster.env, "HALOROW_PREEMPTION_URL": f"http://127.0.0.1:{metadata.server_port}/v1"}
    watching = spawn([sys.executable, "-m", "pipeline.cluster.preemption", "--node", node], env=env)
    assert metadata.asked.wait(WAIT_S)

    metadata.notice.set()
    at_s = time.monotonic()

    assert watching.wait(WAIT_S) == 0
    on_it = [pid for pid in cluster.node_processes(node) if b"mpi_stage" in command(pid)]
    until(lambda: not any(is_running(pid) for pid in on_it), "the end of the ranks there")
    assert time.monotonic() - at_s < 25
    finish(cluster, [job])
    history = cluster.client._parts.records.history(job.id)
    assert history.highest > 1
    assert not history.counted(history.highest)


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_the_metrics_are_in_ray_s_endpoint_under_the_names_of_the_table(cluster, image):
    if not any(job.state is JobState.SUCCEEDED for job in cluster.client.jobs()):
        finish(cluster, [cluster.client.submit(image, STEPS)])  # some tell of what has ended
    address = f"http://127.0.0.1:{cluster.metrics_port}/metrics"

    def told():
        with urllib.request.urlopen(address, timeout=10) as answer:
            text = answer.read().decode()
        return {metric.exported for metric in metrics.METRICS if f"\n{metric.exported}" in text}

    never = {metrics.RETRIES.exported}
    until(lambda: told() | never == {metric.exported for metric in metrics.METRICS} | never, "all metrics")


def test_halorow_nodes_shows_the_cluster(cluster):
    shown = subprocess.run(
        [*halorow_argv("nodes"), "--json"], env=cluster.env, capture_output=True, text=True, check=True
    )
    found = json.loads(shown.stdout)
    assert found["nodes_max"] == NODES
    assert [node["is_head"] for node in found["nodes"]].count(True) == 1
