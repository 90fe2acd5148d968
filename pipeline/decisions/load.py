"""How much work a job is: exactly by its plan, else estimated from its manifest."""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from mpi_stage.errors import StageError
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.planned_steps import plan_steps
from pipeline.decisions.declared import by_bytes
from pipeline.decisions.routing import SERIAL_NS_PER_PIXEL, alone_s
from pipeline.models import Load, Manifest

PIXELS_PER_BYTE = {
    ".avif": 8.0,
    ".bmp": 1 / 3,
    ".jp2": 2.0,
    ".jpeg": 4.0,
    ".jpg": 4.0,
    ".png": 0.6,
    ".webp": 6.0,
}
"""Of photographs, roughly. What all jobs of a queue have in common in this is in the measured rate."""

RAW_PIXELS_PER_BYTE = 1 / 3
"""Of all other files: colour, eight bits, not compressed."""

NOT_COUNTED = 1
"""The pixels of a manifest that says nothing of them."""

_TYPICAL_SIDE = 4096
_KNOWN_PIPELINES = 64
_CHANNELS_TO_TRY = (3, 1)


def planned(plan: Mapping[str, Any]) -> Load:
    """Return the work of a plan, given as JSON."""
    return Load(pixels=int(plan["input"]["rows"]) * int(plan["input"]["columns"]), core_s=alone_s(plan))


def estimated(manifest: Manifest) -> Load:
    """Return about how much a job is, by the pixels that its input declares; nothing is read.

    Where it declares none, by its size and suffix. The rate at which work gets done is measured in
    estimates too, so that an error common to all jobs cancels out.
    """
    pixels = manifest.pixels
    if pixels in {NOT_COUNTED, by_bytes(manifest.input.size_bytes)}:
        suffix = PurePath(manifest.input_name).suffix.lower()
        pixels = round(manifest.input.size_bytes * PIXELS_PER_BYTE.get(suffix, RAW_PIXELS_PER_BYTE))
    cost_ns = _cost_ns(json.dumps(manifest.steps)) + SERIAL_NS_PER_PIXEL
    return Load(pixels=pixels, core_s=pixels * cost_ns * 1e-9)


@lru_cache(_KNOWN_PIPELINES)
def _cost_ns(steps_json: str) -> float:
    """Return the nanoseconds per pixel of a pipeline on a typical image that it takes; 0 if there is none."""
    steps = parse(json.loads(steps_json))
    for channels in _CHANNELS_TO_TRY:
        spec = ImageSpec(_TYPICAL_SIDE, _TYPICAL_SIDE, channels, "uint8")
        with suppress(StageError):
            return sum(one.cost_s for one in plan_steps(steps, spec)) * 1e9 / spec.pixels
    return 0.0
