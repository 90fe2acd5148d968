"""Which operations have a kernel here: one table for stencils, one for steps on single pixels.

A maker returns None where there is none for the type, the channels or the parameters; the pass then runs
on the CPU. So it does where the result would not be the CPU's to the last bit.
"""

from collections.abc import Callable

from gpu_kernels import (
    adaptive,
    bilateral,
    clahe,
    colours,
    correlation,
    denoise,
    edges,
    extrema,
    masked,
    means,
    medians,
    pairs,
    points,
)
from gpu_kernels.points import Point
from gpu_kernels.stencils import Stencil
from gpu_kernels.step import Step

STENCILS: dict[str, Callable[[Step], Stencil | None]] = {
    "box": means.box,
    "gaussian": means.gaussian,
    "median": medians.median,
    "bilateral": bilateral.bilateral,
    "denoise": denoise.denoise,
    "sharpen": correlation.fixed,
    "unsharp": means.unsharp,
    "emboss": correlation.fixed,
    "convolve": correlation.convolve,
    "sobel": edges.sobel,
    "scharr": edges.scharr,
    "prewitt": edges.prewitt,
    "roberts": edges.roberts,
    "laplacian": edges.laplacian,
    "canny_gradients": edges.canny_gradients,
    "canny_maps": edges.canny_maps,
    "adaptive_mean": means.adaptive_mean,
    "adaptive_gaussian": adaptive.adaptive_gaussian,
    "erode": extrema.erode,
    "dilate": extrema.dilate,
    "opening": extrema.dilate,
    "closing": extrema.erode,
    "gradient": pairs.gradient,
    "tophat": pairs.tophat,
    "blackhat": pairs.blackhat,
    "morphology_fork": pairs.fork,
    "morphology_both": pairs.both,
}
"""The opening and the closing are the last of the two halves that a plan makes of them."""

MASKED: dict[str, Callable[[Step], Stencil | None]] = {"box": masked.box, "gaussian": masked.gaussian}
"""The stencils of images with a nodata value, which they leave out."""

POINTS: dict[str, Callable[[Step], Point | None]] = {
    "invert": points.invert,
    "grayscale": points.grayscale,
    "rgb": points.rgb,
    "saturation": colours.saturation,
    "hue": colours.hue,
    "brightness": points.brightness,
    "contrast": points.contrast,
    "gamma": points.gamma,
    "levels": points.levels,
    "matrix": colours.matrix,
    "sepia": colours.sepia,
    "channels": points.channels,
    "posterize": points.posterize,
    "solarize": points.solarize,
    "threshold": points.threshold,
    "otsu": points.each_value,
    "gaussian_otsu": points.each_value,
    "stretch": points.each_value,
    "normalize": points.each_value,
    "equalize": colours.equalize,
    "clahe": clahe.clahe,
    "white_balance": points.each_channel,
}
"""Of the reduce operations the second half, which applies what was measured."""


def stencil_of(step: Step) -> Stencil | None:
    """Return the kernels of a stencil step, None where there are none."""
    maker = (STENCILS if step.nodata is None else MASKED).get(step.name)
    return maker(step) if maker else None


def point_of(step: Step) -> Point | None:
    """Return the table or formula of a point step, None where there is none."""
    maker = POINTS.get(step.name)
    return maker(step) if maker else None
