"""What is said beside a preview, and of a plan: pure functions of what the stage tells."""

from collections.abc import Sequence
from typing import Any

from pipeline.models import Lane
from pipeline.previews.estimate import Estimate
from ui import words

_CENT = 0.01
_LITTLE = 1.05


def reduced_note(told: dict[str, Any]) -> str:
    """Say how much the whole picture is reduced, and what follows for filters."""
    reduced = told["reduced"]
    if reduced.get("fault"):
        return f"· {reduced['fault']}"
    factor = float(reduced["factor"])
    size = f"· {told['image']['columns']:,} × {told['image']['rows']:,} px"
    if factor < _LITTLE:
        return size
    return f"{size}, shown {factor:.1f} times smaller: filters reach further here than in the result"


def crop_note(told: dict[str, Any]) -> str:
    """Say where the crop lies, and whether the result will have these very pixels."""
    crop = told["crop"]
    window = crop["window"]
    where = (
        f"· {window['columns']} × {window['rows']} px from column {window['column']:,}, row {window['row']:,}"
    )
    if crop.get("fault"):
        return f"{where} · {crop['fault']}"
    if "exact" not in crop:
        return where
    return f"{where} · {_how_exact(crop)}"


def _how_exact(crop: dict[str, Any]) -> str:
    if crop["exact"]:
        return "exactly as in the result"
    reasons = []
    if crop["whole"]:
        names = _listed(crop["whole"])
        reasons.append(f"{names} will look at the whole picture, and saw this crop and the reduced copy")
    if crop["wraps"]:
        reasons.append(f"the border of {_listed(crop['wraps'])} wraps around to the other edge")
    return f"an approximation: {'; '.join(reasons)}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def estimate_line(made: Estimate, core_hour: float, currency: str) -> str:
    """Say in a line what a job takes: time, work, ranks, memory, and its price where one is known."""
    plan = made.plan
    where = "one rank" if made.lane is Lane.SINGLE else f"a world of {words.count(made.ranks, 'rank')}"
    parts = [
        f"{'' if made.seconds < 1 else 'about '}{words.duration(made.seconds)} on {where}",
        f"{words.size(plan['peak_bytes_per_rank'])} of memory each at most"
        if made.ranks > 1
        else f"{words.size(plan['peak_bytes_per_rank'])} of memory at most",
        f"{pixels(plan['input']):,.1f} megapixels, {made.core_s:.2g} core seconds",
    ]
    if core_hour > 0:
        price = made.price(core_hour)
        parts.append(f"under {_CENT} {currency}" if price < _CENT else f"{price:,.2f} {currency}")
    return " · ".join(parts)


def pixels(image: dict[str, Any]) -> float:
    """Return the megapixels of an image."""
    return float(image["rows"] * image["columns"]) / 1e6


def pass_rows(plan: dict[str, Any]) -> list[dict[str, str]]:
    """Return a row for each pass of a plan: what it does, its halo and its work."""
    rows = []
    for number, one in enumerate(plan["passes"], 1):
        steps = " → ".join(one["steps"]) or "read"
        if one["ends_with"]:
            steps += f", then {one['ends_with']} over the whole picture"
        work = f"{one['cost_core_s']:.2g} core s"
        rows.append(
            {"Pass": str(number), "Steps": steps, "Halo": words.count(one["halo_rows"], "row"), "Work": work}
        )
    return rows


def result_line(plan: dict[str, Any]) -> str:
    """Say what the result will be."""
    image = plan["output"]
    channels = words.count(image["channels"], "channel")
    return f"Result: {image['columns']:,} × {image['rows']:,} px, {channels} of {image['dtype']}"
