"""Metadata that say how and where a picture lies, and what the steps of a pipeline make of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import hypot

from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.metadata import orientation, upright_exif
from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.placement import SAME, Placement
from mpi_stage.operations.spelling.grammar import Step, make_step
from mpi_stage.planning.plan import PlannedStep
from mpi_stage.planning.planned_steps import plan_steps

_MIRROR: tuple[str, dict[str, object]] = ("flip", {"axis": "horizontal"})
_TURN: tuple[str, dict[str, object]] = ("rotate90", {"turns": 1})
_HALF: tuple[str, dict[str, object]] = ("rotate90", {"turns": 2})
_BACK: tuple[str, dict[str, object]] = ("rotate90", {"turns": 3})
_UPSIDE: tuple[str, dict[str, object]] = ("flip", {"axis": "vertical"})
_UPRIGHT = {
    2: (_MIRROR,),
    3: (_HALF,),
    4: (_UPSIDE,),
    5: (_MIRROR, _TURN),
    6: (_BACK,),
    7: (_MIRROR, _BACK),
    8: (_TURN,),
}
"""What brings a picture upright, by its EXIF orientation (CIPA DC-008, *Exif 3.0*, tag 274)."""


@dataclass(frozen=True)
class Placed:
    """Metadata after a pipeline, and by name what was changed in them and why something was dropped."""

    metadata: Metadata
    adjusted: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)


def upright_steps(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps that bring a picture upright; none where it lies so already."""
    wanted = _UPRIGHT.get(orientation(metadata.exif), ())
    return tuple(make_step(name, params) for name, params in wanted)


def place_metadata(metadata: Metadata, steps: Sequence[Step], spec: ImageSpec) -> Placed:
    """Return the metadata of the result of ``steps``, the upright ones included, on an image of ``spec``.

    Raises what the steps raise that cannot take the image.
    """
    planned = list(plan_steps(steps, spec))
    moves = [step for step in planned if step.operation.placement is not None]
    placed = Placed(metadata)
    turned = orientation(metadata.exif)
    if turned != 1:
        cleared = replace(metadata, exif=upright_exif(metadata.exif))
        placed = Placed(cleared, {"orientation": f"{turned} applied, then cleared"})
    if moves:
        names = ", ".join(dict.fromkeys(step.operation.name for step in moves))
        placed = _moved(placed, _placement(moves), f"adjusted for {names}")
    return _keep_nodata(placed, planned, spec)


def _placement(moves: Iterable[PlannedStep]) -> Placement:
    """Return where the pixels of the result came from."""
    whole = SAME
    for step in moves:
        one = step.operation.placement
        if one is not None:
            whole = one(step.step.params, step.before, step.after).after(whole)
    return whole


def _moved(placed: Placed, placement: Placement, reason: str) -> Placed:
    """Adjust resolution and georeference."""
    metadata, adjusted, dropped = placed.metadata, dict(placed.adjusted), dict(placed.dropped)
    if metadata.geo is not None and placement != SAME:
        metadata = replace(metadata, geo=metadata.geo.moved(placement))
        adjusted["geo"] = reason
    if metadata.resolution is not None:
        resolution = _resolution(metadata.resolution, placement)
        if resolution is None:
            dropped["resolution"] = "it differs across and down, and the picture was rotated"
        elif resolution != metadata.resolution:
            adjusted["resolution"] = reason
        metadata = replace(metadata, resolution=resolution)
    return Placed(metadata, adjusted, dropped)


def _resolution(
    resolution: tuple[float, float, str], placement: Placement
) -> tuple[float, float, str] | None:
    """Return how many pixels of the result lie in a unit of length; None where that has no answer."""
    across, down, unit = resolution
    a, b, _, d, e, _ = placement
    if b == d == 0:
        return across / abs(a), down / abs(e), unit
    if a == e == 0:
        return down / abs(d), across / abs(b), unit
    return (across / hypot(a, d), down / hypot(b, e), unit) if across == down else None


def _keep_nodata(placed: Placed, planned: Sequence[PlannedStep], spec: ImageSpec) -> Placed:
    """Drop the nodata value where the type changes, for it then means another value or none."""
    after = planned[-1].after.dtype if planned else spec.dtype
    if placed.metadata.nodata is None or after == spec.dtype:
        return placed
    reason = f"it is a value of {spec.dtype}, and the result is {after}"
    metadata = replace(placed.metadata, nodata=None)
    return Placed(metadata, placed.adjusted, {**placed.dropped, "nodata": reason})
