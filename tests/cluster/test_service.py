"""The running service, with real Redis, Ray, MPI and files: what it does, and that faults lose nothing."""

import ipaddress
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil
import pytest
import tifffile

from pipeline.errors import JobFailedError
from pipeline.models import JobState, Lane
from tests import plain_install
from tests.embedded_service import EmbeddedService, lives, pixels_of_run
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

WAIT_S = 120
STEPS = ("gaussian:sigma=2 sobel", "median:size=31", "equalize", "grayscale canny:low=30,high=90")
LONG = "median:size=31 median:size=31"


@pytest.fixture(scope="module")
def images(request):
    folder = request.config.rootpath / "tests" / "images"
    return [folder / name for name in ("astronaut.jpg", "coins.png", "coffee.tif")]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Give the digest that ``halorow run`` makes, computed once for each image and pipeline."""
    folder, known = tmp_path_factory.mktemp("reference"), {}

    def digest(image, steps):
        if (image, steps) not in known:
            known[image, steps] = pixels_of_run(image, steps, folder)
        return known[image, steps]

    return digest


@pytest.fixture(scope="module")
def slow_image(tmp_path_factory):
    """Give an image that no machine is done with before it is cancelled: wide medians of 16-bit noise."""
    path = tmp_path_factory.mktemp("slow") / "slow.tif"
    tifffile.imwrite(path, np.random.default_rng(1).integers(0, 65536, (12000, 2000), np.uint16))
    return path


def submit_all(embedded, images, number):
    jobs = {}
    for index in range(number):
        image, steps = images[index % len(images)], STEPS[index % len(STEPS)]
        jobs[embedded.client.submit(image, steps).id] = (image, steps)
    return jobs


def assert_all_done(embedded, jobs, expected):
    for job_id, (image, steps) in jobs.items():
        status = embedded.client.wait(job_id, WAIT_S)
        assert status.state is JobState.SUCCEEDED, f"{job_id} {status.state}: {status.error}"
        assert embedded.client.result(job_id).pixels_sha256 == expected(image, steps)


def test_a_result_comes_back_behind_a_signed_link(embedded, images, expected):
    job = embedded.client.submit(images[0], STEPS[0])
    embedded.client.wait(job.id, WAIT_S)

    result = embedded.client.result(job.id)
    link = embedded.client.link(job.id)
    with urllib.request.urlopen(link) as answer:  # noqa: S310  # our own link
        body = answer.read()
    assert len(body) == result.output.size_bytes
    assert result.pixels_sha256 == expected(images[0], STEPS[0])
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link.replace("signature=", "signature=0"))  # noqa: S310  # our own link


def test_a_world_of_two_ranks_makes_the_same_pixels(embedded, images, expected):
    job = embedded.client.submit(images[2], STEPS[3], ranks=2)
    status = embedded.client.wait(job.id, WAIT_S)

    result = embedded.client.result(job.id)
    assert status.lane is Lane.GANG
    assert len(result.report["ranks"]) == 2
    assert result.pixels_sha256 == expected(images[2], STEPS[3])


def test_the_guide_for_python_works_as_it_stands(embedded, images, tmp_path, request):
    guide = (request.config.rootpath / "docs" / "python.md").read_text()
    script = tmp_path / "guide.py"
    script.write_text("\n".join(re.findall(r"^```python\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)))
    shutil.copyfile(images[2], tmp_path / "scan.tif")
    env = {**os.environ, "HALOROW_DATA_DIR": str(embedded.data)}
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "refused: " in done.stdout
    assert done.stdout.splitlines()[-3:] == ["succeeded"] * 3
    assert (tmp_path / "edges.tif").exists()


def test_kills_of_worker_rank_and_redis_lose_nothing(embedded, images, expected):
    jobs = submit_all(embedded, images, 20)

    until(lambda: embedded.client.status(next(iter(jobs))).state is not JobState.QUEUED, "a start")
    embedded.kill_one("mpi_stage")
    embedded.kill_one("ray::Worker")
    embedded.kill_one("redis-server")

    assert_all_done(embedded, jobs, expected)


def test_a_redis_that_has_forgotten_everything_loses_nothing(embedded, images, expected):
    jobs = submit_all(embedded, images, 10)

    embedded.client._parts.board._client.flushall()

    assert_all_done(embedded, jobs, expected)


def test_a_job_in_work_is_cancelled_and_its_ranks_stop(embedded, slow_image):
    job = embedded.client.submit(slow_image, LONG, ranks=2)
    until(lambda: embedded.client.status(job.id).rows_done > 0, "progress")

    embedded.client.cancel(job.id)

    assert embedded.client.wait(job.id, WAIT_S).state is JobState.CANCELLED
    with pytest.raises(JobFailedError):
        embedded.client.result(job.id)


def test_bad_requests_get_a_clear_error_and_the_service_lives_on(embedded, images, expected, tmp_path):
    text, cut = tmp_path / "text.tif", tmp_path / "cut.png"
    text.write_text("this is a text, not a picture\n" * 40)
    cut.write_bytes(images[1].read_bytes()[:5000])

    def refused(code, *words):
        return embedded.halorow("submit", *map(str, words), "--wait", check=code)

    assert "gaussian" in refused(2, images[0], "--steps", "gausian")
    assert "100" in refused(2, images[0], "--steps", "gaussian:sigma=1000")
    assert "none.png" in refused(3, tmp_path / "none.png", "--steps", "invert")
    assert "text.tif" in refused(3, text, "--steps", "invert")
    assert "cut.png" in refused(3, cut, "--steps", "invert")
    assert_all_done(
        embedded, {embedded.client.submit(images[0], STEPS[0]).id: (images[0], STEPS[0])}, expected
    )


def test_the_end_of_a_job_is_told_on_the_page(embedded, images):
    job = embedded.client.submit(images[0], STEPS[0], user="reader")
    embedded.client.wait(job.id, WAIT_S)

    until(lambda: embedded.client.notices("reader"), "a notice")
    notice = embedded.client.notices("reader")[0]
    assert notice.job_id == job.id
    assert embedded.client.notices("reader", notice.id) == []


def test_a_second_service_in_the_same_folder_is_refused(embedded):
    assert "already" in embedded.halorow("up", check=1)


def test_a_folder_is_filtered_by_a_ray_job(embedded, images, expected):
    for image in images:
        embedded.client._parts.store.put_file(f"scans/{image.name}", image)
    embedded.client._parts.store.put_bytes("scans/notes.txt", b"no image")

    said = embedded.ray_job(
        "jobs/filter_folder.py", "--input", "scans/", "--steps", STEPS[1], "--output", "out/"
    )

    assert "100.0% of 3 images: 3 succeeded" in said
    for image in images:
        assert embedded.client._parts.store.stat(f"out/{image.name}") is not None
    done = [job for job in embedded.client.jobs() if job.output_key == f"out/{images[0].name}"]
    assert embedded.client.result(done[0].id).pixels_sha256 == expected(images[0], STEPS[1])


def is_loopback(text):
    address = ipaddress.ip_address(text)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def test_nothing_but_a_world_s_launcher_listens_beyond_this_machine(embedded):
    # MPI's launcher, and the ranks that inherit its sockets, do: SECURITY.md says so.
    worlds = {process.pid for what in ("hydra", "mpi_stage") for process in embedded.processes(what)}
    places = {
        (place.laddr.ip, process.name())
        for process in embedded.processes()
        if process.pid not in worlds and lives(process)
        for place in process.net_connections("inet")
        if place.status == psutil.CONN_LISTEN
    }
    assert places
    assert {place for place in places if not is_loopback(place[0])} == set()


def test_redis_and_ray_s_dashboard_refuse_who_has_no_password_and_no_token(embedded):
    port = urlsplit(embedded.settings.redis_url.get_secret_value()).port
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")
    dashboard = f"http://127.0.0.1:{embedded.settings.ray_dashboard_port}/api/jobs/"
    assert httpx.get(dashboard).status_code in {401, 403}


def test_a_ray_job_without_the_token_is_refused(embedded):
    assert "token" in embedded.ray_job("jobs/filter_folder.py", token=False, fails=True).lower()


@pytest.fixture(scope="module")
def killed(embedded, images):
    """Give the folder, the jobs and the former processes of the service, now that it was killed -9 at work.

    The tests that ask for it come last.
    """
    jobs = submit_all(embedded, images, 6)
    below = embedded.processes()
    embedded.kill()
    return embedded.data, jobs, below


def test_a_killed_service_leaves_no_process(killed):
    _, _, below = killed

    assert below
    until(lambda: not any(lives(process) for process in below), "the end of all processes")


def test_a_killed_service_goes_on_where_it_was_and_ends_without_a_trace(killed, expected, tmp_path):
    data, jobs, _ = killed

    # Ray's jobs and dashboard apart, a service needs nothing but what a plain installation brings.
    again = EmbeddedService(data, env=plain_install.environment(tmp_path))
    assert_all_done(again, jobs, expected)
    below = again.processes()
    again.stop()

    assert not any(lives(process) for process in below)
    assert list((data / "store" / "staging").iterdir()) == []
    assert not (data / "connection.toml").exists()
