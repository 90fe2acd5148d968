"""What the command line shows of jobs, as tables for a terminal."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.models import Failure, JobState, JobStatus, Manifest, Result

_ID_WIDTH = 26

_COLOURS = {
    JobState.SUCCEEDED: "green",
    JobState.FAILED: "red",
    JobState.DEAD: "red",
    JobState.CANCELLED: "yellow",
    JobState.RUNNING: "cyan",
    JobState.RETRYING: "magenta",
}


def show_table(table: Table) -> None:
    """Print a table on stdout."""
    Console().print(table)


def jobs_table(statuses: Iterable[JobStatus]) -> Table:
    """Return a line per job."""
    table = Table(box=None, header_style="bold")
    for name in ("id", "state", "done", "input", "pipeline", "submitted"):
        table.add_column(
            name, overflow="ellipsis", no_wrap=True, min_width=_ID_WIDTH if name == "id" else None
        )
    for status in statuses:
        table.add_row(
            status.id,
            _state(status.state),
            f"{status.fraction_done:.0%}",
            Text(status.input_name),
            Text(status.pipeline),
            _time(status.created_at),
        )
    return table


def job_table(status: JobStatus, manifest: Manifest, result: Result | None, failure: Failure | None) -> Table:
    """Return a line per fact of one job."""
    table = Table(box=None, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    facts: list[tuple[str, str | Text]] = [
        ("id", status.id),
        ("state", _state(status.state)),
        ("input", Text(f"{manifest.input_name} ({manifest.input.size_bytes:,} bytes)")),
        ("pipeline", Text(status.pipeline)),
        ("lane", f"{status.lane.value}, attempt {status.attempt}"),
        ("submitted", _time(status.created_at)),
        ("done", f"{status.rows_done} of {status.rows_total} rows, {status.rows_per_s:,.0f} rows/s"),
    ]
    facts += [(f"rank {one.rank}", f"{one.rows_done} of {one.rows_total} rows") for one in status.ranks]
    if status.error:
        facts.append(("error", Text(status.error)))
    if failure is not None:
        facts += [("evidence", Text(line)) for line in failure.evidence]
    if result is not None:
        facts += [
            ("output", Text(f"{result.output.key} ({result.output.size_bytes:,} bytes)")),
            ("pixels", f"sha256 {result.pixels_sha256 or 'not computed'}"),
            ("took", f"{float(result.report.get('seconds', 0.0)):.2f} s in the stage"),
        ]
    for name, value in facts:
        table.add_row(name, value)
    return table


def _state(state: JobState) -> Text:
    return Text(state.value, style=_COLOURS.get(state, ""))


def _time(at: datetime) -> str:
    return f"{at.astimezone():%F %T}"
