"""The whole service on one machine, supervised as one: ``halorow up``.

Redis, Ray with the scheduler and the workers, the notifier and the page. All listen on the loopback
interface; Redis wants a password and Ray a token, both made here. When this process ends, however
it ends, so do all the others.
"""

import http.client
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import ray
from pydantic import SecretStr
from ray.exceptions import RayError

from pipeline import logs
from pipeline.children import Child
from pipeline.config import Settings, write_connection
from pipeline.connection_file import remove_connection
from pipeline.data_dir import DataDir
from pipeline.errors import ServiceError
from pipeline.page_access import check_exposure
from pipeline.ray_environment import TOKEN_FILE
from pipeline.reaper import start as start_reaper
from pipeline.redis_server import RedisServer
from pipeline.scheduler import start_scheduler
from pipeline.worker import SINGLE, STOP_S

READY_S = 120.0
"""How long everything may take to start on a slow machine."""

RAY_TRIES = 3
"""Ray allows half a minute for its own start, which a busy machine may exceed."""

LOOK_S = 0.2
SUPERVISE_S = 0.5
OBJECT_STORE_BYTES = 80 << 20
"""The least that Ray takes: images never go through its object store."""

_LOOPBACK = "127.0.0.1"
_TO_BE_MADE = {"link_secret": SecretStr("made at the start")}
Tell = Callable[[str], None]


