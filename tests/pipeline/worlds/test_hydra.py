"""Worlds over several nodes, all of them loopback addresses of this machine, with real Hydra and MPI."""

import os
import signal
import socket
import threading
from pathlib import Path

import psutil
import pytest

from mpi_stage.contract import Request
from mpi_stage.errors import DamagedInputError, NodeLostError, WorldError
from pipeline.worlds.hydra import STOPPED_S, SpreadWorld
from pipeline.worlds.node_agent import NodeAgent, address_of, interface_of
from pipeline.worlds.processes import descendants, wait_gone

RANK = (str(Path(__file__).parent / "obedient_rank.py"),)
HERE = "127.0.0.1"
IDLE_S = 1.0


class LocalNodes:
    """Agents in this process, one for each loopback address."""

    def __init__(self, *ranks):
        self.ranks = ranks
        self.addresses = [f"127.0.0.{number}" for number in range(1, len(ranks) + 1)]
        self.agents = [NodeAgent(HERE) for _ in ranks]

    def join(self, door):
        return [agent.join(door, number) for number, agent in enumerate(self.agents)]

    def launch(self, proxies):
        for agent, proxy, ranks in zip(self.agents, proxies, self.ranks, strict=True):
            agent.launch(proxy, ranks)

    def fallen(self, wait_s):
        killers = {number: agent.killer(wait_s) for number, agent in enumerate(self.agents)}
        return {number: killer for number, killer in killers.items() if killer}

    def end(self):
        for agent in self.agents:
            agent.end()

    def processes(self):
        return [pid for agent in self.agents for pid in agent.processes()]


@pytest.fixture
def nodes():
    made = LocalNodes(2, 1)
    yield made
    made.end()


def world(nodes, **options):
    return SpreadWorld(nodes, HERE, program=RANK, **options)


def request(what="ok", job="j"):
    return Request(job=job, input=what, output="o.tif", output_name="o.tif", steps=[])


def on_progress(act):
    seen = []

    def listen(event):
        if event["event"] == "progress" and event["rows_done"] == 2 and not seen:
            seen.append(event)
            act()

    return listen


def test_a_world_over_two_nodes_reports_for_all_its_ranks_and_stays_warm(nodes):
    with world(nodes) as some:
        reports = [some.run(request(job=f"j{number}")) for number in range(5)]
        assert some.alive
    assert [report.job for report in reports] == [f"j{number}" for number in range(5)]
    assert [rank.rank for rank in reports[0].ranks] == [0, 1, 2]


def test_idle_ranks_use_no_processor_time(nodes):
    with world(nodes) as some:
        some.run(request())
        ranks = [psutil.Process(pid) for pid in some.pids()]
        before = used_s(ranks)
        threading.Event().wait(IDLE_S)
        assert used_s(ranks) - before < 0.02 * IDLE_S * len(ranks)


def used_s(processes):
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def test_nothing_is_left_on_the_nodes_after_closing(nodes):
    some = world(nodes)
    some.run(request())
    found = [*some.processes(), *nodes.processes()]
    assert len(found) >= 6  # mpiexec, two proxies and the ranks
    some.close()
    assert not wait_gone(found, 0)
    assert not some.alive


def test_the_stages_error_arrives_as_itself(nodes):
    with world(nodes) as some, pytest.raises(DamagedInputError, match="ends in the middle"):
        some.run(request("fail:2"))


def test_a_killed_rank_ends_the_world(nodes):
    with world(nodes) as some:
        kill = on_progress(lambda: os.kill(some.pids()[2], signal.SIGKILL))
        with pytest.raises(WorldError, match="rank 2 of 3"):
            some.run(request("hang:2"), on_event=kill)
        assert not wait_gone(some.pids(), 0)


