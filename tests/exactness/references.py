"""The calls that the catalogue names, on whole images in memory: one small function per operation.

Each takes rows × columns × channels pixels, the step's parameters and OpenCV's code of its border,
and returns what the operation must give. An operation that is missing here, or a type that the call
does not take, is judged by the tests of the operation alone.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

CV_BORDERS = {
    "mirror": cv2.BORDER_REFLECT_101,
    "reflect": cv2.BORDER_REFLECT,
    "nearest": cv2.BORDER_REPLICATE,
}
THRESHOLD_MODES = {"binary": 0, "binary_inv": 1, "trunc": 2, "to_zero": 3, "to_zero_inv": 4}

Reference = Callable[[Any, dict[str, Any], int], Any]


def white(image):
    """Return full white of the image's type."""
    return 1.0 if image.dtype == np.float32 else float(np.iinfo(image.dtype).max)


def gray(image):
    """Return the gray plane, as the operations with gray inside see it."""
    if image.shape[2] == 1:
        return np.ascontiguousarray(image[..., 0])
    return cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_RGB2GRAY)


def invert(image, _params, _border):
    return 1 - image if image.dtype == np.float32 else cv2.bitwise_not(image)


def grayscale(image, _params, _border):
    return gray(image)


def box(image, params, border):
    return cv2.blur(image, (params["size"],) * 2, borderType=border)


def gaussian(image, params, border):
    size = (params["size"] or 0,) * 2
    sigma = params["sigma"] or (0 if params["size"] else 2)
    return cv2.GaussianBlur(image, size, sigma, borderType=border)


def median(image, params, border):
    if border != cv2.BORDER_REPLICATE or (params["size"] > 5 and image.dtype != np.uint8):
        return None
    return cv2.medianBlur(image, params["size"])


def sharpen(image, params, border):
    a = params["amount"]
    kernel = np.array([[0, -a, 0], [-a, 1 + 4 * a, -a], [0, -a, 0]])
    return cv2.filter2D(image, -1, kernel, borderType=border)


def in_type(values, image):
    """Round and saturate to the image's type."""
    if image.dtype == np.float32:
        return values.astype(np.float32)
    return np.clip(np.rint(values), 0, white(image)).astype(image.dtype)


def sobel(image, params, border):
    plane, size = gray(image).astype(np.float64), params["size"]
    x = cv2.Sobel(plane, cv2.CV_64F, 1, 0, ksize=size, borderType=border).astype(np.float32)
    y = cv2.Sobel(plane, cv2.CV_64F, 0, 1, ksize=size, borderType=border).astype(np.float32)
    chosen = {"magnitude": np.hypot(x, y), "x": np.abs(x), "y": np.abs(y)}[params["output"]]
    return in_type(chosen, image)


def canny(image, params, border):
    if image.dtype != np.uint8 or border != cv2.BORDER_REPLICATE or params["sigma"]:
        return None
    low, high = params["low"], params["high"]
    return cv2.Canny(gray(image), low, high, apertureSize=params["aperture"], L2gradient=params["l2"])


def threshold(image, params, _border):
    return cv2.threshold(image, params["value"], white(image), THRESHOLD_MODES[params["mode"]])[1]


def otsu(image, _params, _border):
    if image.dtype == np.float32:
        return None
    return cv2.threshold(gray(image), 0, white(image), cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]


def equalize(image, _params, _border):
    if image.dtype != np.uint8:
        return None
    if image.shape[2] == 1:
        return cv2.equalizeHist(image[..., 0])
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    luma[..., 0] = cv2.equalizeHist(np.ascontiguousarray(luma[..., 0]))
    return cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB)


INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
    "lanczos": cv2.INTER_LANCZOS4,
}


def crop(image, params, _border):
    return image[params["y"] :, params["x"] :][: params["height"], : params["width"]]


def pad(image, params, border):
    if image.shape[2] > 4:
        return None
    return cv2.copyMakeBorder(image, *(params[side] for side in ("top", "bottom", "left", "right")), border)


def flip(image, params, _border):
    return np.flip(image, 1 if params["axis"] == "horizontal" else 0)


def rotate90(image, params, _border):
    return np.rot90(image, params["turns"])


def rotate(image, params, _border):
    if image.shape[2] > 4:
        return None
    rows, columns = image.shape[:2]
    turn = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), params["degrees"], 1)
    size = (columns, rows)
    if params["expand"]:
        cosine, sine = np.abs(turn[0, :2])
        size = round(columns * cosine + rows * sine), round(rows * cosine + columns * sine)
        turn[:, 2] += (size[0] - columns) / 2, (size[1] - rows) / 2
    return cv2.warpAffine(image, turn, size, flags=INTERPOLATIONS[params["interpolation"]])


def resize(image, params, _border):
    if image.shape[2] > 4:
        return None
    rows, columns = image.shape[:2]
    width, height, scale = params["width"], params["height"], params["scale"]
    if scale is not None:
        width, height = round(columns * scale), round(rows * scale)
    size = (width or round(columns * height / rows), height or round(rows * width / columns))
    return cv2.resize(image, size, interpolation=INTERPOLATIONS[params["interpolation"]])


REFERENCES: dict[str, Reference] = {
    "invert": invert,
    "grayscale": grayscale,
    "box": box,
    "gaussian": gaussian,
    "median": median,
    "sharpen": sharpen,
    "sobel": sobel,
    "canny": canny,
    "threshold": threshold,
    "otsu": otsu,
    "equalize": equalize,
    "crop": crop,
    "pad": pad,
    "flip": flip,
    "rotate90": rotate90,
    "rotate": rotate,
    "resize": resize,
}
