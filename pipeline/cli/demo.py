"""``halorow demo``: a photograph and a larger image through the whole service, which then ends.

It does what a user would: starts ``halorow up``, submits through the client, downloads through the
signed links, and compares with ``halorow run``.
"""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from rich.console import Console

from pipeline import sample
from pipeline.cli.follow import follow
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.errors import ServiceError
from pipeline.models import JobState, JobStatus
from pipeline.worlds.processes import end, spawn

ENLARGED = 8
"""The larger image is the photograph so many times as wide and high: 4,800 × 3,200 pixels."""

RANKS = 2
PHOTO_STEPS = "gaussian:sigma=2 sobel"
LARGE_STEPS = "gaussian:sigma=3 canny:low=40,high=120"
END_S = 30.0
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class _Task:
    """One image, what is to be done with it, and where a reference goes."""

    input: Path
    steps: str
    ranks: int | None


def run_demo(folder: Path | None = None) -> int:
    """Run the demonstration in a folder of its own; return the exit code. Raises ServiceError."""
    console = Console(highlight=False, soft_wrap=True)
    target = (folder or Path("halorow-data") / "demo").absolute()
    target.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    console.print(f"starting the service in {target} …")
    with _service(target) as page, Client.connect(Settings.load(data_dir=target / "service")) as client:
        console.print(f"the page is at {page}")
        tasks = _tasks(target)
        jobs = [client.submit(task.input, task.steps, ranks=task.ranks, batch="demo") for task in tasks]
        for task, job in zip(tasks, jobs, strict=True):
            console.print(f"submitted {task.input.name} as {job.id}: {task.steps}")
        ended = follow(client, [job.id for job in jobs])
        good = [_show(console, client, task, status) for task, status in zip(tasks, ended, strict=True)]
    console.print(f"the service has ended; all took {time.monotonic() - started:.0f} s")
    return 0 if all(good) else 1


@contextmanager
def _service(target: Path) -> Iterator[str]:
    """Run ``halorow up`` while the block lasts; yield the address of its page."""
    log = target / "service.log"
    argv = [
        sys.executable,
        "-m",
        "pipeline.cli.main",
        "up",
        "--data",
        str(target / "service"),
        "--workers",
        "2",
    ]
    with log.open("wb") as errors:
        process = spawn(argv, stdout=subprocess.PIPE, stderr=errors)
    try:
        yield _page(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            end(process)


def _page(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return what the service says of its page, once it is ready."""
    if process.stdout is None:
        raise ServiceError("the service was started without a pipe to hear from it")
    for line in process.stdout:
        name, _, address = line.decode().strip().partition(": ")
        if name == "page":
            return address
    raise ServiceError(f"the service did not start; {log} says: {log.read_text(errors='replace')[-2000:]}")


def _tasks(target: Path) -> list[_Task]:
    """Write the demonstration's images."""
    photo, large = target / sample.NAME, target / "large.tif"
    photo.write_bytes(sample.photograph())
    with Image.open(photo) as image:
        size = (image.width * ENLARGED, image.height * ENLARGED)
        image.resize(size, Image.Resampling.BICUBIC).save(large)
    return [_Task(photo, PHOTO_STEPS, None), _Task(large, LARGE_STEPS, RANKS)]


def _show(console: Console, client: Client, task: _Task, status: JobStatus) -> bool:
    """Download a result by its link, compare it with ``halorow run``, and say so."""
    if status.state is not JobState.SUCCEEDED:
        console.print(f"[red]{task.input.name} {status.state.value}[/red]: {status.error}")
        return False
    result = client.result(status.id)
    place = task.input.with_name(f"{task.input.stem}-result{task.input.suffix}")
    fetched = _download(client.link(status.id), place)
    expected = _pixels_of_run(task)
    ranks = len(result.report["ranks"])
    if fetched != result.output.size_bytes or result.pixels_sha256 != expected:
        console.print(f"[red]{task.input.name}: the service's result is not that of halorow run[/red]")
        return False
    console.print(
        f"{task.input.name}: {result.report['seconds']:.2f} s on {ranks} MPI rank{'s' if ranks > 1 else ''},"
        f" same pixels as halorow run (sha256 {expected[:16]}…)\n  result: {place}"
    )
    return True


def _download(link: str, place: Path) -> int:
    """Fetch a signed link; return the bytes that came."""
    size = 0
    if not link.startswith("http"):
        raise ServiceError(f"the link {link[:60]} is not one for HTTP")
    with urllib.request.urlopen(link, timeout=60) as answer, place.open("wb") as file:  # noqa: S310  # checked
        while block := answer.read(_READ_BYTES):
            size += len(block)
            file.write(block)
    return size


def _pixels_of_run(task: _Task) -> str:
    """Return the digest that ``halorow run`` gives for the same image and steps on one rank."""
    output = task.input.with_name(f".reference{task.input.suffix}")
    argv = [
        sys.executable,
        "-m",
        "pipeline.cli.main",
        "run",
        str(task.input),
        str(output),
        *task.steps.split(),
    ]
    try:
        done = subprocess.run(
            [*argv, "--ranks", "1", "--overwrite", "--quiet", "--json"],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise ServiceError(f"halorow run failed: {done.stderr.decode(errors='replace')[-1000:]}")
        return str(json.loads(done.stdout)["pixels_sha256"])
    finally:
        output.unlink(missing_ok=True)
