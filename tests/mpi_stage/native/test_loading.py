"""Where the compiled kernels come from, and what happens without them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
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


def test_a_refusal_names_the_sizes():
    pixels, tables = np.zeros((2, 3, 1), np.uint8), np.zeros((1, 1, 255), np.uint8)
    with pytest.raises(ValueError, match="tables should be 1 x 1 x 256, is 1 x 1 x 255"):
        compiled().look_up_uint8(pixels, tables, pixels.copy())


def test_every_format_of_a_refusal_is_one_that_python_takes():
    sources = (ROOT / "mpi_stage/native").glob("*.c")
    formats = [
        call
        for source in sources
        for call in re.findall(r"PyErr_Format\([^;]*;|fail\([^;]*;", source.read_text())
    ]
    assert formats
    assert [one for one in formats if not one.isascii()] == []


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
