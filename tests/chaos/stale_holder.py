"""A holder that stops itself (SIGSTOP) at a point of its work: the point and a scratch folder.

It works on one job after another, and says on its standard output how each ended.
"""

import os
import signal
import sys
from pathlib import Path

from pipeline import logs
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.models import Lane
from pipeline.stores.local import LocalStore
from pipeline.worlds.warm import WarmWorld

POINTS = ("while computing", "before its output is stored", "before its check", "between check and commit")
WAIT_S = 1.0


def stop() -> None:
    """Stop this process until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def arm(point: str, world: WarmWorld) -> None:
    """Have every job stop this process once, at ``point``."""
    if point == POINTS[0]:
        run = world.run

        def run_and_stop(request, *, on_event, **options):
            def heed(event):
                on_event(event)
                if event["event"] == "planned":
                    stop()

            return run(request, on_event=heed, **options)

        world.run = run_and_stop
    elif point == POINTS[1]:
        _stop_before("put_file", lambda key: "/output-" in key)
    elif point == POINTS[2]:
        _stop_before("list", lambda key: key.startswith("jobs/"), after="put_file")
    else:
        _stop_before("put_bytes", lambda key: key.endswith("/result.json"))


def _stop_before(name: str, fits, after: str | None = None) -> None:
    """Stop before a method of the store is called with a key that fits, once another one has been."""
    method, waits = getattr(LocalStore, name), [after is not None]

    def stopping(store, key, *arguments, **options):
        if fits(key) and not waits[0]:
            waits[0] = after is not None
            stop()
        return method(store, key, *arguments, **options)

    setattr(LocalStore, name, stopping)
    if after is not None:
        earlier = getattr(LocalStore, after)

        def noted(store, key, *arguments, **options):
            info = earlier(store, key, *arguments, **options)
            waits[0] = False
            return info

        setattr(LocalStore, after, noted)


def main() -> None:
    """Work until killed."""
    point, scratch = sys.argv[1:]
    logs.configure("error")
    parts = connect_parts(Settings.load(find_service=False))
    world = WarmWorld(1)
    world.warm_up()
    arm(point, world)
    runner = JobRunner(
        parts,
        world,
        Workplace(parts.store, Path(scratch)),
        lane=Lane.SINGLE,
        consumer=f"holder-{os.getpid()}",
    )
    claim = parts.queue.claim
    held = []

    def claim_and_note(*arguments):
        found = claim(*arguments)
        held[:] = [found.job_id] if found else []
        return found

    parts.queue.claim = claim_and_note
    print("ready", flush=True)
    while True:
        if runner.work_once(block_s=WAIT_S):
            print("ended", *held, flush=True)


if __name__ == "__main__":
    main()
