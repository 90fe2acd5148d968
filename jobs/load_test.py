"""Submit many generated pictures, wait for all of them, and print latencies, throughput and failures.

On a cluster::

    ray submit cluster.yaml jobs/load_test.py -- --pictures 10000 --size 1024 --steps gaussian:sigma=2 sobel

On this machine, beside ``halorow up``: see ``filter_folder.py``. A latency is the time from the acceptance
of a job to its end. All pictures are submitted as fast as they are accepted, so that latencies are those of a
full queue, or ``--rate`` of them in a second. There are a few different pictures; all results of one must be
the same to the last bit. The objects stay in the store.
"""

import argparse
import io
import json
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from mpi_stage.errors import StageError
from pipeline.cli.follow import followed
from pipeline.client import Client, Order
from pipeline.errors import HalorowError
from pipeline.models import JobState, JobStatus

PERCENTILES = (50, 95, 99)
DIFFERENT = 8
"""Pictures to take turns with: making one takes longer than submitting it."""

TELL_EVERY_S = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Submit, follow and sum up; return 0 if all succeeded with the same bytes."""
    arguments = parse(argv)
    try:
        client = Client.connect()
        began = time.monotonic()
        jobs = {job.id: job for job in submit_all(client, arguments)}
        submitted_s = time.monotonic() - began
        ended = follow(client, jobs)
        figures = summary(client, ended, arguments.size**2) | {"submission_s": submitted_s}
    except (HalorowError, StageError) as error:
        print(f"error: {error.public_message}", file=sys.stderr)
        return error.exit_code
    print(json.dumps(figures) if arguments.json else described(figures), flush=True)
    return 0 if figures["succeeded"] == arguments.pictures and not figures["different_results"] else 1


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    first = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="load_test.py", description=first)
    parser.add_argument("--pictures", type=positive, default=1000, help="how many (1000)")
    parser.add_argument("--size", type=positive, default=512, help="width and height in pixels (512)")
    parser.add_argument("--steps", nargs="+", default=["gaussian:sigma=2", "sobel"], help="the pipeline")
    parser.add_argument("--rate", type=float, help="pictures to submit in a second; as many as go by default")
    parser.add_argument("--ranks", type=positive, help="MPI ranks for each; chosen by the plan by default")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args(argv)


def positive(text: str) -> int:
    """Return a number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def submit_all(client: Client, arguments: argparse.Namespace) -> list[JobStatus]:
    """Submit all pictures, at the rate that was asked for."""
    if not arguments.rate:
        return client.submit_many(orders(client, arguments))
    began = time.monotonic()
    jobs = []
    for number, order in enumerate(orders(client, arguments)):
        time.sleep(max(0.0, began + number / arguments.rate - time.monotonic()))
        jobs += client.submit_many([order])
    return jobs


def orders(client: Client, arguments: argparse.Namespace) -> Iterator[Order]:
    """Yield what is to be submitted."""
    pictures = [picture(arguments.size, seed) for seed in range(min(DIFFERENT, arguments.pictures))]
    batch = f"load-{time.time_ns():x}"
    for number in range(arguments.pictures):
        which = number % len(pictures)
        yield client.order(
            f"picture-{which}.tif",
            " ".join(arguments.steps),
            data=pictures[which],
            batch=batch,
            ranks=arguments.ranks,
        )


def picture(size: int, seed: int) -> bytes:
    """Return a TIFF of ``size`` × ``size`` pixels of three channels: slopes, edges and noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size, 0:size]
    slopes = np.stack([rows, columns, rows + columns], axis=-1) * 255 // (2 * size)
    edges = ((rows // 32 + columns // 32 + seed) % 2 * 64)[..., None]
    noise = random.integers(0, 64, (size, size, 3))
    file = io.BytesIO()
    Image.fromarray((slopes + edges + noise).astype(np.uint8)).save(file, "TIFF")
    return file.getvalue()


def follow(client: Client, jobs: Mapping[str, JobStatus]) -> list[JobStatus]:
    """Wait until all jobs have ended, telling how many have; return their final statuses."""
    told = time.monotonic()
    known = dict(jobs)
    for known in followed(client, jobs):
        if time.monotonic() - told > TELL_EVERY_S:
            told = time.monotonic()
            counts = Counter(status.state.value for status in known.values())
            print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())), file=sys.stderr)
    return list(known.values())


def summary(client: Client, ended: Sequence[JobStatus], pixels: int) -> dict[str, Any]:
    """Return the figures of a run whose pictures have so many pixels each."""
    done = [status for status in ended if status.state is JobState.SUCCEEDED]
    spans = [(status.created_at, status.finished_at or status.updated_at) for status in done]
    latencies = sorted((end - begin).total_seconds() for begin, end in spans)
    took_s = (max(end for _, end in spans) - min(begin for begin, _ in spans)).total_seconds() if spans else 0
    rate = len(done) / took_s if took_s else 0.0
    return {
        "pictures": len(ended),
        "succeeded": len(done),
        "failures": dict(Counter(s.state.value for s in ended if s.state is not JobState.SUCCEEDED)),
        "reasons": sorted({status.error for status in ended if status.error and status not in done}),
        "retries": sum(max(0, status.attempt - 1) for status in ended),
        "different_results": different(client, done),
        "seconds": took_s,
        "pictures_per_s": rate,
        "megapixels_per_s": rate * pixels / 1e6,
        "latency_s": {f"p{share}": percentile(latencies, share) for share in PERCENTILES},
    }


def percentile(values: Sequence[float], share: int) -> float | None:
    """Return the value that ``share`` per cent of sorted values do not exceed: nearest rank."""
    return values[max(0, math.ceil(len(values) * share / 100) - 1)] if values else None


def different(client: Client, done: Sequence[JobStatus]) -> int:
    """Return how many results differ from the first of the same picture."""
    digests = defaultdict(list)
    for status in done:
        digests[status.input_name].append(client.result(status.id).pixels_sha256)
    return sum(digest != found[0] for found in digests.values() for digest in found)


def described(figures: Mapping[str, Any]) -> str:
    """Return the figures as text."""
    latencies = "  ".join(
        f"{name} {'–' if value is None else f'{value:.3f} s'}" for name, value in figures["latency_s"].items()
    )
    failures = ", ".join(f"{count} {state}" for state, count in figures["failures"].items()) or "none"
    done = f"{figures['succeeded']} of {figures['pictures']} in {figures['seconds']:.2f} s"
    rates = f"{figures['pictures_per_s']:.1f} pictures/s, {figures['megapixels_per_s']:.1f} megapixels/s"
    lines = [
        f"pictures    {done}, submitted in {figures['submission_s']:.2f} s",
        f"latency     {latencies}",
        f"throughput  {rates}",
        f"failures    {failures}",
        *(f"            {reason}" for reason in figures["reasons"]),
        f"retries     {figures['retries']}",
        f"results     {figures['different_results']} differ from others of the same picture",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
