"""Real stage processes whose decoder takes too much: what the kernel stops, and what becomes of it."""

from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest

from mpi_stage.contract import Budget, Request
from mpi_stage.errors import ExhaustedError, WorldError
from mpi_stage.process.limits import exhaustion
from pipeline.worlds.warm import WarmWorld
from pipeline.worlds.world import World

GREEDY = str(Path(__file__).with_name("greedy_rank.py"))
SHORT = Budget(decode_s=0.3)


def png(path, rows):
    path.write_bytes(imagecodecs.png_encode(np.zeros((rows, 8, 3), np.uint8)))
    return str(path)


def request(folder, rows, **options):
    output = folder / f"out{rows}.png"
    return Request(
        job="j",
        input=png(folder / f"in{rows}.png", rows),
        output=str(output),
        output_name=output.name,
        steps=["invert"],
        scratch=str(folder / "scratch"),
        **options,
    )


def greedy(greed, ranks=1):
    return WarmWorld(ranks, lambda: World(ranks, program=(GREEDY, greed)))


def test_decoder_that_takes_more_memory_than_planned_ends_the_job_for_good_and_the_process_goes_on(tmp_path):
    world = greedy("memory")
    with pytest.raises(ExhaustedError, match="more memory than its plan allows") as caught:
        world.run(request(tmp_path, 5))
    assert not caught.value.retryable
    [pid] = world.pids()
    assert world.run(request(tmp_path, 1)).rows == 1
    assert world.pids() == [pid]
    world.close()


@pytest.mark.parametrize("ranks", [1, 2])
def test_decoder_that_never_ends_is_killed_by_its_processor_time(tmp_path, ranks):
    world = greedy("time", ranks)
    with pytest.raises(ExhaustedError, match="SIGXCPU") as caught:
        world.run(request(tmp_path, 5, budget=SHORT))
    assert not caught.value.retryable
    world.close()


def test_codec_that_aborts_for_want_of_memory_ends_the_job_for_good(tmp_path):
    world = greedy("abort")
    with pytest.raises(ExhaustedError, match="bad_alloc"):
        world.run(request(tmp_path, 5))
    world.close()


def test_decoder_that_crashes_may_be_tried_again(tmp_path):
    world = greedy("crash")
    with pytest.raises(WorldError, match="SIGSEGV"):
        world.run(request(tmp_path, 5))
    assert world.run(request(tmp_path, 1)).rows == 1
    world.close()


def test_library_that_finds_no_memory_counts_as_exhaustion():
    with pytest.raises(cv2.error) as caught:
        cv2.copyMakeBorder(np.zeros((1, 1), np.uint8), 2**30, 2**30 - 2, 0, 2**30, cv2.BORDER_CONSTANT)
    assert isinstance(exhaustion(caught.value), ExhaustedError)
    assert exhaustion(caught.value) is not caught.value
    assert isinstance(exhaustion(OSError(27, "File too large")), ExhaustedError)


def test_other_errors_stay_what_they_are():
    error = ValueError("three")
    assert exhaustion(error) is error
