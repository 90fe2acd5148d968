"""In which module each operation is declared, so that a pipeline loads those alone that it names.

Loading all of them takes a rank longer than filtering a small image.
"""

from importlib import import_module

from mpi_stage.errors import UnknownOperationError
from mpi_stage.operations.declaration import Operation
from mpi_stage.operations.suggestions import did_you_mean, shown

PUBLIC_MODULES = {
    "colour": ("invert", "grayscale"),
    "channels": ("rgb", "channels"),
    "hsv": ("saturation", "hue"),
    "tone": ("brightness", "contrast", "gamma", "levels"),
    "matrix": ("matrix", "sepia"),
    "posterize": ("posterize", "solarize"),
    "box": ("box", "blur"),
    "gaussian": ("gaussian",),
    "median": ("median",),
    "bilateral": ("bilateral",),
    "denoise": ("denoise",),
    "sharpen": ("sharpen",),
    "unsharp": ("unsharp",),
    "convolve": ("emboss", "convolve"),
    "sobel": ("sobel", "scharr"),
    "prewitt": ("prewitt", "roberts"),
    "laplacian": ("laplacian",),
    "canny": ("canny",),
    "harris": ("harris",),
    "hough": ("hough",),
    "threshold": ("threshold",),
    "otsu": ("otsu",),
    "gaussian_otsu": ("gaussian_otsu",),
    "adaptive": ("adaptive_mean", "adaptive_gaussian"),
    "equalize": ("equalize",),
    "clahe": ("clahe",),
    "stretch": ("stretch", "normalize"),
    "white_balance": ("white_balance",),
    "frequency": ("lowpass", "highpass", "bandpass"),
    "morphology": ("erode", "dilate", "opening", "closing", "gradient", "tophat", "blackhat"),
    "label": ("label",),
    "crop": ("crop",),
    "pad": ("pad",),
    "flip": ("flip",),
    "rotate90": ("rotate90",),
    "rotate": ("rotate",),
    "resize": ("resize",),
}
"""The names and aliases that a pipeline may use, by module."""

INTERNAL_MODULES = {
    "canny": ("canny_gradients", "canny_maps"),
    "harris": ("harris_gradients", "harris_response"),
    "morphology_pairs": ("morphology_fork", "morphology_both"),
}
"""The names that only a plan uses, by module."""

_PUBLIC = {name: module for module, names in PUBLIC_MODULES.items() for name in names}
_INTERNAL = {name: module for module, names in INTERNAL_MODULES.items() for name in names}


def find(name: str) -> Operation:
    """Return the operation called ``name``, or of which that is an alias; the internal ones included.

    Raises
    ------
    UnknownOperationError: there is none; the message holds the closest public names.

    """
    return _declared(_INTERNAL[name], name) if name in _INTERNAL else find_public(name)


def find_public(name: str) -> Operation:
    """Return the operation that a pipeline calls ``name``.

    Raises
    ------
    UnknownOperationError: there is none; the message holds the closest names.

    """
    if name in _PUBLIC:
        return _declared(_PUBLIC[name], name)
    message = f"there is no operation {shown(name)}{did_you_mean(name, _PUBLIC)}"
    raise UnknownOperationError(f"{message}; 'halorow ops' lists them")


def _declared(module: str, name: str) -> Operation:
    """Return the operation of a module that has the name, or the alias."""
    declared = vars(import_module(f"mpi_stage.operations.{module}")).values()
    found: Operation = next(
        one for one in declared if isinstance(one, Operation) and name in {one.name, *one.aliases}
    )
    return found
