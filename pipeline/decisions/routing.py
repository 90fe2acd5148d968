"""Which lane a job takes, and how many ranks its world gets: pure decisions from its plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.models import Lane

GANG_WORK_S = 4.0
"""Core-seconds from which a world pays: starting one and its actors takes about half a second warm
and up to three cold, and a small job keeps several cores from others for that long."""

GANG_PIXELS = 16_000_000
"""Pixels from which an image is worth dealing out: below, slabs are a few rows high and halo rows
weigh as much as the rows themselves."""

GANG_SPEEDUP = 1.5
"""How much sooner a world of all cores must be done. Below, the same cores finish more jobs side by
side, each on one rank."""

SERIAL_NS_PER_PIXEL = 30.0
"""What one rank spends on decoding and encoding an image that cannot be cut (PNG, JPEG, WebP): the
part of the work that no number of ranks shortens."""

RANK_WORK_S = 1.0
"""Core-seconds that make a rank worth adding: several times what its start costs."""


class Capacity(Protocol):
    """What routing needs of the settings."""

    @property
    def cores(self) -> int:
        """Cores that a world may use."""


@dataclass(frozen=True)
class Cores:
    """A capacity."""

    cores: int


def route(pixels: int, cost_ns_per_pixel: float, divisible: bool, settings: Capacity) -> Lane:
    """Return the lane of a job.

    ``cost_ns_per_pixel`` is the plan's cost on one core; ``divisible`` says whether ranks can read
    and write rows of their own.
    """
    large = pixels >= GANG_PIXELS and _work_s(pixels, cost_ns_per_pixel) >= GANG_WORK_S
    helps = _speedup(cost_ns_per_pixel, divisible, settings.cores) >= GANG_SPEEDUP
    return Lane.GANG if large and helps else Lane.SINGLE


def ranks_for(pixels: int, cost_ns_per_pixel: float, settings: Capacity) -> int:
    """Return the ranks of a gang job's world: from 2 to the number of cores, as the work warrants."""
    warranted = int(_work_s(pixels, cost_ns_per_pixel) / RANK_WORK_S)
    return max(1, min(settings.cores, max(2, warranted)))


def alone_s(plan: Mapping[str, Any]) -> float:
    """Return about how long one rank takes for a plan, given as JSON."""
    pixels = int(plan["input"]["rows"]) * int(plan["input"]["columns"])
    serial_ns = 0.0 if plan["divisible"] else SERIAL_NS_PER_PIXEL
    return float(plan["cost_core_s"]) + pixels * serial_ns * 1e-9


def _work_s(pixels: int, cost_ns_per_pixel: float) -> float:
    return pixels * cost_ns_per_pixel * 1e-9


def _speedup(cost_ns_per_pixel: float, divisible: bool, cores: int) -> float:
    """Return how much faster all cores are than one, by Amdahl's law."""
    serial_ns = 0.0 if divisible else SERIAL_NS_PER_PIXEL
    alone_ns = serial_ns + cost_ns_per_pixel
    together_ns = serial_ns + cost_ns_per_pixel / cores
    return alone_ns / together_ns if together_ns else 1.0
