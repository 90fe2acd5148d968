"""The whole cluster of ``cluster.yaml`` on hosts of this machine, with Ray's own autoscaler: ``make drill``.

A machine is made for a job and taken away in the middle of it, others take the place of those that cannot
be had, and all go when there is nothing to do. It takes a few minutes; the everyday tests hold the
parts (``test_gce_provider.py``, ``test_ray_up.py``, ``test_hosts.py``).
"""

import tempfile
from pathlib import Path

import pytest
from fakes.gce import FakeGce

from pipeline.models import JobState
from tests.cluster.autoscaler_rounds import CONNECTIONS_LEFT
from tests.cluster.cloud import Cloud
from tests.embedded_service import pixels_of_run
from tests.hosts import HERE, Machines, require_hosts
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow, CONNECTIONS_LEFT]

HOSTS = 4
WAIT_S = 120
STEPS = "denoise " * 5


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    require_hosts()
    folder = tmp_path_factory.mktemp("cloud")
    with (
        tempfile.TemporaryDirectory(prefix="hr-") as short,
        Machines(HOSTS, Path(short)) as machines,
        FakeGce(machines.address(HERE)) as gce,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(gce.write_key(folder / "key.json")))
        made = Cloud(machines, folder, gce)
        try:
            made.cluster.await_nodes(1, WAIT_S)
            made.cluster.start_scheduler()
            yield made
        finally:
            gce.began = gce.ended = str
            made.cluster.stop()


@pytest.fixture(scope="module")
def image(request):
    return request.config.rootpath / "tests" / "images" / "coffee.tif"


@pytest.fixture(scope="module")
def expected(image, tmp_path_factory):
    return pixels_of_run(image, STEPS.strip(), tmp_path_factory.mktemp("reference"))


def assert_done(cloud, job_id, expected):
    status = cloud.cluster.client.wait(job_id, WAIT_S)
    assert status.state is JobState.SUCCEEDED, f"{status.state}: {status.error}"
    result = cloud.cluster.client.result(job_id)
    assert result.pixels_sha256 == expected
    return result


def test_a_job_gets_a_machine_and_goes_on_when_that_is_taken_away(cloud, image, expected):
    client = cloud.cluster.client
    job = client.submit(image, STEPS, ranks=2)
    until(lambda: client.status(job.id).rows_done > 0, "a beginning")
    (machine,) = cloud.gce.of_type("cpu-spot")

    cloud.take_away(machine)

    result = assert_done(cloud, job.id, expected)
    assert result.attempt >= 2
    until(lambda: cloud.cluster.deaths(job.id) == 0, "an excuse")


def test_all_machines_but_the_head_go_when_there_is_nothing_to_do(cloud):
    until(lambda: len(cloud.gce.machines) == 1, "the end of all workers")


def test_on_demand_machines_do_what_spot_machines_cannot_be_had_for(cloud, image, expected):
    cloud.gce.exhausted = {"SPOT"}

    job = cloud.cluster.client.submit(image, STEPS, ranks=2)

    until(lambda: len(cloud.gce.of_type("cpu")) >= 1, "an on-demand machine")
    assert_done(cloud, job.id, expected)
    assert cloud.gce.of_type("cpu-spot") == []
