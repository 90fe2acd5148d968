"""``halorow run --resume``: an interrupted run leaves its bands, and the next goes on from them."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile

from mpi_stage.errors import OutputError
from pipeline.local.kept import folder_for, kept_folder
from pipeline.local.options import RunOptions
from pipeline.local.run import run_image
from pipeline.worlds.processes import wait_gone

HALOROW = (sys.executable, "-m", "pipeline.cli.main")
PATIENCE_S = 100.0
STEPS = ("median:size=11",)


@pytest.fixture
def large(tmp_path):
    """Give an image that is large enough to be kept in bands: more than 64 MiB of pixels."""
    path = tmp_path / "large.tif"
    pixels = np.add.outer(np.arange(8_200, dtype=np.uint16), np.arange(8_200, dtype=np.uint16))
    tifffile.imwrite(path, pixels.astype(np.uint8), photometric="minisblack", metadata=None)
    return path


def test_a_killed_run_is_taken_up_with_another_number_of_ranks(large, tmp_path):
    output = tmp_path / "out.tif"
    run = [*HALOROW, "run", str(large), str(output), *STEPS, "--resume", "--quiet", "--ranks", "2"]
    with subprocess.Popen(run) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not bands_beside(output) and process.poll() is None and time.monotonic() < deadline:
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
        ranks = [process.pid]
    assert wait_gone(ranks, PATIENCE_S) == []
    assert bands_beside(output)
    assert not output.exists()

    report = run_image(large, output, STEPS, RunOptions(ranks=1), resume=True)

    assert sum(rank.bands_reused for rank in report.ranks) >= 1
    assert report.pixels_sha256 == run_image(large, tmp_path / "quiet.tif", STEPS).pixels_sha256
    assert output.read_bytes() == (tmp_path / "quiet.tif").read_bytes()
    assert not folder_for(output).exists()


def test_two_runs_cannot_keep_the_bands_of_one_output(tmp_path):
    place = tmp_path / "out.tif"
    with kept_folder(place), pytest.raises(OutputError, match="another run"), kept_folder(place):
        pass


def test_a_failure_without_bands_leaves_nothing(tmp_path):
    place = tmp_path / "out.tif"
    with pytest.raises(ValueError, match="no"), kept_folder(place):
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def bands_beside(output):
    """Return how many bands an interrupted run has left."""
    journals = folder_for(output).glob("run-*/journal-*")
    return sum(max(0, path.read_bytes().count(b"\n") - 1) for path in journals)
