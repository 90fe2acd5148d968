"""The results of a run: every row is printed and on disk as soon as it is measured."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.table import Table, line

Row = tuple[list[str], object]
"""The cells of a row, and the same figures as numbers."""


class Book:
    """The tables of one run, kept as Markdown and JSON at ``path``, so that a run that dies loses one row."""

    def __init__(self, machine: Machine, path: Path) -> None:
        """Begin with no table; the file is written with the first row."""
        self.path = path
        self.failures: list[str] = []
        self._machine = machine
        self._when = datetime.now(UTC).isoformat(timespec="seconds")
        self._tables: list[Table] = []

    def begin(self, table: Table) -> None:
        """Open a table; the rows that follow are its."""
        self._tables.append(table)
        print(table.head(), end="", flush=True)

    def measure(self, name: str, work: Callable[[], Row]) -> None:
        """Measure one row; a side that fails or hangs costs its row, not the run."""
        print(f"… {self._tables[-1].key} {name}", file=sys.stderr, flush=True)
        try:
            cells, data = work()
        except (RuntimeError, subprocess.SubprocessError) as error:
            print(f"{name} could not be measured: {error}", file=sys.stderr, flush=True)
            self.failures.append(f"{self._tables[-1].key} {name}")
            cells, data = ["failed"], str(error)
        self.add([name, *cells], data)

    def add(self, cells: list[str], data: object = None) -> None:
        """Add a row to the open table, print it and keep it."""
        table = self._tables[-1]
        row = [*cells, *[""] * (len(table.columns) - len(cells))]
        table.rows.append(row)
        if data is not None:
            table.data[cells[0]] = data
        print(line(row), flush=True)
        self._keep()

    def end(self) -> None:
        """Close the open table: print its notes."""
        print(self._tables[-1].foot(), flush=True)

    def _keep(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        text = "\n".join(table.markdown() for table in self._tables)
        self.path.write_text(f"# Measured {self._when}\n\n{self._machine}\n\n{text}")
        tables = [asdict(table) for table in self._tables]
        data = {"at": self._when, "machine": asdict(self._machine), "tables": tables}
        self.path.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n")
