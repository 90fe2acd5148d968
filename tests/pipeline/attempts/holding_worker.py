"""A worker that gets stuck in its first job, for a test that kills it: URL of Redis, folders, lease."""

import sys
import threading
from pathlib import Path

from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.models import Lane
from pipeline.worlds.warm import WarmWorld


class StuckStage:
    """A real stage whose first job is planned and then never goes on."""

    def __init__(self):
        self.world = WarmWorld(1)

    def run(self, request, *, on_event, **options):
        def listen(event):
            on_event(event)
            threading.Event().wait()

        return self.world.run(request, on_event=listen, **options)


def main():
    url, folder, scratch, lease_s = sys.argv[1:]
    settings = Settings.load(
        find_service=False,
        redis_url=url,
        store_uri=Path(folder).as_uri(),
        lease_s=float(lease_s),
        heartbeat_s=float(lease_s) / 4,
    )
    parts = connect_parts(settings)
    JobRunner(
        parts, StuckStage(), Workplace(parts.store, Path(scratch)), lane=Lane.SINGLE, consumer="stuck-"
    ).run_forever()


if __name__ == "__main__":
    main()
