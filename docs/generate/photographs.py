"""The photographs that the examples begin with, small enough to be shown pixel by pixel."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from mpi_stage.image import Pixels

COLUMNS, ROWS = 240, 160

_FOLDER = Path(__file__).parents[2] / "tests" / "images"
_SEED = 20


def astronaut() -> Pixels:
    """Return the portrait's upper part, RGB."""
    return _shrunk(_read("astronaut.jpg")[:320, 16:496])


def coffee() -> Pixels:
    """Return the cup, RGB."""
    return _shrunk(_read("coffee.tif"))


def cat() -> Pixels:
    """Return the cat's head, RGB without its mask."""
    return _read("chelsea.png")[10 : 10 + ROWS, :COLUMNS]


def coins() -> Pixels:
    """Return the coins under their uneven light, gray."""
    return _shrunk(_read("coins.png", cv2.IMREAD_GRAYSCALE)[:256])


def rocket() -> Pixels:
    """Return the rocket between the masts of its launch pad, RGB; by SpaceX, in the public domain."""
    from skimage import data  # noqa: PLC0415  (only the pictures need it, not the text)

    return _shrunk(data.rocket()[:426, :639])  # type: ignore[no-untyped-call]  # scikit-image has no types


def noisy() -> Pixels:
    """Return the portrait with the grain of a sensor in too little light."""
    grain = np.random.default_rng(_SEED).normal(0, 20, (ROWS, COLUMNS, 3))
    return np.clip(np.rint(astronaut() + grain), 0, 255).astype(np.uint8)


def noisy_coins() -> Pixels:
    """Return the coins with strong grain."""
    grain = np.random.default_rng(_SEED).normal(0, 30, (ROWS, COLUMNS, 1))
    return np.clip(np.rint(coins() + grain), 0, 255).astype(np.uint8)


def speckled() -> Pixels:
    """Return the portrait with one pixel in twenty black or white."""
    dice = np.random.default_rng(_SEED).integers(0, 40, (ROWS, COLUMNS, 1))
    return np.where(dice == 0, 0, np.where(dice == 1, 255, astronaut())).astype(np.uint8)


def dull() -> Pixels:
    """Return the cup as through fog: a third of the contrast."""
    return (coffee() // 3 + 90).astype(np.uint8)


def yellowed() -> Pixels:
    """Return the portrait under a yellow lamp."""
    lamp: Pixels = np.array([1.0, 0.85, 0.5])
    lit: Pixels = np.rint(astronaut() * lamp).astype(np.uint8)
    return lit


PHOTOGRAPHS: Mapping[str, Callable[[], Pixels]] = {
    make.__name__: make
    for make in (astronaut, coffee, cat, coins, rocket, noisy, noisy_coins, speckled, dull, yellowed)
}
"""By name; each makes rows × columns × channels of uint8, 160 × 240."""


def _read(name: str, flags: int = cv2.IMREAD_COLOR_RGB) -> Pixels:
    pixels = cv2.imread(str(_FOLDER / name), flags)
    if pixels is None:
        raise FileNotFoundError(_FOLDER / name)
    return np.atleast_3d(pixels)


def _shrunk(pixels: Pixels) -> Pixels:
    shrunk = cv2.resize(pixels, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return np.atleast_3d(shrunk)
