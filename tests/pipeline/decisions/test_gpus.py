"""How much of a GPU workers and worlds ask Ray for."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.decisions.gpus import (
    WORKERS_PART,
    cores_beside_gpus,
    gpus_to_hope_for,
    worker_gpus,
    worker_shares,
    world_gpus,
)

PLAIN = {"CPU": 16.0, "single": 3.0}
SHARED = {"CPU": 12.0, "GPU": 2.0, "single": 4.0}
WHOLE = {"CPU": 12.0, "GPU": 4.0}


@given(st.integers(1, 8), st.integers(1, 200))
def test_the_workers_of_a_machine_fit_on_their_part_of_its_gpus(gpus, workers):
    share = worker_gpus({"GPU": float(gpus)}, workers)
    on_one = int(WORKERS_PART / share + 1e-9)
    assert 0 < share <= WORKERS_PART
    assert gpus * on_one >= workers


def test_only_workers_of_machines_with_gpus_ask_for_a_part():
    assert worker_shares([PLAIN, SHARED, WHOLE], "single") == [0.0] * 3 + [0.25] * 4


def test_a_world_gets_a_whole_gpu_for_each_rank_where_no_workers_are():
    assert world_gpus("gpu", 2, [PLAIN, SHARED, WHOLE], "single") == 2
    assert world_gpus("gpu", 16, [PLAIN, SHARED, WHOLE], "single") == 4


def test_beside_workers_a_world_gets_their_gpu_s_other_half():
    assert world_gpus("gpu", 16, [PLAIN, SHARED], "single") == 1 - WORKERS_PART


def test_a_world_that_must_have_a_gpu_waits_for_one_where_there_is_none_yet():
    assert world_gpus("gpu", 2, [PLAIN], "single") == 1


def test_a_world_does_not_wait_for_ever_where_no_machine_with_a_gpu_comes():
    assert gpus_to_hope_for(1.0, [PLAIN]) == 0
    assert gpus_to_hope_for(1.0, [PLAIN, WHOLE]) == 1


def test_a_world_that_need_not_have_a_gpu_asks_for_none():
    assert world_gpus("auto", 2, [WHOLE], "single") == world_gpus("cpu", 2, [WHOLE], "single") == 0


def test_a_world_with_gpus_takes_no_more_cores_than_their_machine_has():
    assert cores_beside_gpus(16, 1, [PLAIN, WHOLE]) == 12
    assert cores_beside_gpus(2, 1, [PLAIN, WHOLE]) == 2
    assert cores_beside_gpus(16, 1, [PLAIN]) == 16
