"""Worlds over three hosts with real Ray, MPI and links: the same bytes, whatever breaks on the way."""

import os
import signal
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from pipeline.models import JobState, Lane
from pipeline.worlds.processes import is_running
from tests.cluster.host_cluster import HostCluster
from tests.embedded_service import pixels_of_run
from tests.hosts import Machines, require_hosts
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

HOSTS = 3
START_S = 90
NOTICE_S = 15
"""How long a fault may take to be noticed and everything of the world to be gone, on all hosts."""

AGAIN_S = 60
"""How long the whole job may take after a fault: noticing, a new world, and all of the work again."""

RANK = f"^{sys.executable} .* -m mpi_stage"
PROXY = "hydra_pmi_proxy"
RAYLET = "raylet/raylet"
STEPS = "denoise " * 5
TRIES = 5


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    require_hosts()
    folder = tmp_path_factory.mktemp("hosts")
    # Ray's sockets lie below it, and the path of a socket is 107 bytes long at most.
    with tempfile.TemporaryDirectory(prefix="hr-") as short, Machines(HOSTS, Path(short)) as machines:
        made = HostCluster(machines, folder)
        try:
            made.await_nodes(HOSTS, START_S)
            made.start_scheduler()
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def image(request):
    return request.config.rootpath / "tests" / "images" / "coffee.tif"


@pytest.fixture(scope="module")
def expected(image, tmp_path_factory):
    """Give the digest of what one rank makes."""
    return pixels_of_run(image, STEPS.strip(), tmp_path_factory.mktemp("reference"))


def on_every_host(cluster, what):
    """Return the first process of a name on each host."""
    return [cluster.machines.processes(number, what)[0] for number in cluster.machines.numbers]


def has_begun(cluster, job_id):
    return cluster.client.status(job_id).rows_done > 0


def start_job(cluster, image):
    """Submit a job, and return it and its ranks when it is in the middle of its work on all hosts.

    The first rank is held, so that no machine is done before the fault: see ``let_go``.
    """
    for _ in range(TRIES):
        job = cluster.client.submit(image, STEPS, ranks=HOSTS)
        until(partial(has_begun, cluster, job.id), "a beginning", AGAIN_S)
        ranks = on_every_host(cluster, RANK)
        os.kill(ranks[0], signal.SIGSTOP)
        if cluster.client.status(job.id).state is JobState.RUNNING:
            return job.id, ranks
        let_go(ranks)
    pytest.fail(f"of {TRIES} jobs none was met while it was worked on")


def let_go(ranks):
    """Let the rank that is held go on, if it is there still."""
    with suppress(ProcessLookupError):
        os.kill(ranks[0], signal.SIGCONT)


def assert_done(cluster, job_id, expected, at_least=1):
    """Check the job's end; a world that is made before Ray has missed a host may be lost too."""
    status = cluster.client.wait(job_id, AGAIN_S)
    assert status.state is JobState.SUCCEEDED, f"{status.state}: {status.error}"
    result = cluster.client.result(job_id)
    assert result.pixels_sha256 == expected
    assert result.attempt >= at_least
    return result


def hosts_of(result):
    return [rank["host"] for rank in result.report["ranks"]]


def test_a_world_over_three_hosts_makes_the_bytes_of_one_rank(cluster, image, expected):
    job_id, ranks = start_job(cluster, image)
    let_go(ranks)

    result = assert_done(cluster, job_id, expected)

    assert cluster.client.status(job_id).lane is Lane.GANG
    assert sorted(hosts_of(result)) == [cluster.machines.name(number) for number in cluster.machines.numbers]


def assert_gone(processes):
    until(lambda: not any(map(is_running, processes)), "the end of the world", NOTICE_S)


@pytest.mark.parametrize("what", [RANK, PROXY])
def test_a_job_survives_the_death_of_one_of_its_processes(cluster, image, expected, what):
    job_id, ranks = start_job(cluster, image)

    os.kill(on_every_host(cluster, what)[-1], signal.SIGKILL)
    let_go(ranks)

    assert_gone(ranks)
    result = assert_done(cluster, job_id, expected, at_least=2)
    assert len(set(hosts_of(result))) == HOSTS


def test_a_job_survives_a_killed_raylet_whose_host_comes_back(cluster, image, expected):
    job_id, ranks = start_job(cluster, image)
    host = cluster.machines.numbers[-1]

    os.kill(cluster.machines.processes(host, RAYLET)[0], signal.SIGKILL)
    let_go(ranks)

    assert_gone(ranks)
    cluster.start_ray(host)
    assert_done(cluster, job_id, expected)  # Ray may let its processes live on until the job is done
    cluster.await_nodes(HOSTS, START_S)


def test_a_job_survives_a_cut_link(cluster, image, expected):
    job_id, ranks = start_job(cluster, image)
    host = cluster.machines.numbers[-1]

    cluster.machines.cut(host)
    let_go(ranks)

    assert_gone(ranks)
    result = assert_done(cluster, job_id, expected, at_least=2)
    assert cluster.machines.name(host) not in hosts_of(result)
    until(lambda: cluster.deaths(job_id) == 0, "an excuse", AGAIN_S)
    cluster.machines.heal(host)
    cluster.start_ray(host)
    cluster.await_nodes(HOSTS, START_S)


def test_a_job_survives_the_loss_of_a_whole_host_without_blame(cluster, image, expected):
    job_id, ranks = start_job(cluster, image)
    host = next(
        (
            number
            for number in cluster.machines.numbers[1:]
            if cluster.machines.processes(number, "ray::Gang")
        ),
        cluster.machines.numbers[-1],
    )  # that of the supervisor, but for the head

    cluster.machines.kill(host)
    let_go(ranks)

    assert_gone(ranks)
    result = assert_done(cluster, job_id, expected, at_least=2)
    assert cluster.machines.name(host) not in hosts_of(result)
    until(lambda: cluster.deaths(job_id) == 0, "an excuse", NOTICE_S)
    cluster.machines.boot(host)
    cluster.start_ray(host)
    cluster.await_nodes(HOSTS, START_S)


def test_twenty_jobs_go_on_when_the_head_restarts(cluster, image, tmp_path):
    small = pixels_of_run(image, "denoise", tmp_path)
    jobs = [cluster.client.submit(image, "denoise", ranks=2).id for _ in range(20)]
    until(lambda: states(cluster, jobs).count(JobState.SUCCEEDED) >= 2, "the end of two jobs", AGAIN_S)

    cluster.machines.end_programs(cluster.head)
    assert states(cluster, jobs).count(JobState.SUCCEEDED) < len(jobs)
    cluster.start_ray(cluster.head)

    for job_id in jobs:
        assert cluster.client.wait(job_id, START_S).state is JobState.SUCCEEDED
        assert cluster.client.result(job_id).pixels_sha256 == small
    cluster.await_nodes(HOSTS, START_S)


def states(cluster, jobs):
    return [cluster.client.status(job_id).state for job_id in jobs]


def test_no_process_of_a_world_is_left_when_no_job_has_come_for_a_while(cluster):
    until(lambda: not cluster.leftovers(), "the end of idle worlds", NOTICE_S)


def test_a_store_that_a_host_does_not_share_is_told_of(cluster, image):
    host = cluster.machines.numbers[-1]
    cluster.hide(host, "staging/shared")

    job = cluster.client.submit(image, STEPS, ranks=HOSTS)

    assert cluster.client.wait(job.id, AGAIN_S).state is JobState.FAILED
    message = cluster.client.failure(job.id).message
    assert "staging/shared is not the same on node" in message
    assert "share the folder between all nodes" in message
