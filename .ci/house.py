"""Holds the house rules that no linter knows: sizes of files and functions, and the vocabulary.

``python .ci/house.py`` prints what is wrong and exits with 1, else what it has measured.
"""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
MEDIAN_FILE_LINES = 120
MOST_FILES_LINES = 300
MOST_FUNCTIONS_LINES = 25
SYNONYMS = {
    "halo": r"ghost_?(rows|cells|zone)|apron|overlap_rows|margin_rows",
    "rank": r"mpi_?process|mpi_?worker",
    "slab": r"row_?chunk|stripe_?rows",
    "pipeline": r"workflow|filter_?chain",
    "dead letter": r"dlq|poison_?queue|graveyard",
    "fence": r"fencing_?token",
    "job": r"task_?id|work_?item",
    "store": r"blob_?store|object_?storage",
    "gray": r"grey",
}
"""Words of the vocabulary in ARCHITECTURE.md, with what is not to be said in their place."""


def sources() -> list[Path]:
    """Return the Python and JavaScript files of the program itself: tracked, or about to be, but no test."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "*.js"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    ours = (name for name in names if not name.startswith("tests/") and not name.endswith(".min.js"))
    return [ROOT / name for name in ours if (ROOT / name).exists()]


def pythons(paths: Sequence[Path]) -> list[Path]:
    """Return those of some files that are Python."""
    return [path for path in paths if path.suffix == ".py"]


def ninth(numbers: Sequence[int]) -> int:
    """Return the 90th percentile: nine tenths are no larger."""
    return sorted(numbers)[int(len(numbers) * 0.9)]


def functions(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that each function takes, its decorators left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.end_lineno - node.lineno + 1


def sizes(paths: Sequence[Path]) -> tuple[list[str], str]:
    """Return what is too large, and a line that says how large things are."""
    lines = [len(path.read_text().splitlines()) for path in paths]
    taken = [size for path in pythons(paths) for size in functions(ast.parse(path.read_text()))]
    found = [
        ("the median file", statistics.median(lines), MEDIAN_FILE_LINES),
        ("the 90th percentile of files", ninth(lines), MOST_FILES_LINES),
        ("the 90th percentile of functions", ninth(taken), MOST_FUNCTIONS_LINES),
    ]
    wrong = [
        f"{what} has {has:g} lines, more than {most}: divide the largest"
        for what, has, most in found
        if has > most
    ]
    return wrong, f"{len(paths)} files; " + ", ".join(f"{what} has {has:g} lines" for what, has, _ in found)


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names that a file defines, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def strays(path: Path) -> Iterator[str]:
    """Yield the names of a file that say something else than the vocabulary does."""
    for line, name in names(ast.parse(path.read_text())):
        for word, synonyms in SYNONYMS.items():
            if re.search(rf"(?i)(?<![a-z])({synonyms})", name):
                yield f"{path.relative_to(ROOT)}:{line}: `{name}`: the vocabulary says {word}"


def main() -> int:
    """Check, print, and return the exit code."""
    paths = sources()
    wrong, measured = sizes(paths)
    wrong += [stray for path in pythons(paths) for stray in strays(path)]
    sys.stdout.write("\n".join(wrong or [measured]) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
