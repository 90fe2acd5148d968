"""The whole service on one machine, supervised as one: ``halorow up``.

Redis, Ray with the scheduler and the workers, the notifier and the page, each a process of its own
that is started again when it ends. All listen on the loopback interface; Redis wants a password and Ray
a token. When this process ends, however it ends, so do all the others.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from pydantic import SecretStr

from pipeline import logs
from pipeline.access.page_access import check_exposure, page_answers
from pipeline.config import OF_SERVICE, Settings, write_connection
from pipeline.embedded.children import Child
from pipeline.embedded.data_dir import DataDir
from pipeline.embedded.reaper import start as start_reaper
from pipeline.embedded.redis_server import RedisServer
from pipeline.errors import ServiceError
from pipeline.settings.connection_file import read_connection, remove_connection

READY_S = 120.0
"""How long everything may take to start on a slow machine."""

LOOK_S = 0.2
ANSWER_S = 1.0
SUPERVISE_S = 0.5
LONGEST_PAUSE_S = 10.0
"""Between tries to start what cannot be started now."""

RAY_END_S = 30.0
"""Ray gives the jobs in work back and ends all of its processes meanwhile."""

_LOOPBACK = "127.0.0.1"
_TO_BE_MADE = {"link_secret": SecretStr("made at the start")}
Tell = Callable[[str], None]


class Embedded:
    """Starts and supervises the service; one per data directory and process.

    Ray finds in the environment of this process what ``pipeline.cluster.environment.prepare`` has put there.
    """

    def __init__(self, settings: Settings, tell: Tell) -> None:
        """Use ``settings``; ``tell`` is given lines for the user."""
        self._settings = settings
        self._tell = tell
        self._stopping = threading.Event()
        self._dir = DataDir(settings.data_dir)
        self._children: list[Child] = []
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
            write_connection(settings)
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
        """Run Ray, the notifier and the page, which find the rest by the connection file."""
        env = {**os.environ, "HALOROW_DATA_DIR": str(settings.data_dir), OF_SERVICE: "1"}
        size = ["--workers", str(settings.workers), "--cores", str(settings.cores)]
        where = ["--host", settings.page_host, "--port", str(settings.page_port)]
        self._children = [
            Child("pipeline.cluster.head", size, env, self._dir.log("ray"), end_s=RAY_END_S),
            Child("pipeline.notify.notifier", [], env, self._dir.log("notifier")),
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

    def _catch_signals(self) -> None:
        """End the service on Ctrl-C and SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: self.stop())

    def _await_ready(self, settings: Settings) -> None:
        """Return when the workers are there and the page answers, or when told to stop.

        Ray's program tells of its address when all workers are there. Raises ServiceError.
        """
        deadline = time.monotonic() + READY_S
        while not self._stopping.is_set():
            found = bool(read_connection(settings.data_dir).get("ray_address"))
            if found and page_answers(settings.page_port, settings.page_host, timeout_s=ANSWER_S):
                return
            self._look_after_children()
            if time.monotonic() > deadline:
                missing = "the page" if found else "the workers"
                where = self._dir.path / "logs"
                raise ServiceError(f"{missing} did not start within {READY_S:.0f} s; see the logs in {where}")
            self._stopping.wait(LOOK_S)

    def _supervise(self, redis: RedisServer) -> None:
        """Start again what ends, until told to stop."""
        pause_s = SUPERVISE_S
        while not self._stopping.wait(pause_s):
            try:
                if not redis.is_alive():
                    self._log.warning("redis ended; starting it again")
                    redis.restart()
                self._look_after_children()
            except (ServiceError, OSError) as error:
                # A disk that is full, for one, will have room again; the rest runs on meanwhile.
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                self._log.warning("what ended cannot be started yet", error=str(error), again_in_s=pause_s)
            else:
                pause_s = SUPERVISE_S

    def _look_after_children(self) -> None:
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


@contextmanager
def reaped() -> Iterator[None]:
    """Have a reaper ready for what is left of the service when this process ends or is killed."""
    reaper = start_reaper()
    try:
        yield
    finally:
        reaper.communicate()
