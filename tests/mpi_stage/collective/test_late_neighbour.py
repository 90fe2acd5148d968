"""Halo rows travel while a rank filters what needs none of them, under real MPI."""

import os
import subprocess
import sys
from pathlib import Path

from pipeline.worlds.launch import mpiexec, rank_environment

PROGRAM = Path(__file__).with_name("late_neighbour_program.py")
ROOT = PROGRAM.parents[3]


def test_a_rank_filters_its_interior_before_the_rows_above_it_have_even_been_sent():
    command = [str(mpiexec()), "-n", "2", sys.executable, "-m", "mpi4py", str(PROGRAM)]
    environment = rank_environment(2, {**os.environ, "PYTHONPATH": str(ROOT)})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
