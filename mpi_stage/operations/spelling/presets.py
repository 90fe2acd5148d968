"""Presets: pipelines with a name, usable wherever a pipeline is (``@edges``, ``{"preset": "edges"}``)."""

from collections.abc import Iterable
from dataclasses import dataclass

from mpi_stage.errors import UnknownOperationError
from mpi_stage.operations.spelling.suggestions import did_you_mean, shown

MARK = "@"
"""What a preset's name begins with in the text spelling."""


@dataclass(frozen=True)
class Preset:
    """A pipeline with a name. ``text`` is its text spelling and names operations only."""

    name: str
    label: str
    help: str
    text: str


PRESETS: tuple[Preset, ...] = (
    Preset(
        "edges",
        "Edges",
        "Thin, clean outlines of what is in the picture.",
        "canny:low=50,high=150,sigma=1.4",
    ),
    Preset(
        "sketch",
        "Pencil sketch",
        "Dark lines on white paper.",
        "gaussian:sigma=1 sobel invert stretch:low=1,high=99",
    ),
    Preset(
        "document",
        "Scanned document",
        "Black ink on white paper, even where the light was uneven.",
        "adaptive_gaussian:size=31,offset=10 median:size=3",
    ),
    Preset(
        "photo",
        "Livelier photo",
        "True white, stretched tones, a little more colour and sharpness.",
        "white_balance stretch:low=0.5,high=99.5 saturation:factor=1.2 unsharp",
    ),
    Preset(
        "clean",
        "Remove speckle",
        "Removes single bad pixels and fine grain; edges stay.",
        "median:size=3 bilateral",
    ),
    Preset(
        "segments",
        "Light objects",
        "White where the picture is lighter than its background, without specks and holes.",
        "gaussian:sigma=2 otsu opening:size=5 closing:size=5",
    ),
    Preset(
        "count",
        "Count objects",
        "Numbers the light objects one after the other; their count is in the report.",
        "gaussian:sigma=2 otsu opening:size=5 label",
    ),
)

_BY_NAME = {preset.name: preset for preset in PRESETS}


def find_preset(name: str) -> Preset:
    """Return the preset called ``name``. Raises UnknownOperationError with the closest names."""
    if name not in _BY_NAME:
        known = ", ".join(_BY_NAME)
        raise UnknownOperationError(
            f"there is no preset {shown(name)}{did_you_mean(name, _BY_NAME)}; there are {known}"
        )
    return _BY_NAME[name]


def expand_words(words: Iterable[str]) -> list[str]:
    """Return the words of a pipeline's text with those of its presets in their places."""
    expanded: list[str] = []
    for word in words:
        expanded += find_preset(word[1:]).text.split() if word.startswith(MARK) else [word]
    return expanded
