"""A tiny engine for the tests: whole images or blocks of any height through a pipeline's kernels."""

import cv2
import numpy as np
import scipy.fft
import scipy.ndimage
from geometry_harness import whole
from hypothesis import strategies as st

from mpi_stage.image import ImageSpec
from mpi_stage.operations.arithmetic.borders import OUTSIDE, border_index
from mpi_stage.operations.declaring.declaration import Border, Pattern
from mpi_stage.operations.frequency import gains
from mpi_stage.operations.harris import inner_steps
from mpi_stage.operations.index import find
from mpi_stage.operations.spelling.grammar import Step, parse

CV_BORDERS = {
    Border.MIRROR: cv2.BORDER_REFLECT_101,
    Border.REFLECT: cv2.BORDER_REFLECT,
    Border.NEAREST: cv2.BORDER_REPLICATE,
}
NUMPY_MODES = {
    Border.MIRROR: "reflect",
    Border.REFLECT: "symmetric",
    Border.NEAREST: "edge",
    Border.WRAP: "wrap",
}
DTYPES = ("uint8", "uint16", "float32")


def picture(seed, rows, columns, channels, dtype):
    """Return a random image: noise, steps and flat parts; floats also beyond 0 to 1."""
    rng = np.random.default_rng(seed)
    shape = (rows, columns, channels)
    smooth = cv2.GaussianBlur(rng.random((rows, columns * channels)), (5, 5), 1).reshape(shape)
    values = np.where(rng.random(shape) < 0.6, smooth, rng.random(shape))
    values = np.where(rng.random((rows, columns, 1)) < 0.1, np.round(values), values)
    if dtype == "float32":
        return (values * 3 - 1).astype(np.float32)
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)


pictures = st.builds(
    picture,
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 13),
    columns=st.one_of(st.integers(1, 20), st.integers(60, 70)),
    channels=st.sampled_from([1, 2, 3, 5]),
    dtype=st.sampled_from(DTYPES),
)
gray_pictures = pictures.map(lambda image: np.ascontiguousarray(image[:, :, :1]))
borders = st.sampled_from(list(Border))


def spec_of(image):
    """Return what ``image`` is."""
    return ImageSpec(image.shape[0], image.shape[1], image.shape[2], str(image.dtype))


def pad(image, halo, border, fill=0.0):
    """Return ``image`` with ``halo`` pixels around it, as the engine hands it to a stencil."""
    rows = border_index(image.shape[0], halo, halo, Border(border))
    columns = border_index(image.shape[1], halo, halo, Border(border))
    padded = image[rows][:, columns]
    padded[rows == OUTSIDE] = fill
    padded[:, columns == OUTSIDE] = fill
    return np.ascontiguousarray(padded)


def numpy_pad(image, halo, border, fill=0.0):
    """Return the same from numpy's own idea of borders, for the references."""
    around = ((halo, halo), (halo, halo), (0, 0))
    if Border(border) is Border.CONSTANT:
        return np.pad(image, around, mode="constant", constant_values=fill)
    return np.pad(image, around, mode=NUMPY_MODES[Border(border)])


def run(pipeline, image, block_rows=None):
    """Return ``image`` after the steps, in blocks of ``block_rows`` rows (all at once by default)."""
    for step in parse(pipeline):
        image = run_step(step, image, block_rows or image.shape[0])
    return image


def run_step(step, image, block_rows):
    """Return ``image`` after one step and those that it asks for."""
    operation = step.operation
    if operation.gray_inside and image.shape[2] != 1:
        image = run_step(Step(find("grayscale"), {}), image, block_rows)
    after = operation.output(spec_of(image), step.params)
    for name, params in operation.prepare(step.params, spec_of(image)):
        image = run_step(Step(find(name), dict(params)), image, block_rows)
    operation.check(step.params, spec_of(image))
    works = {
        Pattern.POINT: _point,
        Pattern.STENCIL: _stencil,
        Pattern.REDUCE: _reduce,
        Pattern.GLOBAL: _global,
    }
    result = works[operation.pattern](step, image, block_rows, after)
    assert spec_of(result) == after
    assert result.flags.c_contiguous
    return result


def _blocks(image, block_rows, halo=0):
    height = image.shape[0] - 2 * halo
    for first in range(0, height, block_rows):
        yield first, np.ascontiguousarray(image[first : min(first + block_rows, height) + 2 * halo])


def _untouched(kernel, block, *arguments):
    """Call a kernel and see that it did not write into what it got."""
    before = block.copy()
    result = kernel(block, *arguments)
    assert before.tobytes() == block.tobytes()
    return result


def _point(step, image, block_rows, _after):
    kernel = step.operation.point
    return np.concatenate([_untouched(kernel, b, step.params) for _, b in _blocks(image, block_rows)])


