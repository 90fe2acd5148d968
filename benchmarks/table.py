"""Tables of results: for the terminal and the record as Markdown, for programs as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Table:
    """One part of the results; rows are added as they are measured.

    Attributes
    ----------
    key: the target's number, for instance ``P1``.
    title: what was measured.
    columns, rows: cells as text; the first column names the row.
    notes: what a reader must know to judge the figures, one sentence each.
    data: the same figures as numbers, run by run.

    """

    key: str
    title: str
    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: Sequence[str] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def head(self) -> str:
        """Return the heading and the columns' names."""
        return f"## {self.key}: {self.title}\n\n{line(self.columns)}\n|{'---|' * len(self.columns)}\n"

    def foot(self) -> str:
        """Return the notes."""
        return "".join(["\n", *[f"- {note}\n" for note in self.notes]]) if self.notes else ""

    def markdown(self) -> str:
        """Return heading, table and notes."""
        return self.head() + "".join(f"{line(row)}\n" for row in self.rows) + self.foot()


def line(cells: Sequence[str]) -> str:
    """Return one row as Markdown."""
    return "| " + " | ".join(cells) + " |"
