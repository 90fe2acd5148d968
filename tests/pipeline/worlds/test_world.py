"""A world of ranks under its supervisor, with real MPI and a rank that fails on command."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mpi_stage.contract import Request
from mpi_stage.errors import DamagedInputError, StageError, WorldError
from pipeline.errors import RunCancelledError
from pipeline.worlds.processes import is_running, wait_gone
from pipeline.worlds.world import World

RANK = (str(Path(__file__).parent / "obedient_rank.py"),)
GONE_WITHIN_S = 10.0


def request(what="ok", job="j"):
    return Request(job=job, input=what, output="o.tif", output_name="o.tif", steps=[])


def world(ranks, **options):
    return World(ranks, program=RANK, **options)


def shared_memory_of(pids):
    """Return the names, as the kernel shows them, of MPICH's shared memory that processes use."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    return {line.partition("/mpich_shm_")[2] for line in lines if "/mpich_shm_" in line}


def on_second_progress(act):
    """Return a listener that calls ``act`` once, when some rank is in the middle of the request."""
    seen = []

    def listen(event):
        if event["event"] == "progress" and event["rows_done"] == 2 and not seen:
            seen.append(event)
            act()

    return listen


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_a_world_reports_for_all_its_ranks(ranks):
    with world(ranks) as some:
        report = some.run(request())
    assert [rank.rank for rank in report.ranks] == list(range(ranks))


def test_a_world_stays_warm_for_many_requests():
    with world(2) as some:
        first = [some.run(request(job=f"j{number}")).job for number in range(20)]
        assert first == [f"j{number}" for number in range(20)]
        assert some.alive


def test_the_listener_hears_every_rank():
    heard = set()
    with world(2) as some:
        some.run(request(), on_event=lambda event: heard.add((event["rank"], event["rows_done"])))
    assert heard == {(0, 1), (0, 2), (1, 1), (1, 2)}


def test_a_plan_is_made_for_the_ranks_asked_for():
    with world(1) as some:
        assert some.plan(request(), ranks=7) == {"ranks": 7}


def test_no_process_is_left_after_closing():
    some = world(3)
    some.run(request())
    pids = some.processes()
    assert len(pids) >= 5  # mpiexec, its proxy and the ranks
    some.close()
    assert not wait_gone(pids, 0)
    assert not some.alive


def test_a_world_that_never_got_a_request_closes_too():
    some = world(2)
    some.close()
    assert not some.alive


@pytest.mark.parametrize("ranks", [1, 3])
def test_the_stages_error_arrives_as_itself(ranks):
    with world(ranks) as some, pytest.raises(DamagedInputError, match="ends in the middle"):
        some.run(request("fail"))


def test_a_single_rank_survives_an_error_it_tells_of():
    with world(1) as some:
        with pytest.raises(DamagedInputError):
            some.run(request("fail"))
        pids = some.pids()
        assert some.run(request()).job == "j"
        assert some.pids() == pids


@pytest.mark.parametrize(("ranks", "what"), [(2, "fail:1"), (1, "stumble"), (2, "stumble:0")])
def test_other_errors_end_the_world(ranks, what):
    with world(ranks) as some:
        with pytest.raises(StageError):
            some.run(request(what))
        assert not some.alive
        assert not wait_gone(some.pids(), 0)


def test_an_ended_world_says_so():
    some = world(1)
    some.close()
    with pytest.raises(WorldError, match="ended"):
        some.run(request())


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_killed_rank_is_named_with_its_signal(ranks):
    victim = ranks - 1
    with world(ranks) as some:
        kill = on_second_progress(lambda: os.kill(some.pids()[victim], signal.SIGKILL))
        with pytest.raises(WorldError, match=f"rank {victim} of {ranks} was killed by SIGKILL"):
            some.run(request(f"hang:{victim}"), on_event=kill)
        assert not wait_gone(some.pids(), 0)


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_rank_that_exits_is_told_of_with_its_code_and_last_words(ranks):
    with world(ranks) as some, pytest.raises(WorldError, match=r"exit code 17.*so long"):
        some.run(request(f"exit:{ranks - 1}"))


def test_a_rank_that_dies_between_requests_is_noticed():
    with world(1) as some:
        some.run(request())
        os.kill(some.pids()[0], signal.SIGKILL)
        some._process.wait()
        assert not some.alive


def test_a_program_that_does_not_start_is_told_of_with_its_last_words():
    broken = World(1, program=("-c", "raise SystemExit('no such thing here')"))
    with broken, pytest.raises(WorldError, match="no such thing here"):
        broken.run(request())


def test_a_rank_that_breaks_the_protocol_ends_the_world():
    with world(1) as some, pytest.raises(WorldError, match="rank 0 of 1"):
        some.run(request("babble"))


def test_a_stopped_rank_counts_as_stalled():
    with world(2) as some:
        some.run(request())
        victim = some.pids()[1]
        os.kill(victim, signal.SIGSTOP)
        with pytest.raises(WorldError, match=r"no progress for 0\.5 s"):
            some.run(request(), stall_s=0.5)
        assert not is_running(victim)


def test_progress_that_repeats_itself_is_a_stall():
    with world(1) as some, pytest.raises(WorldError, match="no progress"):
        some.run(request("repeat"), stall_s=0.5)


def test_a_run_beyond_its_deadline_ends():
    with world(1) as some, pytest.raises(WorldError, match=r"limit of 0\.5 s"):
        some.run(request("hang"), deadline_s=0.5)


@pytest.mark.parametrize("ranks", [1, 2])
def test_cancelling_ends_the_run_and_its_processes(ranks):
    wanted = threading.Event()
    with world(ranks) as some:
        with pytest.raises(RunCancelledError):
            some.run(request("hang"), on_event=on_second_progress(wanted.set), cancelled=wanted.is_set)
        assert not wait_gone(some.pids(), 0)


def test_a_listener_that_fails_ends_the_world():
    with world(2) as some:
        with pytest.raises(KeyboardInterrupt):
            some.run(request("hang"), on_event=lambda _: signal.raise_signal(signal.SIGINT))
        assert not wait_gone(some.pids(), 0)


def test_a_world_started_in_a_thread_outlives_the_thread():
    made = []
    thread = threading.Thread(target=lambda: made.append(world(2)))
    thread.start()
    thread.join()
    with made[0] as some:
        assert some.run(request()).job == "j"


def test_no_end_can_leave_shared_memory_behind_since_its_name_is_gone_at_the_first_request():
    with world(2) as some:
        some.run(request())
        names = shared_memory_of(some.pids())
    assert names
    assert all(name.endswith("(deleted)") for name in names)


SUPERVISOR = """
import sys
from pipeline.worlds.world import World
from mpi_stage.contract import Request
world = World(int(sys.argv[2]), program=(sys.argv[1],))
request = Request(job="j", input="hang", output="o.tif", output_name="o.tif", steps=[])
told = []
def tell(event):
    if event.get("rows_done") == 2 and not told:
        told.append(print(*world.processes(), flush=True))
world.run(request, on_event=tell)
"""


@pytest.mark.parametrize("ranks", [1, 3])
def test_no_rank_outlives_a_supervisor_that_was_killed(ranks):
    command = [sys.executable, "-c", SUPERVISOR, *RANK, str(ranks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as supervisor:
        pids = [int(pid) for pid in supervisor.stdout.readline().split()]
        supervisor.kill()
    assert len(pids) >= ranks
    assert not wait_gone(pids, GONE_WITHIN_S)
