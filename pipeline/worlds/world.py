"""A world of MPI ranks on this machine, started and supervised from outside."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from mpi_stage.errors import ExhaustedError, StageError, WorldError
from pipeline.worlds.control import ControlServer, Event
from pipeline.worlds.ending import how_it_ended, is_exhausted, last_words
from pipeline.worlds.launch import STAGE_PROGRAM, forget_shared_memory, rank_command, rank_environment
from pipeline.worlds.processes import descendants, signal_all, spawn, wait_gone
from pipeline.worlds.tail import Tail
from pipeline.worlds.watch import Watch

if TYPE_CHECKING:
    from mpi_stage.contract import Report, Request, Tile, View
    from pipeline.worlds.renewal import Renewal, Token

START_TIMEOUT_S = 60.0
"""Time for all ranks to report, on a machine that may be busy and read the libraries from disk."""

_TICK_S = 0.1
_LAST_EVENTS_S = 1.0  # how long to wait for the reason after a rank has gone
_TERMINATE_S = 0.3
_KILL_S = 5.0

Listener = Callable[[Event], None]


class World:
    """Ranks that wait for requests and carry them out together, one request after another.

    A world that fails is ended, with all its processes, before the failure is raised; only a world
    of one rank survives an error that its rank has told of, since nobody else waits for that rank.
    For one thread at a time. All processes of the world end with this process, however it ends.
    """

    def __init__(
        self,
        ranks: int,
        *,
        env: Mapping[str, str] | None = None,
        pass_stderr: bool = False,
        start_timeout_s: float = START_TIMEOUT_S,
        program: Sequence[str] = STAGE_PROGRAM,
    ) -> None:
        """Start the ranks, without waiting for them.

        ``env`` is the environment to make theirs from (this process's own if None); with
        ``pass_stderr`` what they write also appears on our standard error; ``program`` is what
        Python runs as a rank. Raises WorldError where MPI is not installed.
        """
        if ranks < 1:
            raise WorldError(f"a world has at least 1 rank, {ranks} were asked for")
        self.ranks = ranks
        self._started_s = time.monotonic()
        self._start_timeout_s = start_timeout_s
        self._gone: list[int] = []  # in the order of their going
        self._ready = False
        self._busy = False
        self._renewal: Renewal | None = None
        self._closed = False
        self._tail = Tail(pass_on=pass_stderr)
        self._control = self._listen()
        self._control.attach(self._tail, self._hear_output)
        try:
            self._process = self._start(env, program)
        except BaseException:
            self._control.close()
            self._tail.started()
            self._tail.close()
            raise
        self._tail.started()

    def _listen(self) -> ControlServer:
        """Listen for the ranks."""
        return ControlServer(self.ranks)

    def _start(self, env: Mapping[str, str] | None, program: Sequence[str]) -> subprocess.Popen[bytes]:
        command = rank_command(self.ranks, self._control.path, program)
        environment = rank_environment(self.ranks, env)
        writer = self._tail.writer
        # A rank asks the kernel itself, and ends where nobody listens on its socket any more.
        return spawn(command, env=environment, stdout=writer, stderr=writer, guards_itself=self.ranks == 1)

    def run(
        self,
        request: "Request",
        *,
        on_event: Listener | None = None,
        deadline_s: float | None = None,
        stall_s: float | None = None,
        cancelled: Callable[[], bool] | None = None,
        token: "Token | None" = None,
    ) -> "Report":
        """Carry out a request and return its report.

        ``on_event`` gets the events ``planned`` and ``progress``; ``cancelled`` is asked about ten
        times a second, and ``token`` now and then, whose answer the ranks get if it is a new one. Raises
        the stage's error, RunCancelledError, or WorldError when a rank has died, nothing moved for
        ``stall_s`` or the run took longer than ``deadline_s``.
        """
        watch = Watch(
            request.job, time.monotonic(), deadline_s=deadline_s, stall_s=stall_s, cancelled=cancelled
        )
        from mpi_stage.contract import Report  # noqa: PLC0415  (the ranks start while this is loaded)

        self._renew_by(token)
        message = {"request": "run", **request.to_json()}
        return Report.from_json(self._ask(message, "report", watch, on_event)["report"])

    def plan(self, request: "Request", *, ranks: int | None = None, deadline_s: float | None = 60.0) -> Event:
        """Return the plan of a request for a world of ``ranks`` ranks (this one's if None), as JSON.

        Only the input's header is read. Raises as :meth:`run`.
        """
        watch = Watch(request.job, time.monotonic(), deadline_s=deadline_s)
        message = {"request": "plan", "ranks": ranks or self.ranks, **request.to_json()}
        plan: Event = self._ask(message, "planned", watch, None)["plan"]
        return plan

    def digest(self, request: "Request", *, token: "Token | None" = None) -> str:
        """Return the digest of the pixels of a request's input; nothing is written. Raises as :meth:`run`."""
        self._renew_by(token)
        message = {"request": "digest", **request.to_json()}
        event = self._ask(message, "digested", Watch(request.job, time.monotonic()), None)
        return str(event["pixels_sha256"])

    def preview(
        self,
        request: "Request",
        view: "View",
        *,
        deadline_s: float,
        cancelled: Callable[[], bool] | None = None,
    ) -> Event:
        """Return pictures of a request's input and result, see the stage's View. Raises as :meth:`run`."""
        watch = Watch(request.job, time.monotonic(), deadline_s=deadline_s, cancelled=cancelled)
        message = {"request": "preview", "view": view.to_json(), **request.to_json()}
        made: Event = self._ask(message, "previewed", watch, None)["preview"]
        return made

    def tile(self, request: "Request", tile: "Tile", *, deadline_s: float) -> Event:
        """Return a tile of a request's input, see the stage's Tile. Raises as :meth:`run`."""
        watch = Watch(request.job, time.monotonic(), deadline_s=deadline_s)
        message = {"request": "tile", "look": tile.to_json(), **request.to_json()}
        made: Event = self._ask(message, "tiled", watch, None)["tile"]
        return made

    @property
    def alive(self) -> bool:
        """Whether the world can take a request: nothing of it has ended as far as is known."""
        if not self._closed and not self._busy:
            self._hear()
        return not self._closed and not self._broken()

    def pids(self) -> list[int]:
        """Return the process ids of the ranks that have reported, in the order of the ranks."""
        return [int(hello["pid"]) for _, hello in sorted(self._control.hello.items())]

    def processes(self) -> list[int]:
        """Return the ids of all processes of the world, MPI's own included."""
        found = [] if self._process.returncode is not None else [self._process.pid]
        found += descendants(self._process.pid) if found else []
        connected = {rank: hello for rank, hello in self._control.hello.items() if rank not in self._gone}
        return list(dict.fromkeys([*found, *(int(hello["pid"]) for hello in connected.values())]))

    def close(self) -> None:
        """End the world and wait until all its processes are gone; safe to call again.

        Ranks keep nothing between requests, so nothing is lost by not asking them to end first,
        which would take three times as long.
        """
        if self._closed:
            return
        self._closed = True
        found = self.processes()
        if not self._ready:
            forget_shared_memory(found)
        self._control.close()  # ranks end by themselves at this
        signal_all(found[:1], signal.SIGTERM)
        left = wait_gone(found, _TERMINATE_S)
        signal_all(left, signal.SIGKILL)
        wait_gone(left, _KILL_S)
        with suppress(subprocess.TimeoutExpired):  # then not even SIGKILL has ended it
            self._process.wait(_KILL_S)
        self._tail.close()

    def __enter__(self) -> Self:
        """Return the world."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the world."""
        self.close()

    def _renew_by(self, token: "Token | None") -> None:
        """Have the ranks' token renewed while the next request is carried out."""
        if token is not None:
            from pipeline.worlds.renewal import Renewal  # noqa: PLC0415  (a plain run does not need it)

            self._renewal = Renewal(token, time.monotonic())

    def _ask(self, message: Event, answer: str, watch: Watch, listener: Listener | None) -> Event:
        """Send a request to all ranks and return the event that ends it."""
        if self._closed:
            raise WorldError("the world has ended; start another")
        self._busy = True
        try:
            return self._converse(message, answer, watch, listener)
        except BaseException as error:
            if not self._survives(error):
                self.close()
            raise
        finally:
            self._busy = False
            self._renewal = None

    def _converse(self, message: Event, answer: str, watch: Watch, listener: Listener | None) -> Event:
        self._await_ranks(watch)
        self._control.send_all(message)
        watch.saw(message | {"event": "sent"}, time.monotonic())
        while True:
            answers = self._tell(self._hear(_TICK_S), message["job"], answer, watch, listener)
            if answers:
                # What other ranks said before may lie in their connections still.
                self._tell(self._hear(), message["job"], answer, watch, listener)
                return answers[0]
            if self._broken():
                self._raise_death(str(message["job"]))
            watch.check(time.monotonic())
            token = self._renewal.due(time.monotonic()) if self._renewal else None
            if token is not None:
                self._control.send_all({"request": "token", "token": token})
            self._check_peers()

    def _broken(self) -> bool:
        """Whether something of the world has ended, as far as has been heard."""
        return bool(self._gone) or self._process.poll() is not None

    def _check_peers(self) -> None:
        """Raise WorldError where a part of the world is known not to go on though it has not ended."""

    @staticmethod
    def _tell(
        events: Sequence[Event], job: str, answer: str, watch: Watch, listener: Listener | None
    ) -> list[Event]:
        """Tell the listener of a job's events; return those that were waited for; raise its errors."""
        answers = []
        for event in events:
            if event.get("job") != job:
                continue
            watch.saw(event, time.monotonic())
            if event["event"] == "error":
                raise _error_of(event)
            if event["event"] == answer:
                answers.append(event)
            elif listener is not None:
                listener(event)
        return answers

    def _await_ranks(self, watch: Watch) -> None:
        """Wait until every rank has started MPI and reported."""
        while not self._ready:
            self._hear(_TICK_S)
            if self._broken():
                self._raise_death("")
            if self._control.connected == self.ranks:
                self._ready = True
                self._all_started()
                return
            if time.monotonic() - self._started_s > self._start_timeout_s:
                raise WorldError(
                    f"only {self._control.connected} of {self.ranks} ranks started within "
                    f"{self._start_timeout_s:g} s{last_words(self._tail.text)}"
                )
            watch.check(time.monotonic())

    def _all_started(self) -> None:
        forget_shared_memory(self.pids())

    def _hear(self, timeout_s: float = 0.0) -> list[Event]:
        """Return the events that have come, and take note of ranks that have gone."""
        events = self._control.wait(timeout_s)
        self._gone += [int(event["rank"]) for event in events if event["event"] == "gone"]
        return events

    def _hear_output(self) -> None:
        self._tail.read()
        if self._tail.ended:
            self._control.detach(self._tail)

    def _survives(self, error: BaseException) -> bool:
        """Whether the world's ranks are certain to wait for the next request after ``error``.

        A plain StageError stands for a failure that the stage did not foresee.
        """
        told = isinstance(error, StageError) and type(error) not in {StageError, WorldError}
        return self.ranks == 1 and told and not self._broken()

    def _raise_death(self, job: str) -> NoReturn:
        """Raise the reason why a rank has gone: what a rank said about it, else how it ended."""
        deadline = time.monotonic() + _LAST_EVENTS_S
        ended = False
        while not ended and time.monotonic() < deadline:
            ended = self._has_said_all()
            for event in self._hear(0.0 if ended else _TICK_S):
                if event["event"] == "error" and event.get("job") == job:
                    raise _error_of(event)
        how = how_it_ended(self._process.poll(), self.ranks, self._tail.text)
        if is_exhausted(how, self._tail.text):
            raise ExhaustedError(
                f"{self._who()} {how}: decoding took more of the processor or of memory than the size of the "
                f"image allows. The input is damaged, or made to do so{last_words(self._tail.text)}"
            )
        raise WorldError(f"{self._who()} {how}{last_words(self._tail.text)}")

    def _has_said_all(self) -> bool:
        """Whether nothing more of the world can be heard, but for what lies in the connections."""
        return self._tail.ended and self._process.poll() is not None

    def _who(self) -> str:
        """Name the rank that was the first to go; Hydra ends the others, and may blame one of those."""
        first = self._gone[0] if self._gone else 0 if self.ranks == 1 else None
        return f"a world of {self.ranks} ranks" if first is None else f"rank {first} of {self.ranks}"


def _error_of(event: Event) -> StageError:
    """Return the error that an error event tells of."""
    from mpi_stage.contract import error_of  # noqa: PLC0415  (the ranks start while this is loaded)

    return error_of(event)
