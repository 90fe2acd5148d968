"""Filter one image, and tell how far it is and where the result lies.

On a cluster::

    ray submit cluster.yaml jobs/filter_one.py -- --input gs://bucket/scan.tif --steps gaussian:sigma=2 sobel

On this machine, beside ``halorow up``: see ``filter_folder.py``. The image is an object of the store, or a
file of the machine that this runs on, which is uploaded. The job goes on if this script is stopped; started
again with the same key it takes up the same job. The service is found by the settings (``HALOROW_…``).
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mpi_stage.errors import StageError
from pipeline.client import Client
from pipeline.errors import HalorowError
from pipeline.models import JobStatus

TELL_EVERY_S = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Submit, follow and sum up; return 0, or what the failure has as exit code."""
    arguments = parse(argv)
    try:
        client = Client.connect()
        job = submit(client, arguments)
        print(f"job {job.id}: {job.input_name}, {job.pipeline}", flush=True)
        follow(client, job.id)
        sum_up(client, job.id)
    except (HalorowError, StageError) as error:
        print(f"error: {error.public_message}", file=sys.stderr)
        return error.exit_code
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="filter_one.py", description=summary)
    parser.add_argument("--input", required=True, help="a URI or key in the store, or a file of this machine")
    parser.add_argument("--steps", required=True, nargs="+", help="the pipeline: gaussian:sigma=2 sobel")
    parser.add_argument("--output", help="URI or key of the result; by default in the job's own folder")
    parser.add_argument("--key", help="idempotency key: the same key is the same job")
    parser.add_argument("--ranks", type=int, help="MPI ranks; chosen by the plan by default")
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), help="auto by default")
    return parser.parse_args(argv)


def submit(client: Client, arguments: argparse.Namespace) -> JobStatus:
    """Submit the image."""
    local = Path(arguments.input)
    return client.submit(
        local if local.is_file() else client.uri_of(arguments.input),
        " ".join(arguments.steps),
        output=client.uri_of(arguments.output) if arguments.output else None,
        key=arguments.key,
        ranks=arguments.ranks,
        device=arguments.device,
    )


def follow(client: Client, job_id: str) -> None:
    """Wait for the end of the job, telling of every turn and, now and then, how far it is."""
    before, told = None, 0.0
    for event in client.watch(job_id):
        status = event.status
        if status.state is not before or time.monotonic() - told > TELL_EVERY_S:
            before, told = status.state, time.monotonic()
            print(described(status), flush=True)


def described(status: JobStatus) -> str:
    """Return a line about a job."""
    left = status.seconds_left
    rest = f", {left:.0f} s left" if left is not None else ""
    return f"{status.fraction_done:6.1%} {status.state.value}, attempt {status.attempt}{rest}"


def sum_up(client: Client, job_id: str) -> None:
    """Print where the result is and what it took. Raises JobFailedError."""
    result = client.result(job_id)
    ranks = result.report["ranks"]
    hosts = sorted({rank["host"] for rank in ranks})
    print(f"ranks {len(ranks)} on {', '.join(hosts)}")
    print(f"pixels sha256 {result.pixels_sha256 or 'not asked for'}")
    print(f"result {client.uri_of(result.output.key)}")


if __name__ == "__main__":
    sys.exit(main())
