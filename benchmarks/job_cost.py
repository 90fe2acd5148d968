"""What one job of P8 costs in processor time, and whom: client, worker, rank and Redis, without Ray.

``python -m benchmarks.job_cost`` has one worker do some pictures, one after the other, on a store that syncs.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.bare_pool import single_threaded
from benchmarks.idle import processor_s
from benchmarks.pictures import jpegs
from benchmarks.scratch import scratch
from benchmarks.service import STEP, bare_side
from pipeline import logs
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.embedded.redis_server import RedisServer
from pipeline.models import Lane
from pipeline.worlds.warm import WarmWorld

WARM_UPS = 8
PICTURES = 200
HERE = Path(__file__).parent


def used_ms(pid: int) -> float:
    """Return the processor time of a process's threads so far, in milliseconds."""
    return 1e3 * sum(processor_s([pid]).values())


@contextmanager
def told(name: str, count: int, others: dict[str, int]) -> Iterator[None]:
    """Print what the block costs for each of ``count`` jobs: here, and in other processes."""
    before = {other: used_ms(pid) for other, pid in others.items()}
    wall, own = time.perf_counter(), time.process_time()
    yield
    wall, own = time.perf_counter() - wall, time.process_time() - own
    parts = [f"{other} {(used_ms(pid) - before[other]) / count:.2f}" for other, pid in others.items()]
    here = f"{name}: {1e3 * wall / count:.2f} ms a job, of which this process works {1e3 * own / count:.2f}"
    print("; ".join([here, *parts]), flush=True)


def measure(folder: Path, count: int) -> None:
    """Print what submission, work and the bare work cost."""
    sources = jpegs(folder)
    logs.configure("warning")
    with scratch(folder) as place:
        server = RedisServer(place / "redis")
        server.start()
        world = WarmWorld(1)
        try:
            settings = Settings.load(
                find_service=False, redis_url=server.url, store_uri=(place / "store").as_uri(), cores=2
            )
            parts = connect_parts(settings)
            client = Client(parts, settings)
            orders = [client.order(sources[n % len(sources)], STEP, digest=False) for n in range(count)]
            runner = JobRunner(
                parts, world, Workplace(parts.store, place / "scratch"), lane=Lane.SINGLE, consumer="w"
            )
            client.submit_many(orders[:WARM_UPS])
            repeat(runner.work_once, WARM_UPS)
            redis = next(one.pid for one in psutil.Process().children(recursive=True) if is_redis(one))
            others = {"the rank": world.pids()[0], "Redis": redis}
            with told("submission", count, others):
                client.submit_many(orders)
            with told("work", count, others):
                repeat(runner.work_once, count)
        finally:
            world.close()
            server.stop()
        single_threaded()
        with told("bare decode, filter, encode", count, {}):
            repeat(lambda: bool(bare_side(sources[0], place / "bare.jpg")), count)


def repeat(work: Callable[[], bool], count: int) -> None:
    """Call ``work`` so often, which says each time that there was something to do."""
    for _ in range(count):
        if not work():
            raise RuntimeError("there was no job to work on")


def is_redis(process: psutil.Process) -> bool:
    """Whether a process is a Redis server."""
    return any("redis" in word for word in process.cmdline()[:1])


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.job_cost", description=__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES, help="pictures of 1 MP")
    parser.add_argument("--folder", type=Path, default=HERE / "cache", help="where pictures are kept")
    options = parser.parse_args()
    measure(options.folder, options.pictures)


if __name__ == "__main__":
    main()
