"""The examples, carried out by the real stage, and drawn side by side."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile
from PIL import Image

from docs.generate.examples import example_of
from docs.generate.photographs import COLUMNS, PHOTOGRAPHS, ROWS
from docs.generate.recipes import RECIPES, Recipe
from mpi_stage.contract import Request
from mpi_stage.image import Pixels
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Operation
from mpi_stage.operations.spelling.grammar import Step, make_step, to_json
from pipeline.worlds.world import World

RANKS = 2
DEADLINE_S = 120.0

QUALITY = 80
LEAST_QUALITY = 20
MAX_BYTES = 12 * 1024
"""A picture that is larger at the usual quality is written at a lower one."""

_GAP_PX = 8
_PAPER = (255, 255, 255)


def filtered() -> Iterator[tuple[Operation, Pixels, Pixels]]:
    """Yield every operation with its example's photograph and what a world of ranks makes of it."""
    with TemporaryDirectory() as folder, World(RANKS) as world:
        for operation in OPERATIONS:
            before = PHOTOGRAPHS[example_of(operation).photograph]()
            yield operation, before, _filter(world, Path(folder), operation, before)


def cooked() -> Iterator[tuple[Recipe, Pixels, Pixels]]:
    """Yield every recipe with its photograph and what a world of ranks makes of it."""
    with TemporaryDirectory() as folder, World(RANKS) as world:
        for recipe in RECIPES:
            before = PHOTOGRAPHS[recipe.photograph]()
            yield recipe, before, _carried_out(world, Path(folder), recipe.name, recipe.steps, before)


def _filter(world: World, folder: Path, operation: Operation, before: Pixels) -> Pixels:
    example = example_of(operation)
    steps = [make_step(name, {}) for name in example.before] + [make_step(operation.name, example.params)]
    return _carried_out(world, folder, operation.name, steps, before)


def _carried_out(world: World, folder: Path, name: str, steps: Sequence[Step], before: Pixels) -> Pixels:
    with _files(folder, name) as (source, target):
        photometric = "rgb" if before.shape[2] == 3 else "minisblack"  # noqa: PLR2004  (RGB)
        tifffile.imwrite(source, before.squeeze(), photometric=photometric, metadata=None)
        request = Request(name, str(source), str(target), target.name, to_json(steps))
        world.run(request, deadline_s=DEADLINE_S)
        pixels = tifffile.imread(target)
    return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], -1))


@contextmanager
def _files(folder: Path, name: str) -> Iterator[tuple[Path, Path]]:
    """Give paths for an input and an output, and remove both again."""
    paths = folder / f"{name}-before.tif", folder / f"{name}-after.tif"
    yield paths
    for path in paths:
        path.unlink()


def drawn(pixels: Pixels) -> Image.Image:
    """Return a picture of pixels: RGB, numbered components in colours of their own."""
    if pixels.dtype == np.uint32:
        pixels = _coloured(pixels)
    picture = Image.fromarray(pixels.squeeze()).convert("RGB")
    picture.thumbnail((COLUMNS, ROWS), Image.Resampling.LANCZOS)
    return picture


def _coloured(labels: Pixels) -> Pixels:
    """Give each number a bright colour of its own, and 0 black."""
    colours = np.random.default_rng(3).integers(64, 256, (int(labels.max()) + 1, 3), dtype=np.uint8)
    colours[0] = 0
    return colours[labels[:, :, 0]]


def side_by_side(before: Pixels, after: Pixels) -> Image.Image:
    """Return both as one picture, each in the middle of its half."""
    picture = Image.new("RGB", (2 * COLUMNS + _GAP_PX, ROWS), _PAPER)
    for pixels, left in ((before, 0), (after, COLUMNS + _GAP_PX)):
        half = drawn(pixels)
        picture.paste(half, (left + (COLUMNS - half.width) // 2, (ROWS - half.height) // 2))
    return picture


def jpeg(picture: Image.Image, max_bytes: int = MAX_BYTES) -> bytes:
    """Return a picture as JPEG, at the usual quality or the best below it that is small enough."""
    for quality in range(QUALITY, LEAST_QUALITY - 1, -5):
        file = BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= max_bytes:
            break
    return file.getvalue()
