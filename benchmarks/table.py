"""Tables of results: for the terminal and the record as Markdown, for programs as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Table:
    """One part of the results.

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
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return heading, table and notes."""
        lines = [f"## {self.key}: {self.title}", ""]
        lines += ["| " + " | ".join(self.columns) + " |", "|" + "---|" * len(self.columns)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        lines += ["", *[f"- {note}" for note in self.notes]]
        return "\n".join(lines).rstrip() + "\n"
