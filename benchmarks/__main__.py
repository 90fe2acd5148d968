"""Measure what this machine can, print it, and keep it in ``benchmarks/results/``.

``python -m benchmarks [--only P1,P6] [--size PIXELS] [--runs N] [--pictures N] [--folder DIR]``
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.files import against_vips, two_ranks
from benchmarks.machine import Machine, describe
from benchmarks.service import cold_and_warm, throughput
from benchmarks.table import Table

HERE = Path(__file__).parent
DEFAULT_SIZE_PX = 16384
DEFAULT_PICTURES = 1000
DEFAULT_RUNS = 5


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="P1,P6,P8,P9", help="targets to measure, with commas between")
    parser.add_argument("--size", type=int, default=DEFAULT_SIZE_PX, help="edge of the large picture, pixels")
    parser.add_argument("--pictures", type=int, default=DEFAULT_PICTURES, help="pictures of 1 MP for P8")
    parser.add_argument("--runs", type=int, default=DEFAULT_RUNS, help="runs that count, per side")
    parser.add_argument("--folder", type=Path, default=HERE / "cache", help="where pictures are kept")
    return parser.parse_args()


def say(text: str) -> None:
    """Tell what is being measured, apart from the results."""
    print(f"… {text}", file=sys.stderr, flush=True)


def record(machine: Machine, tables: list[Table], options: argparse.Namespace) -> Path:
    """Write the results as Markdown and JSON; a run with other than the usual sizes says so in its name."""
    usual = (DEFAULT_SIZE_PX, DEFAULT_PICTURES, "P1,P6,P8,P9")
    suffix = "" if (options.size, options.pictures, options.only) == usual else "-quick"
    path = HERE / "results" / f"{machine.slug}{suffix}.md"
    path.parent.mkdir(exist_ok=True)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    text = "\n".join(table.markdown() for table in tables)
    path.write_text(f"# Measured {when}\n\n{machine}\n\n{text}")
    data = {"at": when, "machine": asdict(machine), "tables": [asdict(table) for table in tables]}
    path.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n")
    return path


def measures(options: argparse.Namespace) -> dict[str, Callable[[], Table]]:
    """Return what can be measured, by the number of its target."""
    folder: Path = options.folder
    return {
        "P1": lambda: against_vips(folder, options.size, options.runs, say),
        "P6": lambda: two_ranks(folder, options.size, options.runs, say),
        "P8": lambda: throughput(folder, options.pictures, options.runs, say),
        "P9": lambda: cold_and_warm(folder, options.runs, say),
    }


def main() -> None:
    """Measure, print, record."""
    options = arguments()
    known = measures(options)
    chosen = options.only.split(",")
    unknown = [key for key in chosen if key not in known]
    if unknown:
        sys.exit(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    machine = describe()
    print(f"{machine}\n", flush=True)
    tables = []
    for key in chosen:
        tables.append(known[key]())
        print(tables[-1].markdown(), flush=True)
    print(f"written to {record(machine, tables, options)}")


if __name__ == "__main__":
    main()
