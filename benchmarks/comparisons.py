"""What is compared: the steps, and what the peers call the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """One operation on both sides.

    ``name`` is what the peer's program calls it; in ``steps``, ``{half}`` and ``{quarter}`` stand for
    that part of the picture's edge.
    """

    name: str
    steps: str


WITH_LIBVIPS = (
    Comparison("invert", "invert"),
    Comparison("gaussian", "gaussian:sigma=2"),
    Comparison("median", "median:size=3"),
    Comparison("sobel", "sobel"),
    Comparison("canny", "canny:low=50,high=150,sigma=1.4"),
    Comparison("equalize", "equalize:channels=each"),
    Comparison("grayscale", "grayscale"),
    Comparison("brightness", "brightness:offset=0.1"),
    Comparison("contrast", "contrast:factor=1.5"),
    Comparison("gamma", "gamma:gamma=2.2"),
    Comparison("matrix", "matrix:values=0.5,0.25,0.25,0.25,0.5,0.25,0.25,0.25,0.5"),
    Comparison("channels", "channels:select=2,1,0"),
    Comparison("posterize", "posterize:bits=4"),
    Comparison("threshold", "threshold:value=128"),
    Comparison("box", "box:size=15"),
    Comparison("median9", "median:size=9"),
    Comparison("sharpen", "sharpen"),
    Comparison("unsharp", "unsharp:sigma=2"),
    Comparison(
        "convolve", "convolve:kernel=1,2,3,2,1,2,4,6,4,2,3,6,9,6,3,2,4,6,4,2,1,2,3,2,1,scale=0.0123457"
    ),
    Comparison("scharr", "scharr"),
    Comparison("prewitt", "prewitt"),
    Comparison("laplacian", "laplacian"),
    Comparison("normalize", "normalize"),
    Comparison("white_balance", "white_balance"),
    Comparison("erode", "erode:size=5"),
    Comparison("dilate", "dilate:size=5"),
    Comparison("opening", "opening:size=5"),
    Comparison("label", "grayscale threshold:value=128 label"),
    Comparison("crop", "crop:x={quarter},y={quarter},width={half},height={half}"),
    Comparison("pad", "pad:top=256,bottom=256,left=256,right=256,border=constant"),
    Comparison("flip", "flip:axis=horizontal"),
    Comparison("rotate90", "rotate90:turns=1"),
    Comparison("resize", "resize:scale=0.5,interpolation=linear"),
)
"""What libvips has too, on the large picture."""

CHAIN = Comparison("chain", "gaussian:sigma=2 grayscale sobel threshold:value=60 dilate:size=5 invert")
"""Six steps, in one pass over the large picture."""

WITH_OPENCV = (
    Comparison("saturation", "saturation:factor=1.5"),
    Comparison("bilateral", "bilateral:diameter=5,sigma_color=25,sigma_space=3"),
    Comparison("harris", "harris"),
    Comparison("hough", "hough:threshold=400"),
    Comparison("otsu", "otsu"),
    Comparison("adaptive_mean", "adaptive_mean:size=11,offset=2"),
    Comparison("adaptive_gaussian", "adaptive_gaussian:size=11,offset=2"),
    Comparison("clahe", "clahe"),
    Comparison("lowpass", "lowpass:cutoff=100,order=2"),
    Comparison("closing", "closing:size=5"),
    Comparison("gradient", "gradient:size=5"),
    Comparison("tophat", "tophat:size=5"),
    Comparison("rotate", "rotate:degrees=10"),
)
"""What only OpenCV (or, for the spectrum, SciPy) has, on the smaller picture."""

WITH_OPENCV_SLOW = (Comparison("denoise", "denoise:strength=10"),)
"""The same, so slow on both sides that a tile of the picture must do."""
