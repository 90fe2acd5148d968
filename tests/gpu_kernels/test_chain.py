"""What a chain takes of a device, and that it never writes or needs more."""

import numpy as np
import pytest
from kernel_cases import pass_of, programs_of
from kernel_harness import fresh_picture, measured_by, on_device, spec_of

from gpu_kernels.layout import LINE_BYTES, Room, Rows
from gpu_kernels.program import Program, make_program
from mpi_stage.image import ImageSpec
from mpi_stage.planning.gpu_steps import gpu_steps

CHAINS = ("gaussian grayscale median", "gaussian:sigma=7", "invert", "box:size=21 invert dilate:size=9")


@pytest.mark.parametrize("pipeline", CHAINS)
@pytest.mark.parametrize("block_rows", [1, 8, 64])
def test_memory_is_what_the_program_says(pipeline, block_rows, host_backend):
    image = fresh_picture(np.random.default_rng(1), 40, 33, 3, "uint8")
    one = pass_of(pipeline, spec_of(image))
    program = make_program(gpu_steps(one.steps, None))
    on_device(one, image, host_backend, block_rows)
    assert host_backend.allocated_bytes == program.device_bytes(block_rows)
    assert host_backend.constant_bytes <= program.table_bytes
    assert host_backend.pinned_bytes == program.pinned_bytes(block_rows)


def test_a_step_without_a_kernel_is_named_with_what_it_would_get():
    one = pass_of(f"invert convolve:kernel={','.join(['0.01'] * 169)}", ImageSpec(30, 30, 3, "uint8"))
    reason = make_program(gpu_steps(one.steps, None))
    assert "convolve has no GPU kernel for uint8 of 3 channels" in reason


def test_point_steps_behind_a_stencil_become_its_table():
    one = pass_of("gaussian gamma invert", ImageSpec(30, 30, 3, "uint8"))
    program = make_program(gpu_steps(one.steps, None))
    assert isinstance(program, Program)
    assert program.points == (None, None)
    assert len(program.tables[0]) == 256


def test_tables_that_are_not_measured_yet_are_planned_for():
    image = fresh_picture(np.random.default_rng(1), 40, 33, 3, "uint16")
    one = pass_of("clahe:tiles=3", spec_of(image))
    planned, known = (
        make_program(gpu_steps(one.steps, found)).points[0] for found in (None, measured_by(one, image))
    )
    assert 0 <= planned.table_bytes - known.table_bytes <= image.itemsize


def test_rows_start_at_whole_lines_and_leave_room_for_a_strip():
    for columns in (1, 63, 1000):
        for channels in (1, 3, 13):
            for dtype in ("uint8", "uint16", "float32"):
                room = Room(Rows(columns, channels, dtype), 7, 10)
                assert room.pitch % LINE_BYTES == room.left_bytes % LINE_BYTES == 0
                assert room.left_bytes >= 7 * room.rows.pixel_bytes
                assert room.pitch - room.left_bytes - room.rows.row_bytes >= 7 * room.rows.pixel_bytes + 64


def test_the_same_source_is_made_for_the_same_step():
    first, second = (next(programs_of(["gaussian"])) for _ in range(2))
    assert [code.digest for code in first.codes] == [code.digest for code in second.codes]
