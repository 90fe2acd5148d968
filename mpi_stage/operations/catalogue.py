"""The catalogue: every operation there is, in the order in which people see them.

What needs single operations finds them in ``mpi_stage.operations.index``.
"""

from mpi_stage.operations.adaptive import ADAPTIVE_GAUSSIAN, ADAPTIVE_MEAN
from mpi_stage.operations.bilateral import BILATERAL
from mpi_stage.operations.box import BOX
from mpi_stage.operations.canny import CANNY, CANNY_GRADIENTS, CANNY_MAPS
from mpi_stage.operations.channels import CHANNELS, RGB
from mpi_stage.operations.clahe import CLAHE
from mpi_stage.operations.colour import GRAYSCALE, INVERT
from mpi_stage.operations.convolve import CONVOLVE, EMBOSS
from mpi_stage.operations.crop import CROP
from mpi_stage.operations.declaration import Operation
from mpi_stage.operations.denoise import DENOISE
from mpi_stage.operations.equalize import EQUALIZE
from mpi_stage.operations.flip import FLIP
from mpi_stage.operations.frequency import BANDPASS, HIGHPASS, LOWPASS
from mpi_stage.operations.gaussian import GAUSSIAN
from mpi_stage.operations.gaussian_otsu import GAUSSIAN_OTSU
from mpi_stage.operations.harris import HARRIS, HARRIS_GRADIENTS, HARRIS_RESPONSE
from mpi_stage.operations.hough import HOUGH
from mpi_stage.operations.hsv import HUE, SATURATION
from mpi_stage.operations.label import LABEL
from mpi_stage.operations.laplacian import LAPLACIAN
from mpi_stage.operations.matrix import MATRIX, SEPIA
from mpi_stage.operations.median import MEDIAN
from mpi_stage.operations.morphology import MORPHOLOGY
from mpi_stage.operations.morphology_pairs import MORPHOLOGY_BOTH, MORPHOLOGY_FORK
from mpi_stage.operations.otsu import OTSU
from mpi_stage.operations.pad import PAD
from mpi_stage.operations.posterize import POSTERIZE, SOLARIZE
from mpi_stage.operations.prewitt import PREWITT, ROBERTS
from mpi_stage.operations.resize import RESIZE
from mpi_stage.operations.rotate import ROTATE
from mpi_stage.operations.rotate90 import ROTATE90
from mpi_stage.operations.sharpen import SHARPEN
from mpi_stage.operations.sobel import SCHARR, SOBEL
from mpi_stage.operations.stretch import NORMALIZE, STRETCH
from mpi_stage.operations.threshold import THRESHOLD
from mpi_stage.operations.tone import BRIGHTNESS, CONTRAST, GAMMA, LEVELS
from mpi_stage.operations.unsharp import UNSHARP
from mpi_stage.operations.white_balance import WHITE_BALANCE

OPERATIONS: tuple[Operation, ...] = (
    INVERT,
    GRAYSCALE,
    RGB,
    SATURATION,
    HUE,
    BRIGHTNESS,
    CONTRAST,
    GAMMA,
    LEVELS,
    MATRIX,
    SEPIA,
    CHANNELS,
    POSTERIZE,
    SOLARIZE,
    BOX,
    GAUSSIAN,
    MEDIAN,
    BILATERAL,
    DENOISE,
    SHARPEN,
    UNSHARP,
    EMBOSS,
    CONVOLVE,
    SOBEL,
    SCHARR,
    PREWITT,
    ROBERTS,
    LAPLACIAN,
    CANNY,
    HARRIS,
    HOUGH,
    THRESHOLD,
    OTSU,
    GAUSSIAN_OTSU,
    ADAPTIVE_MEAN,
    ADAPTIVE_GAUSSIAN,
    EQUALIZE,
    CLAHE,
    STRETCH,
    NORMALIZE,
    WHITE_BALANCE,
    LOWPASS,
    HIGHPASS,
    BANDPASS,
    *MORPHOLOGY,
    LABEL,
    CROP,
    PAD,
    FLIP,
    ROTATE90,
    ROTATE,
    RESIZE,
)
"""What a pipeline may name."""

INTERNAL: tuple[Operation, ...] = (
    CANNY_GRADIENTS,
    CANNY_MAPS,
    HARRIS_GRADIENTS,
    HARRIS_RESPONSE,
    MORPHOLOGY_FORK,
    MORPHOLOGY_BOTH,
)
"""What only a plan inserts, through an operation's ``prepare``, or a collective carries out inside itself."""