def _stencil(step, image, block_rows, _after):
    halo = step.operation.halo(step.params, spec_of(image))
    padded = pad(image, halo, step.params["border"], step.params["fill"])
    kernel = step.operation.stencil
    parts = [_untouched(kernel, block, step.params) for _, block in _blocks(padded, block_rows, halo)]
    assert all(part.flags.c_contiguous for part in parts)
    return np.concatenate(parts)


def _reduce(step, image, block_rows, _after):
    reduction, params, spec = step.operation.reduction, step.params, spec_of(image)
    joins = {"sum": np.add, "min": np.minimum, "max": np.maximum}
    measured = None
    for one in reduction.rounds(spec, params):
        total = None
        for first, block in _blocks(image, block_rows):
            state = one.start(spec, params, measured)
            one.update(state, block, first, params, measured)
            total = state if total is None else joins[one.combine](total, state)
        measured = one.finish(total, spec, params, measured)
    applied = [
        _untouched(reduction.apply, block, first, params, measured)
        for first, block in _blocks(image, block_rows)
    ]
    return np.concatenate(applied)


def _global(step, image, _block_rows, after):
    return np.ascontiguousarray(WHOLE[step.operation.collective](step, image, after))


def _geometry(step, image, _after):
    return whole(step, image)


def _hysteresis(_step, image, after):
    edges = hysteresis(image[:, :, 0]).astype(after.dtype)
    return (edges * np.dtype(after.dtype).type(after.value_range))[:, :, np.newaxis]


def hysteresis(levels):
    """Return where weak pixels (1) reach strong ones (2) through weak ones, on the whole image."""
    _, labels = cv2.connectedComponents((levels > 0).astype(np.uint8), connectivity=8)
    strong = np.unique(labels[levels == 2])
    return np.isin(labels, strong[strong > 0])


def _frequency(step, image, after):
    """Return the filtered image, all at once and with SciPy's two-dimensional transform."""
    down = np.fft.fftfreq(image.shape[0], 1 / image.shape[0]).round().astype(np.int64)
    across = np.arange(image.shape[1] // 2 + 1)
    factors = gains(step.operation.name, down, across, step.params)[:, :, np.newaxis]
    spectrum = scipy.fft.rfft2(image.astype(np.float64), axes=(0, 1)) * factors
    filtered = scipy.fft.irfft2(spectrum, s=image.shape[:2], axes=(0, 1))
    if after.dtype == "float32":
        return filtered.astype(np.float32)
    return np.clip(np.rint(filtered), 0, after.value_range).astype(after.dtype)


def _label(step, image, _after):
    structure = np.ones((3, 3)) if step.params["connectivity"] == "8" else None
    return scipy.ndimage.label(image[:, :, 0], structure)[0].astype(np.uint32)[:, :, np.newaxis]


def _harris(step, image, _after):
    """Return the response or the marked picture; the response itself is held to OpenCV elsewhere."""
    response = image
    for name, params in inner_steps(step.params, spec_of(image)):
        response = run_step(Step(find(name), dict(params)), response, image.shape[0])
    if step.params["output"] == "response":
        return response
    marked = image.copy()
    corners = response[:, :, 0] > np.float64(step.params["threshold"]) * np.fmax.reduce(response, axis=None)
    marked[corners] = _mark(image)
    return marked


def _hough(step, image, _after):
    """Return the picture with OpenCV's lines drawn over it."""
    params = step.params
    edges = run(f"canny:low={params['low']},high={params['high']}", image)[:, :, 0] > 0
    theta = np.radians(params["theta_degrees"])
    lines = cv2.HoughLines(edges.astype(np.uint8), params["rho"], theta, params["threshold"])
    drawn = image.copy()
    for rho, theta in lines[: params["max_lines"]].reshape(-1, 2) if lines is not None else ():
        _draw(drawn, float(rho), float(theta))
    return drawn


def _draw(image, rho, theta):
    """Set the nearest pixel of each row to the mark, or that of each column where the line is flat."""
    rows, columns = image.shape[:2]
    across, down = np.cos(theta), np.sin(theta)
    if abs(across) > abs(down):
        places = [(row, np.floor((rho - row * down) / across + 0.5)) for row in range(rows)]
    else:
        places = [(np.floor((rho - column * across) / down + 0.5), column) for column in range(columns)]
    for row, column in places:
        if 0 <= row < rows and 0 <= column < columns:
            image[int(row), int(column)] = _mark(image)


def _mark(image):
    white = np.dtype(image.dtype).type(1.0 if image.dtype == np.float32 else np.iinfo(image.dtype).max)
    return [white] if image.shape[2] == 1 else [white, 0, 0]


WHOLE = {
    "geometry": _geometry,
    "harris": _harris,
    "hough": _hough,
    "hysteresis": _hysteresis,
    "frequency": _frequency,
    "label": _label,
}
"""The whole-image reference of each collective: (step, image, what comes out) → pixels."""
