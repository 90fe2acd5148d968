"""One example of each operation: a photograph, and parameters by which the effect is seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mpi_stage.operations.declaring.declaration import Operation, Value
from mpi_stage.operations.spelling.grammar import Step, make_step


@dataclass(frozen=True)
class Example:
    """A use of an operation.

    Attributes
    ----------
    photograph: what it begins with, by its name among the photographs.
    params: as a pipeline would state them; the rest are defaults.
    before: names of operations that must come first, with their defaults.
    note: what the picture alone does not tell.

    """

    photograph: str
    params: Mapping[str, Value] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    note: str = ""


USUAL = Example("astronaut")
"""For an operation that states none: a picture on which most are seen at once."""

EXAMPLES: Mapping[str, Example] = {
    "grayscale": Example("coffee"),
    "rgb": Example("coins", note="looks as before, but has three channels"),
    "saturation": Example("cat", {"factor": 2.5}),
    "hue": Example("astronaut", {"degrees": 120.0}),
    "brightness": Example("astronaut", {"offset": 0.25}),
    "contrast": Example("cat", {"factor": 2.0}),
    "gamma": Example("astronaut", {"gamma": 2.2}),
    "levels": Example("coffee", {"in_low": 0.1, "in_high": 0.7, "gamma": 1.2}),
    "matrix": Example("astronaut", {"values": (1.0, 0.2, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.5)}),
    "sepia": Example("cat"),
    "channels": Example("coffee", {"select": (2.0, 1.0, 0.0)}),
    "posterize": Example("astronaut", {"bits": 2}),
    "solarize": Example("astronaut", {"threshold": 128.0}),
    "box": Example("cat", {"size": 9}),
    "gaussian": Example("astronaut", {"sigma": 2.0}),
    "median": Example("speckled", {"size": 3}),
    "bilateral": Example("noisy", {"diameter": 9, "sigma_color": 150.0}),
    "denoise": Example("noisy", {"strength": 15.0}),
    "sharpen": Example("cat", {"amount": 1.0}),
    "unsharp": Example("coffee", {"sigma": 2.0, "amount": 1.5}),
    "emboss": Example("coins"),
    "convolve": Example(
        "cat", {"kernel": (-1.0, -1.0, -1.0, -1.0, 8.0, -1.0, -1.0, -1.0, -1.0), "offset": 128.0}
    ),
    "scharr": Example("rocket"),
    "laplacian": Example("cat", {"size": 3}),
    "canny": Example("astronaut", {"low": 50.0, "high": 150.0}),
    "harris": Example("rocket", {"threshold": 0.05}),
    "hough": Example("rocket", {"rho": 2.0, "theta_degrees": 2.0, "threshold": 60, "max_lines": 16}),
    "threshold": Example("coins", {"value": 110.0}),
    "otsu": Example("coins"),
    "gaussian_otsu": Example("noisy_coins", {"size": 7}),
    "adaptive_mean": Example("coins", {"size": 51}),
    "adaptive_gaussian": Example("coins", {"size": 51}),
    "equalize": Example("dull"),
    "clahe": Example("dull", {"clip": 4.0}),
    "stretch": Example("dull", {"low": 2.0, "high": 98.0}),
    "normalize": Example("dull"),
    "white_balance": Example("yellowed"),
    "lowpass": Example("astronaut", {"cutoff": 15.0}),
    "highpass": Example("astronaut", {"cutoff": 15.0}),
    "bandpass": Example("astronaut", {"low": 5.0, "high": 40.0}),
    "erode": Example("astronaut", {"size": 5}),
    "dilate": Example("astronaut", {"size": 5}),
    "opening": Example("coins", {"size": 9}),
    "closing": Example("coins", {"size": 9}),
    "tophat": Example("coins", {"size": 41}),
    "blackhat": Example("cat", {"size": 15}),
    "label": Example("coins", before=("otsu",), note="each component's number shown as a colour"),
    "crop": Example("cat", {"x": 60, "y": 20, "width": 140, "height": 100}),
    "pad": Example("coffee", {"top": 30, "bottom": 30, "left": 45, "right": 45}),
    "flip": Example("astronaut", {"axis": "horizontal"}),
    "rotate90": Example("coffee", {"turns": 1}),
    "rotate": Example("astronaut", {"degrees": 30.0, "expand": True}),
    "resize": Example("cat", {"width": 120, "interpolation": "area"}),
}
"""By the operation's name, where the usual one shows too little."""


def example_of(operation: Operation) -> Example:
    """Return the example of an operation."""
    return EXAMPLES.get(operation.name, USUAL)


def short_steps(operation: Operation) -> list[Step]:
    """Return the example's steps with just the parameters that it states."""
    example = example_of(operation)
    before = [Step(make_step(name, {}).operation, {}) for name in example.before]
    return [*before, Step(operation, dict(example.params))]
