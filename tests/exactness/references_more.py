"""References of the remaining families; see ``references``."""

import cv2
import numpy as np
import scipy.fft
import scipy.ndimage
from PIL import Image, ImageOps
from references import gray, in_type

MORPHOLOGY = {
    "erode": cv2.MORPH_ERODE,
    "dilate": cv2.MORPH_DILATE,
    "opening": cv2.MORPH_OPEN,
    "closing": cv2.MORPH_CLOSE,
    "gradient": cv2.MORPH_GRADIENT,
    "tophat": cv2.MORPH_TOPHAT,
    "blackhat": cv2.MORPH_BLACKHAT,
}
SHAPES = {"rect": cv2.MORPH_RECT, "cross": cv2.MORPH_CROSS, "ellipse": cv2.MORPH_ELLIPSE}


def rgb(image, _params, _border):
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.shape[2] == 1 else image


def channels(image, params, _border):
    return image[..., [int(number) for number in params["select"]]]


def matrix(image, params, _border):
    numbers = np.array(params["values"], np.float64).reshape(3, -1)
    return cv2.transform(image, numbers) if image.dtype == np.uint8 else None


def by_pillow(call):
    def reference(image, params, _border):
        if image.dtype != np.uint8 or image.shape[2] not in {1, 3}:
            return None
        return np.asarray(call(Image.fromarray(image.squeeze()), params))

    return reference


def convolve(image, params, border):
    width = params["width"] or round(len(params["kernel"]) ** 0.5)
    kernel = np.array(params["kernel"], np.float64).reshape(-1, width)
    return cv2.filter2D(image, -1, kernel * params["scale"], delta=params["offset"], borderType=border)


def gradients(across, down):
    def reference(image, params, border):
        plane = gray(image).astype(np.float64)
        x, y = (
            cv2.filter2D(plane, cv2.CV_64F, np.array(k, float), borderType=border) for k in (across, down)
        )
        x, y = x.astype(np.float32), y.astype(np.float32)
        chosen = {"magnitude": np.hypot(x, y), "x": np.abs(x), "y": np.abs(y)}[params["output"]]
        return in_type(chosen, image)

    return reference


def laplacian(image, params, border):
    plane = gray(image).astype(np.float64)
    return in_type(np.abs(cv2.Laplacian(plane, cv2.CV_64F, ksize=params["size"], borderType=border)), image)


def morphology(code):
    def reference(image, params, border):
        if border != cv2.BORDER_REPLICATE:
            return None
        element = cv2.getStructuringElement(SHAPES[params["shape"]], (params["size"],) * 2)
        return cv2.morphologyEx(image, code, element, iterations=params["iterations"])

    return reference


def adaptive(code):
    def reference(image, params, border):
        if image.dtype != np.uint8 or border != cv2.BORDER_REPLICATE:
            return None
        offset = params["offset"]
        return cv2.adaptiveThreshold(gray(image), 255, code, cv2.THRESH_BINARY, params["size"], offset)

    return reference


def clahe(image, params, _border):
    if image.dtype == np.float32 or image.shape[2] != 1:
        return None
    return cv2.createCLAHE(params["clip"], (params["tiles"],) * 2).apply(image[..., 0])


def label(image, params, _border):
    eight = np.ones((3, 3), int) if str(params["connectivity"]) == "8" else None
    return scipy.ndimage.label(image[..., 0], eight)[0].astype(np.uint32)


def frequency(gain):
    def reference(image, params, _border):
        rows, columns = image.shape[:2]
        u = scipy.fft.fftfreq(rows, 1 / rows)[:, np.newaxis]
        v = scipy.fft.rfftfreq(columns, 1 / columns)
        spectrum = scipy.fft.rfft2(image.astype(np.float64), axes=(0, 1))
        spectrum *= gain(np.hypot(u, v), params)[..., np.newaxis]
        return in_type(scipy.fft.irfft2(spectrum, s=(rows, columns), axes=(0, 1)), image)

    return reference


def low(distance, cutoff, order):
    return 1 / (1 + (distance / cutoff) ** (2 * order))


def harris(image, params, border):
    if params["output"] != "response":
        return None
    plane = gray(image).astype(np.float32)
    if image.dtype != np.float32:
        return None
    # With IPP, OpenCV shifts an even block by one pixel for a replicated border, and only for that.
    cv2.ipp.setUseIPP(False)
    try:
        return cv2.cornerHarris(plane, params["block"], params["size"], params["k"], borderType=border)
    finally:
        cv2.ipp.setUseIPP(True)


def normalize(image, _params, _border):
    if image.dtype == np.float32:
        least, most = float(image.min()), float(image.max())
        return ((image.astype(np.float64) - least) / (most - least)).astype(np.float32)
    return None


def denoise(image, params, border):
    if border != cv2.BORDER_REFLECT_101 or image.dtype != np.uint8 or image.shape[2] != 1:
        return None
    strength = params["strength"]
    if strength is None:
        return None
    return cv2.fastNlMeansDenoising(image[..., 0], None, strength, params["patch"], params["search"])


MORE = {
    "rgb": rgb,
    "channels": channels,
    "matrix": matrix,
    "posterize": by_pillow(lambda image, params: ImageOps.posterize(image, params["bits"])),
    "solarize": by_pillow(lambda image, _params: ImageOps.solarize(image)),
    "convolve": convolve,
    "scharr": gradients([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]], [[-3, -10, -3], [0, 0, 0], [3, 10, 3]]),
    "prewitt": gradients([[-1, 0, 1]] * 3, [[-1] * 3, [0] * 3, [1] * 3]),
    "laplacian": laplacian,
    **{name: morphology(code) for name, code in MORPHOLOGY.items()},
    "adaptive_mean": adaptive(cv2.ADAPTIVE_THRESH_MEAN_C),
    "adaptive_gaussian": adaptive(cv2.ADAPTIVE_THRESH_GAUSSIAN_C),
    "clahe": clahe,
    "normalize": normalize,
    "denoise": denoise,
    "label": label,
    "harris": harris,
    "lowpass": frequency(lambda d, p: low(d, p["cutoff"], p["order"])),
    "highpass": frequency(lambda d, p: 1 - low(d, p["cutoff"], p["order"])),
    "bandpass": frequency(lambda d, p: low(d, p["high"], p["order"]) * (1 - low(d, p["low"], p["order"]))),
}
