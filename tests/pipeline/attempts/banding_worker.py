"""A worker that keeps bands, for tests that end it: settings, URL of Redis, folder, bytes of a band."""

import json
import sys
from pathlib import Path

from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.models import Lane
from pipeline.worlds.warm import WarmWorld


def main():
    told, url, scratch, band_bytes = sys.argv[1:]
    kept = ("store_uri", "lease_s", "heartbeat_s")
    chosen = {name: value for name, value in json.loads(told).items() if name in kept}
    parts = connect_parts(Settings.load(find_service=False, redis_url=url, **chosen))
    place = Workplace(parts.store, Path(scratch), band_bytes=int(band_bytes))
    JobRunner(parts, WarmWorld(1), place, lane=Lane.SINGLE, consumer="mortal-").run_forever()


if __name__ == "__main__":
    main()
