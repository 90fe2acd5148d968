"""On a real GPU: the CPU's bytes for integers, 1e-5 of the range for floats."""

from itertools import product

import numpy as np
import pytest
from kernel_cases import NODATA, NODATA_PIPELINES, PIPELINES, pass_of, written
from kernel_harness import differing, fresh_picture, on_cpu, on_device, spec_of

from mpi_stage.image import DTYPES
from mpi_stage.operations.declaring.declaration import Border

pytestmark = pytest.mark.gpu

SEED = int(np.random.default_rng().integers(1 << 30))
"""Another one in every run; a failure names it."""

CHANNELS = (1, 3, 4, 5)


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_pass_on_the_gpu_is_the_cpu_s(pipeline, dtype, gpu):
    rng = np.random.default_rng(SEED)
    for channels in CHANNELS:
        rows, columns = (int(number) for number in rng.integers(1, 260, 2))
        image = fresh_picture(rng, rows, columns, channels, dtype)
        one = pass_of(written(pipeline, dtype), spec_of(image))
        result = on_device(one, image, gpu, int(rng.integers(1, 90))) if one else None
        if result is not None:
            count = differing(result, on_cpu(one, image))
            assert count == 0, f"{pipeline} on {image.shape} {dtype}, seed {SEED}: {count} values differ"


@pytest.mark.parametrize("pipeline", NODATA_PIPELINES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_pixels_without_data_are_left_out_on_the_gpu_too(pipeline, dtype, gpu):
    rng = np.random.default_rng(SEED)
    for channels, nodata in product(CHANNELS, NODATA[dtype]):
        rows, columns = (int(number) for number in rng.integers(1, 260, 2))
        image = fresh_picture(rng, rows, columns, channels, dtype)
        one = pass_of(pipeline, spec_of(image), nodata)
        count = differing(on_device(one, image, gpu, int(rng.integers(1, 90))), on_cpu(one, image))
        assert count == 0, f"{image.shape} {dtype}, nodata {nodata}, seed {SEED}: {count} values differ"


@pytest.mark.parametrize("border", list(Border))
@pytest.mark.parametrize("name", ["gaussian:sigma=1.2", "median:size=3", "sobel:size=5", "box:size=9"])
def test_borders_on_the_gpu_are_the_cpu_s(border, name, gpu):
    rng = np.random.default_rng(SEED)
    fill = ",fill=77" if border is Border.CONSTANT else ""
    for dtype in ("uint8", "uint16"):
        for rows, columns in ((1, 9), (17, 1), (123, 137)):
            image = fresh_picture(rng, rows, columns, 3, dtype)
            one = pass_of(f"{name},border={border}{fill}", spec_of(image))
            result = on_device(one, image, gpu, 31)
            assert differing(result, on_cpu(one, image)) == 0, f"{image.shape} {dtype}, seed {SEED}"


@pytest.mark.parametrize(
    "pipeline", ["gaussian", "sobel:size=7", "convolve:kernel=0.1,0.2,0.3,0.1,-1,0.7,0,1,2"]
)
def test_floats_are_the_same_for_any_number_of_ranks_and_any_block_height(pipeline, gpu):
    image = fresh_picture(np.random.default_rng(SEED), 301, 203, 3, "float32")
    one = pass_of(pipeline, spec_of(image))
    results = [on_device(one, image, gpu, block, ranks=ranks) for block, ranks in ((301, 1), (7, 3), (64, 5))]
    assert len({result.tobytes() for result in results}) == 1, f"seed {SEED}"
