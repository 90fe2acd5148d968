"""The operations there are, and in which module each is declared: a pipeline loads those alone that it names.

Loading all of them, as ``catalogue`` does, takes a rank longer than filtering a small image.
"""

from importlib import import_module

from mpi_stage.errors import UnknownOperationError
from mpi_stage.operations.declaring.declaration import Operation
from mpi_stage.operations.spelling.suggestions import did_you_mean, shown

PUBLIC = {
    "invert": "colour",
    "grayscale": "colour",
    "rgb": "channels",
    "saturation": "hsv",
    "hue": "hsv",
    "brightness": "tone",
    "contrast": "tone",
    "gamma": "tone",
    "levels": "tone",
    "matrix": "matrix",
    "sepia": "matrix",
    "channels": "channels",
    "posterize": "posterize",
    "solarize": "posterize",
    "box": "box",
    "blur": "box",
    "gaussian": "gaussian",
    "median": "median",
    "bilateral": "bilateral",
    "denoise": "denoise",
    "sharpen": "sharpen",
    "unsharp": "unsharp",
    "emboss": "convolve",
    "convolve": "convolve",
    "sobel": "sobel",
    "scharr": "sobel",
    "prewitt": "prewitt",
    "roberts": "prewitt",
    "laplacian": "laplacian",
    "canny": "canny",
    "harris": "harris",
    "hough": "hough",
    "threshold": "threshold",
    "otsu": "otsu",
    "gaussian_otsu": "gaussian_otsu",
    "adaptive_mean": "adaptive",
    "adaptive_gaussian": "adaptive",
    "equalize": "equalize",
    "clahe": "clahe",
    "stretch": "stretch",
    "normalize": "stretch",
    "white_balance": "white_balance",
    "lowpass": "frequency",
    "highpass": "frequency",
    "bandpass": "frequency",
    "erode": "morphology",
    "dilate": "morphology",
    "opening": "morphology",
    "closing": "morphology",
    "gradient": "morphology",
    "tophat": "morphology",
    "blackhat": "morphology",
    "label": "label",
    "crop": "crop",
    "pad": "pad",
    "flip": "flip",
    "rotate90": "rotate90",
    "rotate": "rotate",
    "resize": "resize",
}
"""The names and aliases that a pipeline may use, in the order in which people see them, by module."""

INTERNAL = {
    "canny_gradients": "canny",
    "canny_maps": "canny",
    "harris_gradients": "harris",
    "harris_response": "harris",
    "morphology_fork": "morphology_pairs",
    "morphology_both": "morphology_pairs",
}
"""The names that only a plan uses, by module."""


def find(name: str) -> Operation:
    """Return the operation called ``name``, or of which that is an alias; the internal ones included.

    Raises
    ------
    UnknownOperationError: there is none; the message holds the closest public names.

    """
    return _declared(INTERNAL[name], name) if name in INTERNAL else find_public(name)


def find_public(name: str) -> Operation:
    """Return the operation that a pipeline calls ``name``.

    Raises
    ------
    UnknownOperationError: there is none; the message holds the closest names.

    """
    if name in PUBLIC:
        return _declared(PUBLIC[name], name)
    message = f"there is no operation {shown(name)}{did_you_mean(name, PUBLIC)}"
    raise UnknownOperationError(f"{message}; 'halorow ops' lists them")


def _declared(module: str, name: str) -> Operation:
    """Return the operation of a module that has the name, or the alias."""
    declared = vars(import_module(f"mpi_stage.operations.{module}")).values()
    found: Operation = next(
        one for one in declared if isinstance(one, Operation) and name in {one.name, *one.aliases}
    )
    return found
