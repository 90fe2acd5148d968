"""Pipelines that between them use every kernel of the GPU, and the pictures that they take."""

from dataclasses import replace
from itertools import product

from gpu_kernels.program import Program, make_program
from mpi_stage.errors import StageError
from mpi_stage.image import DTYPES, ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.gpu_steps import gpu_steps
from mpi_stage.planning.plan import Pass
from mpi_stage.planning.planned_steps import plan_steps

WHITE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
KINDS = tuple(product(DTYPES, (1, 3, 4, 5)))
"""Types and numbers of channels."""

PIPELINES = (
    "median",
    "median:size=5",
    "median:size=9",
    "median:size=17",
    "bilateral:sigma_color=0.2w",
    "denoise:patch=5,search=7,strength=0.3w",
    "bilateral:diameter=5,sigma_space=1",
    "dilate",
    "erode:size=4",
    "erode:size=5,shape=ellipse",
    "dilate:size=7,shape=cross",
    "gaussian",
    "gaussian:sigma=0.8",
    "gaussian:sigma=6",
    "box",
    "box:size=17",
    "box:size=33",
    "sharpen",
    "sharpen:amount=0.3",
    "emboss:angle=30,depth=0.7",
    "convolve:kernel=0.1,0.2,-0.3,0.4,0.5,0.1,0,0.3,width=2",
    "unsharp:sigma=0.9,threshold=0.03w,amount=2.3",
    "sobel",
    "sobel:size=5,output=y",
    "sobel:size=7",
    "scharr",
    "prewitt:output=x",
    "roberts",
    "laplacian",
    "laplacian:size=5",
    "canny:low=0.1w,high=0.4w",
    "canny:low=0.2w,high=0.3w,aperture=7,l2=true,sigma=1",
    "adaptive_mean:size=7",
    "adaptive_mean:size=21,offset=-0.01w",
    "adaptive_gaussian:size=5",
    "adaptive_gaussian:size=21,offset=-0.01w",
    "invert",
    "brightness:offset=-0.2",
    "contrast",
    "gamma",
    "levels:in_low=0.2,in_high=0.7,gamma=1.3",
    "posterize:bits=3",
    "solarize",
    "threshold:value=0.4w",
    "threshold:value=0.6w,mode=to_zero_inv",
    "grayscale",
    "grayscale rgb",
    "channels:select=2,0",
    "matrix:values=0.2,0.5,0.3,-0.4,1.1,0.2,0.9,0.3,-0.1",
    "matrix:values=0.2,0,0,-0.01,0,1.1,0,0,0,0,2,0 sepia:strength=0.7",
    "saturation hue:degrees=-77",
    "equalize",
    "equalize:channels=each",
    "clahe:tiles=3 gaussian:size=3 invert",
    "clahe:channels=each,tiles=2",
    "gradient:size=5,shape=ellipse invert",
    "gradient:size=4,shape=cross,iterations=2,border=constant",
    "tophat:size=4",
    "blackhat:shape=cross,iterations=2,border=constant invert",
    "invert gaussian:sigma=1.4 gamma median grayscale sobel threshold:value=0.4w dilate invert",
)
"""``0.4w`` stands for that part of white."""


def written(pipeline, dtype):
    """Return a pipeline with the values of pixels in the image's own range."""
    words = pipeline.replace(",", " , ").replace("=", "= ").split(" ")
    scaled = [f"{float(word[:-1]) * WHITE[dtype]:g}" if word[-1:] == "w" else word for word in words]
    return " ".join(scaled).replace(" , ", ",").replace("= ", "=")


NODATA_PIPELINES = (
    "box:size=3",
    "box:size=9 invert",
    "gaussian:size=3,sigma=0.8",
    "gaussian:size=5,sigma=1.1",
    "gaussian invert",
)
NODATA = {"uint8": (0.0, 128.0, -1.0), "uint16": (65535.0, 0.5), "float32": (-1.0, float("nan"))}
"""Values of the pictures of the tests, and some that they do not have."""


def pass_of(pipeline, spec, nodata=None):
    """Return what a pipeline does to pixels as one pass, None where it does not take the image.

    That are its point and stencil steps, and of reduce steps the second half.
    """
    try:
        planned = [one for one in plan_steps(parse(pipeline), spec) if one.operation.pattern != "global"]
    except StageError:
        return None
    reduced = [one for one in planned if one.operation.pattern == "reduce"]
    steps = tuple(replace(one, applies=reduced.index(one)) if one in reduced else one for one in planned)
    steps = tuple(replace(one, nodata=nodata) if one.operation.masked else one for one in steps)
    return Pass(spec, steps[-1].after, steps, None)


def programs_of(pipelines, kinds=KINDS, nodata=None):
    """Yield what is launched for every pipeline, type and number of channels."""
    for pipeline, (dtype, count) in product(pipelines, kinds):
        one = pass_of(written(pipeline, dtype), ImageSpec(97, 61, count, dtype), nodata)
        program = make_program(gpu_steps(one.steps, None)) if one else None
        if isinstance(program, Program):
            yield program
