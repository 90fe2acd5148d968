"""Filter every image below a prefix of the store, with progress.

On a cluster::

    ray submit cluster.yaml jobs/filter_folder.py -- --input gs://bucket/scans/ --steps gaussian:sigma=2 sobel

On this machine, beside ``halorow up`` (which prints the address and the token's file)::

    RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=halorow-data/ray-token \
        ray job submit --address http://127.0.0.1:8265 -- python $PWD/jobs/filter_folder.py …

The images are jobs like any others: they go on if this script is stopped, and started again with the
same batch name it takes up the same jobs. The service is found by the settings (``HALOROW_…``).
"""

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from mpi_stage.errors import StageError
from pipeline.cli.follow import followed
from pipeline.client import Client, Order
from pipeline.errors import HalorowError
from pipeline.models import JobState, JobStatus

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp")
TELL_EVERY_S = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Submit, follow and sum up; return 0 if all succeeded."""
    arguments = parse(argv)
    try:
        client = Client.connect()
        jobs = submit_all(client, arguments)
        if not jobs:
            print(f"no images below {arguments.input} ({' '.join(SUFFIXES)})", file=sys.stderr)
            return 3
        ended = follow(client, jobs)
    except (HalorowError, StageError) as error:
        print(f"error: {error.public_message}", file=sys.stderr)
        return error.exit_code
    return sum_up(client, ended)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="filter_folder.py", description=summary)
    parser.add_argument("--input", required=True, help="prefix: a URI in the store, or the beginning of keys")
    parser.add_argument("--steps", required=True, nargs="+", help="the pipeline: gaussian:sigma=2 sobel")
    parser.add_argument("--output", help="prefix for the results; by default each job's own folder")
    parser.add_argument("--batch", help="name of the batch; the same name takes up the same jobs")
    parser.add_argument("--ranks", type=int, help="MPI ranks for each image; chosen by the plan by default")
    return parser.parse_args(argv)


def submit_all(client: Client, arguments: argparse.Namespace) -> dict[str, JobStatus]:
    """Submit every image below the prefix; return the jobs by id."""
    prefix = client.uri_of(arguments.input)
    images = (uri for uri in client.objects(prefix) if uri.lower().endswith(SUFFIXES))
    return {job.id: job for job in client.submit_many(orders(client, prefix, images, arguments))}


def orders(
    client: Client, prefix: str, images: Iterable[str], arguments: argparse.Namespace
) -> Iterator[Order]:
    """Yield what is to be submitted for each image."""
    for uri in images:
        relative = uri.removeprefix(prefix).lstrip("/") or uri.rsplit("/", 1)[-1]
        output = f"{client.uri_of(arguments.output).rstrip('/')}/{relative}" if arguments.output else None
        yield client.order(
            uri,
            " ".join(arguments.steps),
            output=output,
            batch=arguments.batch,
            key=key_of(arguments.batch, relative),
            ranks=arguments.ranks,
        )


def key_of(batch: str | None, relative: str) -> str | None:
    """Return the idempotency key of one image of a batch that has a name."""
    return hashlib.sha256(f"{batch}\x00{relative}".encode()).hexdigest() if batch else None


def follow(client: Client, jobs: dict[str, JobStatus]) -> list[JobStatus]:
    """Wait until all jobs have ended, telling how far they are; return their final statuses."""
    told, known = time.monotonic(), jobs
    for known in followed(client, jobs):
        if time.monotonic() - told > TELL_EVERY_S:
            told = time.monotonic()
            tell(known.values())
    tell(known.values())
    return list(known.values())


def tell(found: Collection[JobStatus]) -> None:
    """Print one line of progress."""
    counts = Counter(status.state for status in found)
    done = sum(status.fraction_done for status in found)
    states = ", ".join(f"{count} {state.value}" for state, count in sorted(counts.items()))
    print(f"{done / len(found):6.1%} of {len(found)} images: {states}", flush=True)


def sum_up(client: Client, ended: Sequence[JobStatus]) -> int:
    """Print what failed and where the results are; return the exit code."""
    for status in ended:
        if status.state is JobState.SUCCEEDED:
            print(f"{status.input_name} -> {client.uri_of(status.output_key or '')}")
        else:
            print(f"{status.input_name} {status.state.value}: {status.error or ''}", file=sys.stderr)
    return 0 if all(status.state is JobState.SUCCEEDED for status in ended) else 1


if __name__ == "__main__":
    sys.exit(main())
