"""Two versions of a picture side by side, for the morphological operations that compare two.

``tophat`` compares the picture with its opening, whose two halves are two stencils, each with a border
of its own. The picture travels with them: as the channels before those that are worked on.
"""

import cv2
import numpy as np

from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import crop
from mpi_stage.operations.arithmetic.flat_extrema import Pick, extremum
from mpi_stage.operations.arithmetic.morphology_parameters import PARAMETERS, at_once, cost, halo
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import integer

_PAIR_WITH_ALPHA = ALPHA_CHANNELS + COLOUR_CHANNELS
"""An odd number of channels, unlike those of all other pairs: the second has no alpha."""

PICKS: dict[str, Pick] = {"erode": np.minimum, "dilate": np.maximum}


def work(block: Pixels, params: Params, name: str) -> Pixels:
    """Return the block eroded or dilated, or just without its halo for ``keep``."""
    times, size = at_once(params), integer(params, "size")
    if name == "keep":
        return crop(block, times * (size // 2))
    return extremum(block, str(params["shape"]), size, times, PICKS[name])


def halves(pair: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Return the first picture, its alpha channel (or no channel), and the second picture."""
    channels = pair.shape[2]
    start = ALPHA_CHANNELS if channels == _PAIR_WITH_ALPHA else channels // 2
    colours = COLOUR_CHANNELS if channels == _PAIR_WITH_ALPHA else start
    return _taken(pair, 0, colours), _taken(pair, colours, start), _taken(pair, start, channels)


def _taken(block: Pixels, start: int, end: int) -> Pixels:
    """Return some of the channels, contiguous."""
    taken = np.empty((*block.shape[:2], end - start), block.dtype)
    if taken.size:
        pairs = [number for channel in range(end - start) for number in (start + channel, channel)]
        cv2.mixChannels([block], [taken], pairs)
    return taken


def side_by_side(*parts: Pixels) -> Pixels:
    """Return the channels of all ``parts``, in order; OpenCV moves them several times faster than NumPy."""
    parts = tuple(part for part in parts if part.size)
    joined = np.empty((*parts[0].shape[:2], sum(part.shape[2] for part in parts)), parts[0].dtype)
    cv2.mixChannels(list(parts), [joined], [channel for channel in range(joined.shape[2]) for _ in range(2)])
    return joined


def _fork(block: Pixels, params: Params) -> Pixels:
    """Return what becomes of a picture in two ways, side by side."""
    has_alpha = block.shape[2] == ALPHA_CHANNELS
    colours = _taken(block, 0, COLOUR_CHANNELS) if has_alpha else block
    alpha = _taken(block, COLOUR_CHANNELS if has_alpha else block.shape[2], block.shape[2])
    return _worked(colours, alpha, colours, params)


def _both(block: Pixels, params: Params) -> Pixels:
    """Return what becomes of a pair, each in its own way."""
    return _worked(*halves(block), params)


def _worked(first: Pixels, alpha: Pixels, second: Pixels, params: Params) -> Pixels:
    return side_by_side(
        work(first, params, str(params["first"])),
        work(alpha, params, "keep"),
        work(second, params, str(params["second"])),
    )


def _fork_output(spec: ImageSpec, _params: Params) -> ImageSpec:
    return spec.with_channels(_PAIR_WITH_ALPHA if spec.has_alpha else 2 * spec.channels)


def _operation(name: str, label: str, help_text: str) -> Operation:
    fork = name == "morphology_fork"
    ways = ("keep", "erode", "dilate")
    return Operation(
        name=name,
        label=label,
        help=help_text,
        family="morphology",
        pattern=Pattern.STENCIL,
        reference="cv2.erode and cv2.dilate",
        parameters=(
            *PARAMETERS,
            Parameter("first", Kind.CHOICE, "What becomes of the first.", default="keep", choices=ways),
            Parameter("second", Kind.CHOICE, "What becomes of the second.", default="erode", choices=ways),
        ),
        border=Border.NEAREST,
        sees_alpha=True,
        cost=lambda params, spec: 2 * cost(params, spec),
        output=_fork_output if fork else lambda spec, _params: spec,
        halo=halo,
        stencil=_fork if fork else _both,
    )


MORPHOLOGY_FORK = _operation(
    "morphology_fork", "Fork", "The picture in two versions, side by side: the first step of a comparison."
)
MORPHOLOGY_BOTH = _operation("morphology_both", "Both", "A further step on both versions of the picture.")
