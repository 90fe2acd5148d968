"""What a slab gives back, in memory and spilled, and what is said where it cannot spill."""

import shutil
import subprocess

import numpy as np
import pytest

from mpi_stage.errors import DiskFullError, OutputError
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window
from mpi_stage.image import ImageSpec
from mpi_stage.rows.slab import Slab

SPEC = ImageSpec(rows=600, columns=500, channels=3, dtype=np.dtype(np.uint8))


@pytest.fixture
def small_disk(tmp_path):
    """A device with room for 128 KiB, where the tests may mount one."""
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(tmp_path)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("in_memory", [True, False])
def test_rows_and_windows_come_back_as_they_were_written(tmp_path, in_memory):
    pixels = np.random.default_rng(0).integers(0, 256, (40, SPEC.columns, 3), np.uint8)
    window = Window(Rows(110, 120), Rows(7, 90))
    patch = np.full((10, 83, 3), 9, np.uint8)
    slab = Slab(SPEC, Rows(100, 140), scratch=str(tmp_path), in_memory=in_memory)
    slab.write_rows(100, pixels)
    slab.write_window(window, patch)
    pixels[10:20, 7:90] = patch
    rows, part = np.empty_like(pixels), np.empty((15, 100, 3), np.uint8)
    slab.read_rows(100, rows)
    slab.read_window(Window(Rows(108, 123), Rows(0, 100)), part)
    assert np.array_equal(rows, pixels)
    assert np.array_equal(part, pixels[8:23, :100])
    assert slab.spilled_bytes == (0 if in_memory else pixels.nbytes + patch.nbytes)
    assert not list(tmp_path.iterdir())
    slab.close()


def test_a_full_scratch_is_told_with_its_room_and_what_would_help(small_disk):
    slab = Slab(SPEC, Rows(0, 600), scratch=str(small_disk), in_memory=False)
    with pytest.raises(DiskFullError, match="allow more memory: a slab of 900000 bytes") as full:
        slab.write_rows(0, SPEC.empty(600))
    assert str(small_disk) in str(full.value)
    assert "bytes left" in str(full.value)
    slab.close()


def test_a_scratch_that_is_not_there_is_named(tmp_path):
    slab = Slab(SPEC, Rows(0, 4), scratch=str(tmp_path / "gone"), in_memory=False)
    with pytest.raises(OutputError, match=r"gone.*No such file"):
        slab.write_rows(0, SPEC.empty(4))
