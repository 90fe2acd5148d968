"""The peer's side of a file-to-file run: one operation in libvips, as a whole process.

``python -m benchmarks.vips_side OPERATION INPUT OUTPUT`` prints the seconds spent after the imports.
Each operation is written the way that is fastest in libvips, read sequentially where it can be.
"""

import sys
import time
from collections.abc import Callable

import pyvips

LUMA = (0.299, 0.587, 0.114)


def gray(image: pyvips.Image) -> pyvips.Image:
    """Return the weighted sum of the channels, as 8 bits."""
    return image.recomb([list(LUMA)]).cast("uchar")


def equalize(image: pyvips.Image) -> pyvips.Image:
    """Equalise each channel; libvips reads the picture twice for it."""
    return image.hist_equal()


OPERATIONS: dict[str, Callable[[pyvips.Image], pyvips.Image]] = {
    "invert": lambda image: image.invert(),
    # With libvips's own cut of the kernel, which is shorter than OpenCV's.
    "gaussian": lambda image: image.gaussblur(2),
    "median": lambda image: image.median(3),
    # On the colour picture, which takes libvips less time than turning it to gray first.
    "sobel": lambda image: image.sobel(),
    # Without hysteresis, which libvips does not have.
    "canny": lambda image: gray(image).canny(sigma=1.4, precision="integer").cast("uchar"),
    "equalize": equalize,
}


def main() -> None:
    """Filter one file into another, tiled and uncompressed like the input."""
    name, source, target = sys.argv[1:]
    start = time.perf_counter()
    access = "random" if name == "equalize" else "sequential"
    image = OPERATIONS[name](pyvips.Image.new_from_file(source, access=access))
    image.tiffsave(target, tile=True, tile_width=256, tile_height=256, bigtiff=True, compression="none")
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
