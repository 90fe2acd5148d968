"""Thousands of submissions at once: how long each takes, and how soon all are done."""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docs.generate.reliability_results import FOLDER, Run
from pipeline.models import Result
from tests.chaos.ground import Ground
from tests.chaos.plot import Line, Plot
from tests.chaos.quiet import expected_of
from tests.chaos.workload import make_kinds

CLIENTS = 32
"""Threads that submit at the same time, each as fast as it is answered."""

LOOK_S = 0.5
CALM_S = 120.0
PERCENTILES = (50, 95, 99)


def percentile(values: list[float], which: int) -> float:
    """Return a percentile of at least two values."""
    return statistics.quantiles(values, n=100, method="inclusive")[which - 1]


class Load:
    """So many submissions of one small picture, which lies in the store already."""

    def __init__(self, folder: Path, number: int) -> None:
        """Start the service."""
        self._number = number
        kinds = make_kinds(folder / "pictures")[:1]
        self._kind = kinds[0]
        self._expected = expected_of(kinds, folder / "quiet")[self._kind.name].pixels_sha256
        self._ground = Ground(folder)
        self._lock = threading.Lock()
        self.submit_s: list[float] = []
        self.ids: list[str] = []
        self.accepted_at: list[float] = []
        self.refused: list[str] = []

    def run(self) -> list[Result]:
        """Submit all, wait for all; return the results. Raises TimeoutError where it does not go on."""
        store = self._ground.service.client._parts.store
        store.put_file("inputs/picture.png", self._kind.image)
        uri = store.uri("inputs/picture.png")
        self.began_s = time.time()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(lambda _: self._submit(uri), range(self._number)))
        self._await()
        return [found for one in self.ids if isinstance(found := self._ground.ending(one), Result)]

    def _submit(self, uri: str) -> None:
        since_s = time.perf_counter()
        try:
            job = self._ground.service.client.submit(uri, self._kind.steps)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is counted and shown)
            with self._lock:
                self.refused.append(repr(error))
            return
        with self._lock:
            self.submit_s.append(time.perf_counter() - since_s)
            self.accepted_at.append(time.time() - self.began_s)
            self.ids.append(job.id)

    def _await(self) -> None:
        left, since_s = -1, time.monotonic()
        while now_left := sum(1 for _ in self._ground.records.store.list("open/")):
            if now_left != left:
                left, since_s = now_left, time.monotonic()
            if time.monotonic() - since_s > CALM_S:
                raise TimeoutError(f"{left} of {self._number} jobs are not done, and none has ended lately")
            time.sleep(LOOK_S)

    def stop(self) -> None:
        """End the service."""
        self._ground.service.stop()

    def figures(self, results: list[Result]) -> dict[str, float]:
        """Return what has been measured."""
        accepted_at = dict(zip(self.ids, self.accepted_at, strict=True))
        ends_s = sorted(one.finished_at.timestamp() - self.began_s for one in results)
        waits = [one.finished_at.timestamp() - self.began_s - accepted_at[one.job_id] for one in results]
        return {
            "submitted": self._number,
            "succeeded": sum(one.pixels_sha256 == self._expected for one in results),
            "refused": len(self.refused),
            **{f"submit_p{p}_ms": round(percentile(self.submit_s, p) * 1000, 1) for p in PERCENTILES},
            "submissions_per_s": round(self._number / max(self.accepted_at), 1),
            **{f"done_p{p}_s": round(max(0.0, percentile(waits, p)), 2) for p in PERCENTILES},
            "jobs_per_s": round(len(results) / ends_s[-1], 1),
        }

    def draw(self, results: list[Result], path: Path) -> None:
        """Draw how many were accepted and done by when."""
        ends_s = sorted(one.finished_at.timestamp() - self.began_s for one in results)
        lines = [
            Line("accepted", [(at, n) for n, at in enumerate(sorted(self.accepted_at), 1)]),
            Line("done", [(at, n) for n, at in enumerate(ends_s, 1)]),
        ]
        title = f"{self._number:,} submissions at once"
        path.write_text(Plot(title, "seconds since the first", "jobs", lines).svg(), encoding="utf-8")


def load(folder: Path, *, number: int, plots: Path = FOLDER) -> tuple[Run, list[str]]:
    """Submit ``number`` jobs at once; return what it took, and every refusal."""
    since_s, one = time.monotonic(), Load(folder, number)
    try:
        results = one.run()
    finally:
        one.stop()
    plots.mkdir(parents=True, exist_ok=True)
    one.draw(results, plots / f"load-{number}.svg")
    seconds = round(time.monotonic() - since_s, 1)
    return Run(f"load-{number}", 0, one.figures(results), seconds), one.refused
