"""Write docs/reliability.md from the runs on file: ``python -m docs.generate.reliability``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from docs.generate.reliability_parts import PARTS, Figure, Number, Part, largest, total
from docs.generate.reliability_results import FOLDER, Run, load

PAGE = FOLDER.with_suffix(".md")

HEAD = """# Reliability

Made by `python -m docs.generate.reliability` from the result files in `docs/reliability`; do
not edit. Long tests are run in slices, each with a seed of its own and a file of its own; the figures
are sums over the slices, or the worst of them where a figure is a limit.

| test | shown, and needed | |
|---|---|---|
"""

LONGEST = "longest"
"""Tables whose titles begin so have the largest of the slices, others their sums."""

SHOWN = 3
"""Figures of a part in the overview; all stand in its section."""

RUNS_HEAD = "| seed | date, UTC | seconds |\n|---|---|---|\n"


def document(runs: Sequence[Run]) -> str:
    """Return the page's text."""
    by_part = {part.name: [run for run in runs if run.part == part.name] for part in PARTS}
    rows = "".join(_overview(part, by_part[part.name]) for part in PARTS)
    sections = "".join(_section(part, by_part[part.name]) for part in PARTS if by_part[part.name])
    return f"{HEAD}{rows}{sections}"


def values_of(part: Part, runs: Sequence[Run]) -> list[tuple[Figure, Number]]:
    """Return each of a part's figures over all its runs. Raises KeyError where a run lacks one."""
    return [(figure, figure.joined([run.figures[figure.name] for run in runs])) for figure in part.figures]


def holds(part: Part, runs: Sequence[Run]) -> bool:
    """Whether a part has shown what it must."""
    return bool(runs) and all(figure.holds(value) for figure, value in values_of(part, runs))


def _overview(part: Part, runs: Sequence[Run]) -> str:
    if not runs:
        return f"| {part.title} | not run yet | |\n"
    bounded = [(one, value) for one, value in values_of(part, runs) if one.bound != "–"]
    shown = ", ".join(f"{_text(value)} {one.label} ({one.bound})" for one, value in bounded[:SHOWN])
    link = f"[{part.title}](#{_anchor(part.title)})"
    return f"| {link} | {shown} | {'held' if holds(part, runs) else '**not held**'} |\n"


def _section(part: Part, runs: Sequence[Run]) -> str:
    figures = "".join(
        f"| {one.label} | {_text(value)} | {one.bound} |\n" for one, value in values_of(part, runs)
    )
    plots = "".join(f"\n![{part.title}](reliability/{name})\n" for name in part.plots)
    return (
        f"\n## {part.title}\n\n{part.how} Run by `{part.command}`.\n\n"
        f"| figure | value | needed |\n|---|---|---|\n{figures}{plots}{_details(runs)}{_notes(runs)}"
        f"\n{RUNS_HEAD}{''.join(map(_run_row, runs))}\n{_made_on(runs)}\n"
    )


def _details(runs: Sequence[Run]) -> str:
    tables: dict[str, dict[str, Number]] = {}
    for run in runs:
        for title, counts in run.details.items():
            table, joined = tables.setdefault(title, {}), largest if title.startswith(LONGEST) else total
            for kind, count in counts.items():
                table[kind] = joined([table.get(kind, 0), count])
    return "".join(_table(title, counts) for title, counts in sorted(tables.items()) if counts)


def _table(title: str, counts: Mapping[str, Number]) -> str:
    rows = "".join(f"| {kind} | {_text(count)} |\n" for kind, count in sorted(counts.items()))
    return f"\n| {title} | |\n|---|---|\n{rows}"


def _notes(runs: Sequence[Run]) -> str:
    notes = dict.fromkeys(note for run in runs for note in run.notes)
    return "".join(f"\n{note}\n" for note in notes)


def _run_row(run: Run) -> str:
    return f"| {run.seed} | {run.date} | {run.seconds:,.0f} |\n"


def _made_on(runs: Sequence[Run]) -> str:
    newest = max(runs, key=lambda run: run.date)
    software = ", ".join(f"{name} {number}" for name, number in newest.versions.items())
    return f"On {newest.machine}; {software}."


def _text(value: Number) -> str:
    return f"{value:,}" if isinstance(value, int) or value.is_integer() else f"{value:,.2f}"


def _anchor(title: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def write(page: Path = PAGE, folder: Path = FOLDER) -> None:
    """Write the page from the runs on file."""
    page.write_text(document(load(folder)), encoding="utf-8")


if __name__ == "__main__":
    write()
