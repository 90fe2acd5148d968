"""The peer's side where libvips has no such operation: OpenCV and tifffile, as a whole process.

``python -m benchmarks.opencv_side OPERATION INPUT OUTPUT`` prints the seconds spent after the imports.
The picture is held in memory as a whole; OpenCV takes all cores.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

Pixels = NDArray[Any]

CUTOFF, ORDER = 100, 2


def gray(image: Pixels) -> Pixels:
    """Return the gray picture."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def saturation(image: Pixels) -> Pixels:
    """Scale S of HSV."""
    hue, saturated, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    saturated = cv2.convertScaleAbs(saturated, alpha=1.5)
    return cv2.cvtColor(cv2.merge([hue, saturated, value]), cv2.COLOR_HSV2RGB)


def otsu(image: Pixels) -> Pixels:
    """Binarise the gray picture."""
    return cv2.threshold(gray(image), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]


def adaptive(image: Pixels, method: int) -> Pixels:
    """Binarise the gray picture by its surroundings."""
    return cv2.adaptiveThreshold(gray(image), 255, method, cv2.THRESH_BINARY, 11, 2)


def clahe(image: Pixels) -> Pixels:
    """Equalise the luma by tiles."""
    luma, *chroma = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
    equalised = cv2.createCLAHE(2.0, (8, 8)).apply(luma)
    return cv2.cvtColor(cv2.merge([equalised, *chroma]), cv2.COLOR_YCrCb2RGB)


def harris(image: Pixels) -> Pixels:
    """Mark the corners."""
    response = cv2.cornerHarris(gray(image), 2, 3, 0.04)
    image[response > 0.01 * response.max()] = (255, 0, 0)
    return image


def hough(image: Pixels) -> Pixels:
    """Find the straight lines among the edges; drawing them is left out."""
    cv2.HoughLines(cv2.Canny(gray(image), 50, 150), 1, np.pi / 180, 400)
    return image


def lowpass(image: Pixels) -> Pixels:
    """Apply a Butterworth filter, channel by channel, on all cores."""
    from scipy import fft  # noqa: PLC0415  (the others need not wait for it)

    rows, columns = image.shape[:2]
    cores = len(os.sched_getaffinity(0))
    down = np.fft.fftfreq(rows, 1 / rows)[:, np.newaxis].astype(np.float32)
    across = np.fft.rfftfreq(columns, 1 / columns)[np.newaxis].astype(np.float32)
    response = 1 / (1 + ((down**2 + across**2) / CUTOFF**2) ** ORDER)
    for channel in range(image.shape[2]):
        spectrum = fft.rfft2(image[..., channel].astype(np.float32), workers=cores) * response
        values = fft.irfft2(spectrum, (rows, columns), workers=cores)
        image[..., channel] = np.clip(np.rint(values), 0, 255)
    return image


def rotate(image: Pixels) -> Pixels:
    """Turn about the middle."""
    rows, columns = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), 10, 1)
    return cv2.warpAffine(image, matrix, (columns, rows))


def morphology(image: Pixels, operation: int) -> Pixels:
    """Apply a 5 × 5 rectangle."""
    return cv2.morphologyEx(image, operation, np.ones((5, 5), np.uint8))


OPERATIONS: dict[str, Callable[[Pixels], Pixels]] = {
    "saturation": saturation,
    "bilateral": lambda image: cv2.bilateralFilter(image, 5, 25, 3),
    "denoise": lambda image: cv2.fastNlMeansDenoisingColored(image, None, 10, 10, 7, 21),
    "harris": harris,
    "hough": hough,
    "otsu": otsu,
    "adaptive_mean": lambda image: adaptive(image, cv2.ADAPTIVE_THRESH_MEAN_C),
    "adaptive_gaussian": lambda image: adaptive(image, cv2.ADAPTIVE_THRESH_GAUSSIAN_C),
    "clahe": clahe,
    "lowpass": lowpass,
    "closing": lambda image: morphology(image, cv2.MORPH_CLOSE),
    "gradient": lambda image: morphology(image, cv2.MORPH_GRADIENT),
    "tophat": lambda image: morphology(image, cv2.MORPH_TOPHAT),
    "rotate": rotate,
}


def main() -> None:
    """Filter one file into another, tiled and uncompressed like the input."""
    name, source, target = sys.argv[1:]
    start = time.perf_counter()
    result = OPERATIONS[name](tifffile.imread(source))
    kind = "rgb" if result.ndim > 2 else "minisblack"  # noqa: PLR2004  (with channels)
    tifffile.imwrite(target, result, photometric=kind, tile=(256, 256), bigtiff=True, metadata=None)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
