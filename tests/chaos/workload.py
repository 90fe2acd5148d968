"""What the jobs of a chaos run are: small pictures, a few that take a second, and worlds of two ranks."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile


@dataclass(frozen=True)
class Kind:
    """One sort of job; ``weight`` says how many of a run's jobs are of it."""

    name: str
    image: Path
    steps: str
    ranks: int | None = None
    weight: int = 1


def make_kinds(folder: Path) -> list[Kind]:
    """Draw the pictures below ``folder`` and return the kinds of jobs on them."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(6)
    gray, colour = folder / "gray.png", folder / "colour.tif"
    photo, wide, scan = folder / "photo.jpg", folder / "wide.tif", folder / "scan.tif"
    cv2.imwrite(str(gray), _soft(noise, 96, 128, 1))
    cv2.imwrite(str(photo), _soft(noise, 200, 240, 3))
    tifffile.imwrite(colour, _soft(noise, 120, 160, 3), photometric="rgb", metadata=None)
    tifffile.imwrite(wide, _soft(noise, 700, 900, 3), photometric="rgb", tile=(128, 128), metadata=None)
    tifffile.imwrite(scan, _soft(noise, 1500, 1200, 3), photometric="rgb", tile=(128, 128), metadata=None)
    return [
        Kind("small gray", gray, "gaussian:sigma=2 sobel", weight=6),
        Kind("small colour", colour, "median:size=5 equalize", weight=6),
        Kind("small photograph", photo, "grayscale canny:low=30,high=90", weight=6),
        Kind("world of two", wide, "gaussian:sigma=3 sobel", ranks=2, weight=2),
        Kind("world of two, global", wide, "grayscale label", ranks=2, weight=1),
        Kind("large", scan, "median:size=41 median:size=31", weight=2),
        Kind("large in a world", scan, "median:size=41 gaussian:sigma=5", ranks=2, weight=2),
    ]


def _soft(noise: np.random.Generator, rows: int, columns: int, channels: int) -> np.ndarray:
    """Return a picture with edges and flat parts, of ``rows × columns × channels`` uint8."""
    coarse = noise.integers(0, 256, (rows // 16 + 1, columns // 16 + 1, channels), np.uint8)
    large = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return large.reshape(rows, columns, channels)[..., 0] if channels == 1 else large
