"""The scripts for ``ray submit``, run by ``ray job submit`` on three hosts whose Ray asks for its token."""

import json
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster.host_cluster import HostCluster
from tests.embedded_service import pixels_of_run
from tests.hosts import Machines, require_hosts

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

HOSTS = 3
START_S = 120
STEPS = "gaussian:sigma=2 sobel"
IMAGES = ("coffee.tif", "coins.png")
PICTURES = 24
JOBS = {
    "filter_one.py": ("--input", "scans/coffee.tif", "--steps", STEPS, "--ranks", str(HOSTS)),
    "filter_folder.py": ("--input", "scans/", "--steps", STEPS, "--output", "all/"),
    "load_test.py": ("--pictures", str(PICTURES), "--size", "128", "--json"),
}


@pytest.fixture(scope="module")
def images(request):
    return request.config.rootpath / "tests" / "images"


@pytest.fixture(scope="module")
def cluster(images, tmp_path_factory):
    require_hosts()
    folder = tmp_path_factory.mktemp("hosts")
    # Ray's sockets lie below it, and the path of a socket is 107 bytes long at most.
    with tempfile.TemporaryDirectory(prefix="hr-") as short, Machines(HOSTS, Path(short)) as machines:
        made = HostCluster(machines, folder, jobs=True)
        try:
            for name in IMAGES:
                made.client._parts.store.put_file(f"scans/{name}", images / name)
            made.await_nodes(HOSTS, START_S)
            made.start_scheduler()
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def said(request, cluster, tmp_path_factory):
    """Give what each script says, run at once with the others and from where there is nothing but itself."""

    def run(script):
        alone = tmp_path_factory.mktemp("alone")
        copy = Path(shutil.copy(request.config.rootpath / "jobs" / script, alone))
        return cluster.ray_job(copy, *JOBS[script])

    with ThreadPoolExecutor() as users:
        return dict(zip(JOBS, users.map(run, JOBS), strict=True))


def test_one_image_is_filtered_by_a_world_over_all_hosts(said, cluster, images, tmp_path):
    hosts = ", ".join(cluster.machines.name(number) for number in cluster.machines.numbers)
    assert f"ranks {HOSTS} on {hosts}" in said["filter_one.py"]
    assert pixels_of_run(images / "coffee.tif", STEPS, tmp_path) in said["filter_one.py"]


def test_every_image_of_a_folder_is_filtered(said, cluster):
    assert "100.0% of 2 images: 2 succeeded" in said["filter_folder.py"]
    assert all(cluster.client._parts.store.stat(f"all/{name}") for name in IMAGES)


def test_a_load_test_tells_latencies_throughput_and_failures(said):
    figures = json.loads(next(line for line in said["load_test.py"].splitlines() if line.startswith("{")))
    assert figures["succeeded"] == figures["pictures"] == PICTURES
    assert figures["failures"] == {}
    assert figures["different_results"] == 0
    latencies = figures["latency_s"]
    assert 0 < latencies["p50"] <= latencies["p95"] <= latencies["p99"] <= figures["seconds"]
    assert figures["pictures_per_s"] == pytest.approx(PICTURES / figures["seconds"])
