"""Where the compiled kernels come from, and what happens without them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from native_harness import compiled

from mpi_stage.native.interface import Kernels

ROOT = Path(__file__).parents[3]
SAY = "from mpi_stage.native import kernels; print(kernels is None)"


def test_a_setting_switches_the_kernels_off():
    environment = {**os.environ, "HALOROW_NATIVE": "0"}
    said = subprocess.run([sys.executable, "-c", SAY], env=environment, check=True, capture_output=True)
    assert said.stdout.strip() == b"True"


def test_every_kernel_of_the_interface_is_built():
    wanted = {name for name in vars(Kernels) if not name.startswith("_")}
    assert wanted <= set(dir(compiled()))


@pytest.mark.slow
def test_an_installation_without_a_compiler_is_whole(tmp_path):
    command = [
        sys.executable,
        "setup.py",
        "-q",
        "build_ext",
        "--build-lib",
        tmp_path,
        "--build-temp",
        tmp_path,
    ]
    environment = {**os.environ, "CC": "false"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert list(tmp_path.rglob("*.so")) == []
