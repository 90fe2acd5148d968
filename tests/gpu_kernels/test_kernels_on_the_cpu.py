"""The CUDA sources, compiled for this CPU, do to the bit what the CPU's own kernels do."""

from dataclasses import replace

import numpy as np
import pytest
from host_backend import HostBackend
from kernel_cases import NODATA, NODATA_PIPELINES, PIPELINES, pass_of, programs_of, written
from kernel_harness import differing, fresh_picture, on_cpu, on_device, spec_of

from gpu_kernels.program import make_program
from mpi_stage.operations.declaring.declaration import Border
from mpi_stage.planning.gpu_steps import gpu_steps

SEED = int(np.random.default_rng().integers(1 << 30))
"""Another one in every run; a failure names it."""

TYPES_AND_CHANNELS = (("uint8", 3), ("uint8", 4), ("uint16", 1), ("uint16", 4), ("float32", 3))


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_gpu_chain_gives_the_cpu_s_bytes_for_integers_and_nearly_them_for_floats(pipeline, library):
    rng = np.random.default_rng(SEED)
    tried = 0
    library.prepare(code for program in programs_of([pipeline], TYPES_AND_CHANNELS) for code in program.codes)
    for dtype, channels in TYPES_AND_CHANNELS:
        image = fresh_picture(rng, int(rng.integers(1, 41)), int(rng.integers(1, 71)), channels, dtype)
        one = pass_of(written(pipeline, dtype), spec_of(image))
        result = on_device(one, image, HostBackend(library), int(rng.integers(1, 12))) if one else None
        if result is not None:
            tried += 1
            count = differing(result, on_cpu(one, image))
            assert count == 0, f"{pipeline} on {image.shape} {dtype}, seed {SEED}: {count} values differ"
    assert tried


@pytest.mark.parametrize("border", list(Border))
@pytest.mark.parametrize("ranks", [1, 3])
def test_borders_and_seams_are_those_of_the_cpu(border, ranks, library):
    rng = np.random.default_rng(SEED)
    fill = ",fill=77" if border is Border.CONSTANT else ""
    names = ("gaussian:sigma=1.2", "dilate:size=5", "median:size=3")
    steps = [f"{name},border={border}{fill}" for name in names]
    for rows, columns in ((1, 9), (17, 1), (23, 37)):
        image = fresh_picture(rng, rows, columns, 3, "uint8")
        one = pass_of(" ".join(steps), spec_of(image))
        result = on_device(one, image, HostBackend(library), 5, ranks=ranks)
        assert differing(result, on_cpu(one, image)) == 0, f"{border}, {rows} × {columns}, seed {SEED}"


@pytest.mark.parametrize("canny", ["canny:aperture=3", "canny:aperture=5", "canny:aperture=7,l2=true"])
def test_edges_of_gray_floats_are_those_of_the_cpu(canny, library):
    rng = np.random.default_rng(SEED)
    for _ in range(4):
        image = fresh_picture(rng, int(rng.integers(1, 61)), int(rng.integers(1, 91)), 1, "float32")
        one = pass_of(f"{canny},low=0.2,high=1.5", spec_of(image))
        gradients, maps = (replace(one, steps=steps) for steps in (one.steps[:1], one.steps))
        for part in (gradients, maps):
            result = on_device(part, image, HostBackend(library), int(rng.integers(1, 12)))
            assert result.tobytes() == on_cpu(part, image).tobytes(), f"{image.shape}, seed {SEED}"


def test_edges_of_floats_that_others_have_changed_are_left_to_the_cpu():
    one = pass_of("canny", spec_of(np.zeros((9, 9, 3), np.float32)))
    assert "grayscale on a GPU is not that exact" in make_program(gpu_steps(one.steps, None))


@pytest.mark.parametrize("pipeline", NODATA_PIPELINES)
def test_pixels_without_data_are_left_out_as_on_the_cpu(pipeline, library):
    rng = np.random.default_rng(SEED)
    for dtype, channels in (("uint8", 1), ("uint8", 4), ("uint16", 2), ("uint16", 5), ("float32", 3)):
        for nodata in NODATA[dtype]:
            image = fresh_picture(rng, int(rng.integers(1, 31)), int(rng.integers(1, 41)), channels, dtype)
            if np.isnan(nodata):
                image[rng.random(image.shape) < 0.3] = np.nan
            one = pass_of(pipeline, spec_of(image), nodata)
            result = on_device(one, image, HostBackend(library), int(rng.integers(1, 12)))
            count = differing(result, on_cpu(one, image))
            assert count == 0, f"{image.shape} {dtype}, nodata {nodata}, seed {SEED}: {count} values differ"


def test_tables_that_depend_on_the_place_are_found_by_the_image_s_own_rows(library):
    image = fresh_picture(np.random.default_rng(SEED), 41, 23, 3, "uint8")
    one = pass_of("clahe:tiles=3 gaussian:size=3,border=wrap", spec_of(image))
    result = on_device(one, image, HostBackend(library), 5, ranks=3)
    assert differing(result, on_cpu(one, image)) == 0, f"seed {SEED}"


@pytest.mark.parametrize("name", ["median", "dilate:size=3", "median:size=5", "erode:size=4"])
def test_nan_counts_as_on_the_cpu(name, host_backend):
    image = fresh_picture(np.random.default_rng(SEED), 19, 23, 1, "float32")
    image[3:5, 4:9] = np.nan
    image[9, 9] = -np.nan
    image[12, 12:15, 0] = (np.inf, -np.inf, -0.0)
    one = pass_of(name, spec_of(image))
    result, expected = on_device(one, image, host_backend, 7), on_cpu(one, image)
    assert result.tobytes() == expected.tobytes(), f"seed {SEED}"
