"""The first promise: the same bytes for any number of ranks and any block height, and the right ones."""

import os

import numpy as np
import pytest
from cases import Case, cases
from hypothesis import HealthCheck, given, settings
from operation_harness import picture, run_step, spec_of
from worlds import RANKS

from mpi_stage.operations.spelling.grammar import parse_json
from mpi_stage.rows.digest import pixels_sha256

CASES = int(os.environ.get("HALOROW_FUZZ_CASES", "200"))


def image_of(case: Case):
    """Draw the image of a case."""
    spec = case.spec
    return picture(case.seed, spec.rows, spec.columns, spec.channels, spec.dtype)


def filter_everywhere(worlds, case: Case, source):
    """Run a case on every world, each with a block height of its own."""
    return [
        worlds.run(ranks, source, case.steps, block_rows=rows, memory_bytes=case.memory_bytes)
        for ranks, rows in zip(RANKS, case.blocks, strict=True)
    ]


@pytest.mark.fuzz
@settings(max_examples=CASES, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_every_world_makes_the_bytes_that_the_whole_image_gives(worlds, case):
    image = image_of(case)
    source = worlds.write(image, tile=case.tile, compression=case.compression)
    results = filter_everywhere(worlds, case, source)
    assert len({result.report.pixels_sha256 for result in results}) == 1
    assert len({result.content for result in results}) == 1
    assert results[0].report.pixels_sha256 == pixels_sha256(whole(case, image))


def whole(case: Case, image):
    """Return the image after the pipeline, in memory, without ranks or blocks; alpha goes around."""
    for step in parse_json(case.steps):
        image = _whole_step(step, image)
    return image


def _whole_step(step, image):
    result = step.operation.output(spec_of(image), step.params)
    around = image.shape[2] == 4 and result.channels == 4 and not step.operation.sees_alpha
    if not around:
        return run_step(step, image, image.shape[0])
    colour = run_step(step, np.ascontiguousarray(image[..., :3]), image.shape[0])
    return np.concatenate([colour, image[..., 3:]], axis=2)