class Embedded:
    """Starts and supervises the service; one per data directory and process.

    ``pipeline.ray_environment.prepare`` must have been called before this module was imported.
    """

    def __init__(self, settings: Settings, tell: Tell) -> None:
        """Use ``settings``; ``tell`` is given lines for the user."""
        self._settings = settings
        self._tell = tell
        self._stopping = threading.Event()
        self._dir = DataDir(settings.data_dir)
        self._children: list[Child] = []
        self._scheduler: Any = None
        self._log = logs.get_logger(part="supervisor")

    def stop(self) -> None:
        """Have :meth:`run` end the service and return."""
        self._stopping.set()

    def run(self, ready: Callable[[Settings], None] | None = None) -> None:
        """Start everything, call ``ready``, and supervise until :meth:`stop`. Raises ServiceError."""
        check_exposure(self._settings.model_copy(update=_TO_BE_MADE), self._settings.page_host)
        self._catch_signals()
        with ExitStack() as stack:
            stack.enter_context(self._dir.owned())
            self._dir.sweep_store()
            stack.enter_context(reaped())
            redis = stack.enter_context(self._redis())
            settings = self._settings.model_copy(
                update={
                    "redis_url": SecretStr(redis.url),
                    "link_secret": SecretStr(self._dir.secret("link-secret")),
                    "page_port": free_port(self._settings.page_port),
                    "ray_dashboard_port": free_port(self._settings.ray_dashboard_port),
                }
            )
            stack.callback(remove_connection, settings.data_dir)
            settings = stack.enter_context(self._ray(settings))
            self._catch_signals()  # Ray has set handlers of its own
            write_connection(settings)
            # While the actors start; before that, Ray's own start wants the machine for itself.
            stack.enter_context(self._programs(settings))
            self._await_ready(settings)
            if ready is not None and not self._stopping.is_set():
                ready(settings)
            self._supervise(redis)
            self._tell("ending …")

    @contextmanager
    def _redis(self) -> Iterator[RedisServer]:
        server = RedisServer(self._dir.redis)
        server.start()
        try:
            yield server
        finally:
            server.stop()

    @contextmanager
    def _programs(self, settings: Settings) -> Iterator[None]:
        """Run the notifier and the page, which find the rest by the connection file."""
        env = {**os.environ, "HALOROW_DATA_DIR": str(settings.data_dir)}
        where = ["--host", settings.page_host, "--port", str(settings.page_port)]
        self._children = [
            Child("pipeline.notifier", [], env, self._dir.log("notifier")),
            Child("ui.serve", where, env, self._dir.log("page")),
        ]
        try:
            for child in self._children:
                child.start()
            yield
        finally:
            for child in self._children:
                child.ask_to_end()
            for child in self._children:
                child.stop()

    @contextmanager
    def _ray(self, settings: Settings) -> Iterator[Settings]:
        """Run Ray on this machine, with the scheduler and the workers."""
        before = descendants()
        with self._dir.ray_folder() as folder:
            self._dir.secret(TOKEN_FILE)
            address = self._start_ray(settings, folder, before)
            try:
                known = settings.model_copy(update={"ray_address": address})
                self._scheduler = start_scheduler(known)
                yield known
            finally:
                with suppress(RayError):
                    ray.wait([self._scheduler.stop.remote()], timeout=2 * STOP_S)
                # Noted while they still have their parents: Ray leaves workers to end by themselves.
                ours = descendants() - before
                ray.shutdown()
                kill_rest(ours)

    def _start_ray(self, settings: Settings, folder: Path, before: set[psutil.Process]) -> str:
        """Start Ray and return its address; once more where it gave up on a slow machine."""
        for left in reversed(range(RAY_TRIES)):
            try:
                context: Any = ray.init(
                    address="local",
                    num_cpus=settings.cores,
                    resources={SINGLE: settings.workers} if settings.workers else None,
                    object_store_memory=OBJECT_STORE_BYTES,
                    namespace=settings.ray_namespace,
                    include_dashboard=True,
                    dashboard_host=_LOOPBACK,
                    dashboard_port=settings.ray_dashboard_port,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    _node_ip_address=_LOOPBACK,
                    _temp_dir=str(folder),
                )
            except Exception as error:  # Ray raises plain ones when its time limits pass
                ray.shutdown()
                kill_rest(descendants() - before)
                if self._stopping.is_set() or not left:
                    raise ServiceError(f"Ray did not start: {error}") from error
                self._log.warning("ray did not start; trying again", error=str(error))
            else:
                return str(context.address_info["gcs_address"])
        raise ServiceError("Ray did not start")

    def _catch_signals(self) -> None:
        """End the service on Ctrl-C and SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: self.stop())

    def _await_ready(self, settings: Settings) -> None:
        deadline = time.monotonic() + READY_S
        asked, workers = [self._scheduler.workers.remote()], None
        while not self._stopping.wait(LOOK_S):
            late = ray.wait(asked, num_returns=len(asked), timeout=0)[1] if asked else []
            if not late and workers is None:
                asked = workers = ray.get(asked[0])
            elif not late and answers(settings.page_host, settings.page_port):
                ray.get(asked)
                return
            for child in self._children:
                child.look()
            if time.monotonic() > deadline:
                missing = "the workers" if late or workers is None else "the page"
                where = self._dir.path / "logs"
                raise ServiceError(f"{missing} did not start within {READY_S:.0f} s; see the logs in {where}")

    def _supervise(self, redis: RedisServer) -> None:
        """Start again what ends, until told to stop."""
        while not self._stopping.wait(SUPERVISE_S):
            if not redis.is_alive():
                self._log.warning("redis ended; starting it again")
                redis.restart()
            for child in self._children:
                if child.look():
                    self._log.warning("a program ended; starting it again", program=child.module)


def free_port(wanted: int) -> int:
    """Return ``wanted`` if nobody listens there on the loopback interface, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((_LOOPBACK, port))
                return int(probe.getsockname()[1])
    raise ServiceError("no port is free on the loopback interface; end something that listens there")


def answers(host: str, port: int) -> bool:
    """Whether the page says that it is alive."""
    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def reaped() -> Iterator[None]:
    """Have a reaper ready for what is left of the service when this process ends or is killed."""
    reaper = start_reaper()
    try:
        yield
    finally:
        reaper.communicate()


def descendants() -> set[psutil.Process]:
    """Return the processes below this one."""
    return set(psutil.Process().children(recursive=True))


def kill_rest(processes: set[psutil.Process]) -> None:
    """Kill what is left of some processes, and see them gone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(list(processes), timeout=STOP_S)
