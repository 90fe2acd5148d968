"""Ray on this machine with the scheduler and the workers: the program ``python -m pipeline.cluster.head``.

Embedded mode runs it as a process of its own, for two reasons: Ray's own servers are started again by
nobody when they end, and a process that was connected to one that has ended is ended by Ray a minute
later. So this program ends as soon as they do, and whoever supervises it starts it anew.
"""

import argparse
import logging
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import ray
from ray._private import parameter
from ray.exceptions import RayError

from pipeline import logs
from pipeline.cluster.environment import TOKEN_FILE
from pipeline.cluster.scheduler import start_scheduler
from pipeline.cluster.worker import SINGLE, STOP_S
from pipeline.config import Settings, write_connection
from pipeline.embedded.data_dir import DataDir
from pipeline.errors import ServiceError
from pipeline.extras import DASHBOARD, is_there

TRIES = 3
"""Ray allows half a minute for its own start, which a busy machine may exceed."""

OBJECT_STORE_BYTES = 80 << 20
"""The least that Ray takes: images never go through its object store."""

VITAL = frozenset({"gcs_server", "raylet"})
"""The programs without which Ray does nothing."""

LOOK_S = 0.5
EXIT_LOST = 1
_LOOPBACK = "127.0.0.1"


class RayHead:
    """Ray with the scheduler and the workers, once."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        """Start nothing yet; nothing is tried again once ``stopping`` is set."""
        self._settings = settings
        self._stopping = stopping
        self._started: list[psutil.Process] = []
        self._vital: list[psutil.Process] = []
        self._log = logs.get_logger(part="ray")
        self._scheduler: Any = None

    def start(self, folder: Path) -> Settings:
        """Start Ray in a folder, and the scheduler; return the settings with Ray's address.

        Raises ServiceError.
        """
        address = self._start(folder)
        self._started = children()
        self._vital = [one for one in self._started if _name(one) in VITAL]
        known = self._settings.model_copy(update={"ray_address": address})
        self._scheduler = start_scheduler(known)
        return known

    def is_alive(self) -> bool:
        """Whether the processes run without which Ray does nothing."""
        return bool(self._vital) and all(map(_runs, self._vital))

    def await_workers(self) -> None:
        """Return when all workers are there, when this is to stop, or when Ray has ended. Raises RayError."""
        asked, workers = [self._scheduler.workers.remote()], None
        while not self._stopping.is_set() and self.is_alive():
            late = ray.wait(asked, num_returns=len(asked), timeout=LOOK_S)[1] if asked else []
            if not late and workers is not None:
                return
            if not late:
                asked = workers = ray.get(asked[0])

    def stop(self) -> None:
        """Have jobs given back, and end all of Ray's processes."""
        with suppress(RayError):
            ray.wait([self._scheduler.stop.remote()], timeout=2 * STOP_S)
        # Noted while they still have their parents: Ray leaves workers to end by themselves.
        ours = [one for root in self._started for one in with_descendants(root)]
        ray.shutdown()
        kill_rest(ours)

    def kill(self) -> None:
        """End all of Ray's processes without asking Ray, which cannot answer any more."""
        kill_rest([one for root in self._started for one in with_descendants(root)])

    def _start(self, folder: Path) -> str:
        """Start Ray and return its address; once more where it gave up on a slow machine."""
        settings = self._settings
        for left in reversed(range(TRIES)):
            try:
                with ended_with_servers(), agent_on_a_free_port():
                    context: Any = ray.init(
                        address="local",
                        num_cpus=settings.cores,
                        resources={SINGLE: settings.workers} if settings.workers else None,
                        object_store_memory=OBJECT_STORE_BYTES,
                        namespace=settings.ray_namespace,
                        include_dashboard=is_there(DASHBOARD),
                        dashboard_host=_LOOPBACK,
                        dashboard_port=settings.ray_dashboard_port,
                        log_to_driver=False,
                        logging_level=logging.ERROR,
                        _node_ip_address=_LOOPBACK,
                        _temp_dir=str(folder),
                    )
            except Exception as error:  # Ray raises plain ones when its time limits pass
                left_over = [one for root in children() for one in with_descendants(root)]
                ray.shutdown()
                kill_rest(left_over)
                if self._stopping.is_set() or not left:
                    raise ServiceError(f"Ray did not start: {error}") from error
                self._log.warning("ray did not start; trying again", error=str(error))
            else:
                return str(context.address_info["gcs_address"])
        raise ServiceError("Ray did not start")


@contextmanager
def ended_with_servers() -> Iterator[None]:
    """End this process if one of Ray's servers ends meanwhile, for which Ray itself would wait 40 s."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_S):
            started = [one for one in children() if _name(one) in VITAL]
            if not all(map(_runs, started)):
                logs.get_logger(part="ray").error("one of Ray's servers ended while Ray started")
                kill_rest([one for root in children() for one in with_descendants(root)])
                os._exit(EXIT_LOST)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


@contextmanager
def agent_on_a_free_port() -> Iterator[None]:
    """Have Ray's agent listen wherever there is room, as only ``ray start`` can be told.

    By ``ray.init`` the agents of all services of a machine get the same port; of those that find it taken
    Ray says nothing, but jobs that are submitted to them find no agent.
    """
    names: Any = parameter
    given = names.RayParams
    names.RayParams = partial(given, dashboard_agent_listen_port=0)
    try:
        yield
    finally:
        names.RayParams = given


def children() -> list[psutil.Process]:
    """Return the processes that this one has started."""
    return psutil.Process().children()


def with_descendants(root: psutil.Process) -> list[psutil.Process]:
    """Return a process and all below it; none if it is gone."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill_rest(processes: Iterable[psutil.Process]) -> None:
    """Kill what is left of some processes, and see them gone."""
    killed = list(processes)
    for process in killed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(killed, timeout=STOP_S)


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""


def _runs(process: psutil.Process) -> bool:
    """Whether a process does anything still; one that nobody has collected yet does not."""
    try:
        return process.is_running() and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def run(settings: Settings, stopping: threading.Event) -> bool:
    """Run Ray until told to stop; return whether it was, and not lost. Raises ServiceError."""
    head, data_dir = RayHead(settings, stopping), DataDir(settings.data_dir)
    data_dir.secret(TOKEN_FILE)
    with data_dir.ray_folder() as folder:
        known = head.start(folder)
        _catch_signals(stopping)  # Ray has set handlers of its own
        head.await_workers()
        if head.is_alive():
            write_connection(known)
        while head.is_alive():
            if stopping.wait(LOOK_S):
                head.stop()
                return True
        head.kill()
        return False


def main() -> None:
    """Run Ray for the service in this process's data directory until SIGTERM, or until Ray is lost."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.cluster.head")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--cores", type=int)
    given = parser.parse_args()
    logs.configure("warning")
    stopping = threading.Event()
    _catch_signals(stopping)
    if not run(Settings.load(workers=given.workers, cores=given.cores), stopping):
        logs.get_logger(part="ray").error("Ray has ended; this process ends too, to be started again")
        os._exit(EXIT_LOST)  # Ray's own way out asks servers that are gone


def _catch_signals(stopping: threading.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())


if __name__ == "__main__":
    main()
