"""The whole stage with ``--device gpu``, of one rank: the CPU's bytes."""

import numpy as np
import pytest
import tifffile

from mpi_stage.contract import Request
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.worlds.world import World

pytestmark = pytest.mark.gpu

MEMORY_BYTES = 4 << 30
PIPELINES = ("gaussian sobel", "equalize:channels=each median", "otsu", "canny", "clahe tophat", "saturation")


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_job_on_the_gpu_has_the_cpu_s_bytes(pipeline, tmp_path):
    image = np.random.default_rng(3).integers(0, 256, (701, 503, 3), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", image, photometric="rgb")
    results, devices = [], []
    with World(1) as world:
        for device in ("cpu", "gpu"):
            output = tmp_path / f"{device}.tif"
            request = Request(
                "case",
                str(tmp_path / "in.tif"),
                str(output),
                output.name,
                to_json(parse(pipeline)),
                device=device,
                memory_bytes=MEMORY_BYTES,
            )
            devices.append(world.run(request).device)
            results.append(tifffile.imread(output).tobytes())
    assert results[0] == results[1]
    assert devices[0] == "cpu"
    assert devices[1] in {"gpu", "mixed"}
