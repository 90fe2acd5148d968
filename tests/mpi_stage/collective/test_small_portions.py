"""Collectives whose portions are far smaller than the picture, under real MPI.

The suite in tests/exactness has pictures that fit one portion; here there are many.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.worlds.launch import mpiexec, rank_environment

PROGRAM = Path(__file__).with_name("small_portions_program.py")
ROOT = PROGRAM.parents[3]


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_many_small_portions_give_what_one_gives(ranks, tmp_path):
    command = [str(mpiexec()), "-n", str(ranks), sys.executable, "-m", "mpi4py", str(PROGRAM), str(tmp_path)]
    environment = rank_environment(ranks, {**os.environ, "PYTHONPATH": str(ROOT)})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
