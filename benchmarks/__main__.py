"""Measure what this machine can, print each row as it is measured, keep all in ``benchmarks/results/``."""

import argparse
import compileall
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.book import Book
from benchmarks.compressed import compressed_tiles
from benchmarks.files import Limits, against_peers, chain, two_ranks
from benchmarks.idle import idle
from benchmarks.machine import describe
from benchmarks.promises import flat_memory, predicted_memory, traffic
from benchmarks.service import cold_and_warm, throughput
from benchmarks.start_up import start_up

HERE = Path(__file__).parent
DEFAULT_SIZE_PX = 16384
DEFAULT_PICTURES = 1000
DEFAULT_RUNS = 5
DEFAULT_BUDGET_S = 20.0
EVERYTHING = "P1,P2,P3,P4,P5,P6,P7,P8,P9,P11,start-up"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default=EVERYTHING, help="targets to measure, with commas between")
    parser.add_argument("--operations", default="", help="of P1 and P2 only these, with commas between")
    parser.add_argument("--size", type=int, default=DEFAULT_SIZE_PX, help="edge of the large picture, pixels")
    parser.add_argument("--pictures", type=int, default=DEFAULT_PICTURES, help="pictures of 1 MP for P8")
    parser.add_argument("--runs", type=int, default=DEFAULT_RUNS, help="runs that count, per side, at most")
    parser.add_argument(
        "--budget",
        type=float,
        default=DEFAULT_BUDGET_S,
        help="seconds after which a row gets no more runs than three per side",
    )
    parser.add_argument("--folder", type=Path, default=HERE / "cache", help="where pictures are kept")
    return parser.parse_args()


def results_path(slug: str, options: argparse.Namespace) -> Path:
    """Return where results go; a run with other than the usual settings says so in its name."""
    usual = (EVERYTHING, "", DEFAULT_SIZE_PX, DEFAULT_PICTURES, DEFAULT_RUNS, DEFAULT_BUDGET_S)
    these = (
        options.only,
        options.operations,
        options.size,
        options.pictures,
        options.runs,
        options.budget,
    )
    return HERE / "results" / f"{slug}{'' if these == usual else '-quick'}.md"


def measures(options: argparse.Namespace, book: Book) -> dict[str, Callable[[], None]]:
    """Return what can be measured, by the number of its target."""
    folder: Path = options.folder
    limits = Limits(
        options.size, options.runs, options.budget, tuple(filter(None, options.operations.split(",")))
    )
    return {
        "P1": lambda: against_peers(folder, limits, book),
        "P2": lambda: compressed_tiles(folder, limits, book),
        "P3": lambda: chain(folder, limits, book),
        "P4": lambda: flat_memory(folder, book),
        "P5": lambda: predicted_memory(folder, limits, book),
        "P6": lambda: two_ranks(folder, limits, book),
        "P7": lambda: traffic(folder, book),
        "P8": lambda: throughput(folder, options.pictures, options.runs, book),
        "P9": lambda: cold_and_warm(folder, options.runs, book),
        "P11": lambda: idle(folder, book),
        "start-up": lambda: start_up(folder, options.runs, book),
    }


def compile_modules() -> None:
    """Put our byte code on the disk, where an installed package has it; peers have theirs from pip."""
    for package in ("mpi_stage", "gpu_kernels", "pipeline"):
        compileall.compile_dir(HERE.parent / package, quiet=1)


def main() -> None:
    """Measure, print, record."""
    options = arguments()
    compile_modules()
    machine = describe()
    book = Book(machine, results_path(machine.slug, options))
    known = measures(options, book)
    chosen = options.only.split(",")
    unknown = [key for key in chosen if key not in known]
    if unknown:
        sys.exit(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    print(f"{machine}\n", flush=True)
    for key in chosen:
        known[key]()
    print(f"written to {book.path}")
    if book.failures:
        sys.exit(f"could not be measured: {'; '.join(book.failures)}")


if __name__ == "__main__":
    main()
