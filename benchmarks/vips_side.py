"""The peer's side of a file-to-file run: one operation in libvips, as a whole process.

``python -m benchmarks.vips_side OPERATION INPUT OUTPUT [COMPRESSION]`` prints the seconds spent after the
imports.
Each operation is written the way that is fastest in libvips, read sequentially where it can be.
"""

import sys
import time
from collections.abc import Callable

import pyvips

LUMA = (0.299, 0.587, 0.114)
MIX = [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]]
LAPLACE = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
BLUR_5 = [[1, 2, 3, 2, 1], [2, 4, 6, 4, 2], [3, 6, 9, 6, 3], [2, 4, 6, 4, 2], [1, 2, 3, 2, 1]]
NINE, FIVE, EDGE = 9, 5, 60

Filter = Callable[[pyvips.Image], pyvips.Image]


def gray(image: pyvips.Image) -> pyvips.Image:
    """Return the weighted sum of the channels, as 8 bits."""
    return image.recomb([list(LUMA)]).cast("uchar")


def box(image: pyvips.Image) -> pyvips.Image:
    """Return the mean of 15 × 15 pixels, as rows and columns of integers."""
    return image.convsep(pyvips.Image.new_from_array([[1] * 15], scale=15), precision="integer")


def convolve(image: pyvips.Image, kernel: list[list[int]], scale: int = 1) -> pyvips.Image:
    """Convolve in integers, which libvips vectorises."""
    return image.conv(pyvips.Image.new_from_array(kernel, scale=scale), precision="integer")


def dilate(image: pyvips.Image, size: int = FIVE) -> pyvips.Image:
    """Return the largest value around each pixel; ``morph`` takes two values only."""
    return image.rank(size, size, size * size - 1)


def erode(image: pyvips.Image, size: int = FIVE) -> pyvips.Image:
    """Return the smallest value around each pixel."""
    return image.rank(size, size, 0)


def gray_world(image: pyvips.Image) -> pyvips.Image:
    """Give all channels the same mean."""
    means = [image.extract_band(band).avg() for band in range(image.bands)]
    return image.linear([sum(means) / len(means) / mean for mean in means], 0, uchar=True)


def crop(image: pyvips.Image) -> pyvips.Image:
    """Return the middle half."""
    return image.crop(image.width // 4, image.height // 4, image.width // 2, image.height // 2)


def pad(image: pyvips.Image) -> pyvips.Image:
    """Put 256 black pixels on each side."""
    return image.embed(256, 256, image.width + 512, image.height + 512)


def chain(image: pyvips.Image) -> pyvips.Image:
    """Return the thickened edges of the smoothed gray picture, black on white."""
    return dilate(gray(image.gaussblur(2)).sobel() > EDGE).invert()


OPERATIONS: dict[str, Filter] = {
    "chain": chain,
    "invert": lambda image: image.invert(),
    "gaussian": lambda image: image.gaussblur(2),
    "median": lambda image: image.median(3),
    "sobel": lambda image: image.sobel(),
    "canny": lambda image: gray(image).canny(sigma=1.4, precision="integer").cast("uchar"),
    "equalize": lambda image: image.hist_equal(),
    "grayscale": gray,
    "brightness": lambda image: image.linear(1, 25.5, uchar=True),
    "contrast": lambda image: image.linear(1.5, -63.75, uchar=True),
    "gamma": lambda image: image.gamma(exponent=2.2),
    "matrix": lambda image: image.recomb(MIX).cast("uchar"),
    "channels": lambda image: image[2].bandjoin([image[1], image[0]]),
    "posterize": lambda image: image & 0xF0,
    "threshold": lambda image: image > 128,  # noqa: PLR2004  (the step's value)
    "box": box,
    "median9": lambda image: image.median(NINE),
    "sharpen": lambda image: convolve(image, SHARPEN),
    "unsharp": lambda image: (image * 2 - image.gaussblur(2)).cast("uchar"),
    "convolve": lambda image: convolve(image, BLUR_5, 81),
    "scharr": lambda image: image.scharr(),
    "prewitt": lambda image: image.prewitt(),
    "laplacian": lambda image: convolve(gray(image).cast("short"), LAPLACE).abs().cast("uchar"),
    "normalize": lambda image: image.scaleimage(),
    "white_balance": gray_world,
    "erode": erode,
    "dilate": dilate,
    "opening": lambda image: dilate(erode(image)),
    "label": lambda image: (gray(image) > 128).labelregions(),  # noqa: PLR2004  (the step's value)
    "crop": crop,
    "pad": pad,
    "flip": lambda image: image.fliphor(),
    "rotate90": lambda image: image.rot270(),
    # Of this width, the linear interpolation of OpenCV is the mean of 2 × 2 pixels.
    "resize": lambda image: image.shrink(2, 2),
}

NEEDS_RANDOM_ACCESS = frozenset({"equalize", "normalize", "white_balance", "label", "rotate90", "crop"})


def main() -> None:
    """Filter one file into another, tiled like the input, uncompressed or with a codec at its defaults."""
    name, source, target, *codec = sys.argv[1:]
    start = time.perf_counter()
    access = "random" if name in NEEDS_RANDOM_ACCESS else "sequential"
    image = OPERATIONS[name](pyvips.Image.new_from_file(source, access=access))
    compression = codec[0] if codec else "none"
    image.tiffsave(target, tile=True, tile_width=256, tile_height=256, bigtiff=True, compression=compression)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
