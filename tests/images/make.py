"""Make the photographs in this folder from those that ship with scikit-image.

Run as ``python tests/images/make.py``; the files are committed, so that no test depends on it.
"""

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from skimage import data

HERE = Path(__file__).parent


def astronaut_jpeg() -> None:
    """Write the portrait as an ordinary photograph: 512 × 512, RGB, 8-bit JPEG."""
    Image.fromarray(data.astronaut()).save(HERE / "astronaut.jpg", quality=85, dpi=(300, 300), optimize=True)


def coins_png() -> None:
    """Write the coins as they are: 384 × 303, gray, 8-bit PNG."""
    Image.fromarray(data.coins()).save(HERE / "coins.png", optimize=True)


def camera_tiff() -> None:
    """Write the photographer as 16-bit gray, 512 × 512, in deflated strips, over the whole 16-bit range."""
    gray = data.camera().astype(np.uint16) * np.uint16(257)
    tifffile.imwrite(
        HERE / "camera16.tif",
        gray[128:384, 128:384],
        photometric="minisblack",
        compression="deflate",
        predictor=True,
        rowsperstrip=32,
        metadata=None,
        software="tests/images/make.py",
    )


def oval_alpha(rows: int, columns: int) -> NDArray[np.uint8]:
    """Return an alpha channel that fades from opaque in the middle to nothing in the corners."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    fade = np.clip(1.6 - 1.2 * np.hypot(x, y), 0.0, 1.0)
    return np.rint(fade * 255).astype(np.uint8)


def cat_png() -> None:
    """Write the cat's head behind an oval mask: 250 × 200, RGB and alpha, 8-bit PNG."""
    cat = data.chelsea()[20:220, 60:310]
    Image.fromarray(np.dstack([cat, oval_alpha(*cat.shape[:2])])).save(HERE / "chelsea.png", optimize=True)


def coffee_tiff() -> None:
    """Write the cup as an uncompressed tiled TIFF, 300 × 200, whose last tiles are cut by the border."""
    cup = np.ascontiguousarray(data.coffee()[::2, ::2])
    tifffile.imwrite(
        HERE / "coffee.tif",
        cup,
        photometric="rgb",
        tile=(64, 64),
        metadata=None,
        software="tests/images/make.py",
    )


def main() -> None:
    """Write all five."""
    for make in (astronaut_jpeg, coins_png, camera_tiff, cat_png, coffee_tiff):
        make()


if __name__ == "__main__":
    main()
