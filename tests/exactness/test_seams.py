"""What happens where one rank's rows end and the next one's begin: nothing."""

import numpy as np
import pytest
import tifffile
from operation_harness import picture, run

from mpi_stage.geometry.partition import Partition
from mpi_stage.image import ImageSpec
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Pattern
from mpi_stage.operations.spelling.grammar import make_step, to_text
from mpi_stage.rows.digest import pixels_sha256

ROWS = 83
RANKS = (2, 3, 5, 8)
STENCILS = [one.name for one in OPERATIONS if one.pattern is Pattern.STENCIL]
NEEDED = {"convolve": {"kernel": (0, 1, 0, 1, 4, 1, 0, 1, 0)}}


def step_of(name, **params):
    """Return a step with what has no default filled in."""
    return make_step(name, {**NEEDED.get(name, {}), **params})


def spelled(step):
    """Return a step in the JSON spelling."""
    given = {key: value for key, value in step.params.items() if value is not None}
    return [
        {"op": step.operation.name, **{k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}}
    ]


def seams_of(ranks):
    """Return the first row of each slab but the first."""
    return [Partition(ROWS, ranks).slab(rank).first for rank in range(1, ranks)]


@pytest.mark.parametrize("name", STENCILS)
def test_an_impulse_beside_a_seam_leaves_just_its_footprint(worlds, name):
    step = step_of(name)
    spec = ImageSpec(ROWS, 41, 1, "uint8")
    halo = step.operation.halo(step.params, spec)
    for ranks in (2, 5):
        seam = seams_of(ranks)[-1]
        for row in {seam - halo, seam - 1, seam, seam + halo}:
            image = np.full((ROWS, 41, 1), 90, np.uint8)
            quiet = run([step_text(step)], image)
            image[row, 20] = 255
            result = filtered(worlds, ranks, image, step)
            rows, columns = np.nonzero((result != quiet).any(axis=2))
            assert rows.size == 0 or (rows.min() >= row - halo and rows.max() <= row + halo)
            assert columns.size == 0 or (columns.min() >= 20 - halo and columns.max() <= 20 + halo)


def step_text(step):
    """Return a step in the text spelling."""
    return to_text([step])


def filtered(worlds, ranks, image, step):
    """Return an image after one step on a world."""
    source = worlds.write(image)
    result = worlds.run(ranks, source, spelled(step))
    pixels = tifffile.imread(result.path)
    return pixels.reshape(*pixels.shape[:2], -1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("name", ["box", "gaussian", "median", "sharpen"])
def test_a_constant_image_stays_constant(worlds, name, dtype):
    image = np.full((ROWS, 17, 3), 77, dtype)
    for ranks in RANKS:
        result = filtered(worlds, ranks, image, step_of(name))
        assert np.allclose(result, 77, rtol=1e-6)
        assert len(np.unique(result)) == 1 or dtype == "float32"


@pytest.mark.parametrize("name", ["box", "gaussian", "median", "sharpen", "sobel"])
def test_a_nan_at_the_edge_of_a_slab_spreads_no_further_than_the_footprint(worlds, name):
    step = step_of(name)
    image = picture(5, ROWS, 37, 1, "float32")
    halo = step.operation.halo(step.params, ImageSpec(*image.shape, "float32"))
    for ranks in (2, 5):
        row = seams_of(ranks)[0]
        damaged = image.copy()
        damaged[row, 18] = np.nan
        clean, dirty = filtered(worlds, ranks, image, step), filtered(worlds, ranks, damaged, step)
        rows, columns, _ = np.nonzero(clean != dirty)
        assert rows.min() >= row - halo
        assert rows.max() <= row + halo
        assert columns.min() >= 18 - halo
        assert columns.max() <= 18 + halo


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("name", [one.name for one in OPERATIONS if one.pattern is Pattern.REDUCE])
def test_what_is_measured_is_measured_over_the_whole_image(worlds, name, dtype):
    image = picture(8, ROWS, 31, 3, dtype)
    image[: ROWS // 3] //= 3
    expected = pixels_sha256(run(name, image))
    source = worlds.write(image)
    for ranks in RANKS:
        assert worlds.run(ranks, source, name).report.pixels_sha256 == expected
