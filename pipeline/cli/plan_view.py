"""A plan as text for people."""

from typing import Any

from pipeline.cli.sizes import show_size


def plan_text(plan: dict[str, Any]) -> str:
    """Return the lines that say what a plan (the stage's JSON) will do and what it takes."""
    facts = {
        "pipeline": plan["pipeline"],
        "input": _image(plan["input"]) + _chosen(plan),
        "output": _image(plan["output"]),
        "ranks": f"{plan['ranks']}, blocks of {plan['block_rows']} rows",
        "memory": f"{show_size(plan['peak_bytes_per_rank'])} at most per rank, slabs in {plan['slabs']}",
        "moves": _moves(plan["forecast"]),
        "time": f"about {plan['forecast']['seconds']:.3g} s, {plan['cost_core_s']:.3g} core seconds in steps",
        "rows": "each rank reads and writes its own"
        if plan["divisible"]
        else "dealt out or collected by rank 0",
        "hash": plan["hash"],
    }
    lines = [f"{name:10} {value}" for name, value in facts.items()]
    for number, one in enumerate(plan["passes"], 1):
        steps = " → ".join(one["steps"]) or "read"
        ending = f", then {one['ends_with']} over all ranks" if one["ends_with"] else ""
        lines.append(
            f"pass {number:<5} {steps}{ending}; halo {one['halo_rows']} rows; {one['cost_core_s']:.3g} s"
        )
    return "\n".join([*lines, *_pages(plan)])


def _moves(forecast: dict[str, Any]) -> str:
    """Say what is read, written and sent."""
    read, written, sent = (show_size(forecast[f"{how}_bytes"]) for how in ("read", "written", "sent"))
    return f"reads {read}, writes {written}, sends {sent} between ranks"


def _chosen(plan: dict[str, Any]) -> str:
    """Say which image of the file is meant, where there are several."""
    parts = [f"page {plan['page']}"] if plan["page_count"] > 1 else []
    parts += [f"level {plan['level']}"] if any(len(levels) > 1 for levels in plan["pages"]) else []
    return f" ({', '.join(parts)})" if parts else ""


def _pages(plan: dict[str, Any]) -> list[str]:
    """Return the lines that list the images of a file, none where it holds one."""
    pages = plan["pages"]
    if plan["page_count"] == 1 and len(pages[0]) == 1:
        return []
    lines = []
    for number, levels in enumerate(pages):
        sizes = ", ".join(f"{columns} × {rows}" for columns, rows in levels)
        lines.append(f"page {number:<5} {'levels ' if len(levels) > 1 else ''}{sizes}")
    if plan["page_count"] > len(pages):
        lines.append(f"{'':10} and {plan['page_count'] - len(pages)} more")
    return lines


def _image(image: dict[str, Any]) -> str:
    return f"{image['columns']} × {image['rows']} px, {image['channels']} × {image['dtype']}"
