"""The pictures that are measured on: drawn, the same every time, kept in a folder for the next run.

They hold what filters meet in practice: smooth areas, edges in all directions, fine texture, a
little noise. Noise alone would flatter no codec, flat colour every one.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

TILE_PX = 256
CELL_PX = 1024
DISTINCT_JPEGS = 16
JPEG_QUALITY = 90


def cell(number: int, size: int = CELL_PX) -> NDArray[np.uint8]:
    """Draw one square scene (size × size × 3): a gradient, shapes, texture and noise, by its number."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j].astype(np.float32)
    slopes = rng.uniform(-60, 60, (3, 2)).astype(np.float32)
    picture = np.stack([128 + a * (x - 0.5) + b * (y - 0.5) for a, b in slopes], axis=-1)
    picture += 12 * np.sin(2 * np.pi * (rng.uniform(20, 90) * x + rng.uniform(20, 90) * y))[..., None]
    canvas = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(40):
        centre = tuple(int(v) for v in rng.integers(0, size, 2))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        radius = int(rng.integers(size // 100 + 1, size // 8))
        if rng.random() < 0.5:  # noqa: PLR2004  (a coin)
            cv2.circle(canvas, centre, radius, colour, -1, cv2.LINE_AA)
        else:
            corner = (centre[0] + radius, centre[1] + radius // 2)
            cv2.rectangle(canvas, centre, corner, colour, int(rng.integers(1, 9)))
    noise = rng.normal(0, 4, canvas.shape).astype(np.int16)
    scene: NDArray[np.uint8] = np.clip(canvas + noise, 0, 255).astype(np.uint8)
    return scene


def tiles(size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the tiles of a size × size picture in reading order, made of a few cells in varying places."""
    cells = [cell(number) for number in range(DISTINCT_JPEGS)]
    per_cell = CELL_PX // TILE_PX
    across = -(-size // TILE_PX)
    for row in range(across):
        for column in range(across):
            scene = cells[(7 * (row // per_cell) + 3 * (column // per_cell)) % len(cells)]
            top, left = row % per_cell * TILE_PX, column % per_cell * TILE_PX
            yield scene[top : top + TILE_PX, left : left + TILE_PX]


def large_tiff(folder: Path, size: int) -> Path:
    """Return a tiled, uncompressed BigTIFF of size × size RGB pixels, drawn if it is not there."""
    path = folder / f"scene-{size}.tif"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        tifffile.imwrite(
            unfinished,
            tiles(size),
            shape=(size, size, 3),
            dtype=np.uint8,
            photometric="rgb",
            tile=(TILE_PX, TILE_PX),
            bigtiff=True,
            metadata=None,
        )
        unfinished.rename(path)
    return path


def compressed_tiff(folder: Path, size: int, compression: str) -> Path:
    """Return the same picture with compressed tiles, as libvips writes them by default."""
    import pyvips  # noqa: PLC0415  (only this picture needs it)

    path = folder / f"scene-{size}-{compression}.tif"
    if not path.exists():
        plain = large_tiff(folder, size)
        unfinished = path.with_suffix(".part.tif")
        image = pyvips.Image.new_from_file(str(plain), access="sequential")
        tile = {"tile": True, "tile_width": TILE_PX, "tile_height": TILE_PX}
        image.tiffsave(str(unfinished), compression=compression, bigtiff=True, **tile)
        unfinished.rename(path)
    return path


def jpegs(folder: Path, size: int = CELL_PX) -> list[Path]:
    """Return a few different JPEG files of size × size pixels, drawn if they are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"scene-{size}-{number:02}.jpg" for number in range(DISTINCT_JPEGS)]
    for number, path in enumerate(paths):
        if not path.exists():
            cv2.imwrite(str(path), cell(number, size), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return paths