def test_a_killed_proxy_takes_its_ranks_with_it_and_ends_the_world(nodes):
    with world(nodes) as some:
        kill = on_progress(lambda: os.kill(nodes.agents[1].processes()[0], signal.SIGKILL))
        told = r"proxy on node 127\.0\.0\.2, number 2 of 2, was killed by SIGKILL, and rank 2 of 3 with it"
        with pytest.raises(WorldError, match=told):
            some.run(request("hang"), on_event=kill)
        assert not wait_gone(some.pids(), 0)


def test_a_node_that_is_lost_is_named(nodes):
    with world(nodes) as some:
        lose = on_progress(nodes.agents[1].end)
        with pytest.raises(NodeLostError, match=r"node 127\.0\.0\.2, number 2 of 2, was lost"):
            some.run(request("hang"), on_event=lose)
        assert not wait_gone(some.pids(), 0)


def test_a_stopped_rank_ends_the_world_without_a_stall_limit(nodes):
    with world(nodes) as some:
        stop = on_progress(lambda: os.kill(some.pids()[1], signal.SIGSTOP))
        with pytest.raises(WorldError, match=f"stopped for {STOPPED_S:g} s"):
            some.run(request("hang:0"), on_event=stop)
        assert not wait_gone(some.pids(), 0)


def test_a_world_that_makes_no_progress_is_ended_at_the_stall_limit(nodes):
    with world(nodes) as some:
        with pytest.raises(WorldError, match=r"made no progress for 0\.5 s"):
            some.run(request("repeat:2"), stall_s=0.5)
        assert not wait_gone(some.pids(), 0)


def test_nodes_end_their_part_when_the_supervisor_goes(nodes):
    some = world(nodes)
    some.run(request())
    found = nodes.processes()
    some._control.close()  # as the end of the supervisor's process does
    assert not wait_gone(found, 10)
    some.close()


def test_a_stranger_without_the_token_is_cut_off(nodes):
    with world(nodes) as some:
        door = some._control.door
        with socket.create_connection((door.address, door.port)) as stranger:
            stranger.sendall(b'{"token": "a guess"}\n{"event": "hello", "rank": 0, "ranks": 3, "pid": 1}\n')
            some.run(request())
            assert stranger.recv(1) == b""
        assert some.pids() != [1]


def test_a_door_does_not_show_its_token(nodes):
    with world(nodes) as some:
        assert some._control.door.token not in repr(some._control.door)


def test_a_supervisor_that_cannot_be_reached_is_told_of(nodes):
    with world(nodes) as some:
        door = some._control.door
    with pytest.raises(WorldError, match="cannot be reached from node 1"):
        NodeAgent(HERE).join(door, 1)


def test_a_node_that_cannot_start_its_proxy_leaves_nothing_behind(nodes, monkeypatch):
    before = set(descendants(os.getpid()))
    monkeypatch.setattr(nodes, "addresses", [*nodes.addresses[:1], nodes.addresses[0]])  # one host for Hydra
    with pytest.raises(WorldError, match="mpiexec wants 1 proxies for 2 nodes"):
        world(nodes)
    assert set(descendants(os.getpid())) <= before


def test_an_interface_and_its_address_find_each_other():
    assert address_of(interface_of(HERE)) == HERE
    with pytest.raises(WorldError, match="no network interface here has the address"):
        interface_of("192.0.2.1")
    with pytest.raises(WorldError, match="'none0'"):
        address_of("none0")


def test_ranks_get_nothing_of_rays_environment(nodes, tmp_path):
    program = tmp_path / "told.py"
    program.write_text("import os, sys\nprint(sorted(os.environ), flush=True)\nsys.exit(3)\n")
    foreign = {**os.environ, "RAY_JOB_ID": "1", "PMI_RANK": "7", "HYDRA_LAUNCHER": "ssh"}
    some = SpreadWorld(nodes, HERE, env=foreign, program=(str(program),))
    with some, pytest.raises(WorldError) as told:
        some.run(request())
    assert "UCX_NET_DEVICES" in str(told.value)
    assert "RAY_JOB_ID" not in str(told.value)
    assert "HYDRA_LAUNCHER'" not in str(told.value)
