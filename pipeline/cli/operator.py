"""The commands of whoever runs the service: doctor, clean, notifications, support-bundle.

Nothing heavy is imported before a command runs, as in ``pipeline.cli.service``.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.notifications import notifications

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.cli.doctor import Finding

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the service.", envvar="HALOROW_DATA_DIR", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_MARKS = {"well": "ok  ", "warning": "warn", "ill": "ILL "}


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    panel = "For operators"
    app.command(rich_help_panel=panel)(doctor)
    app.command(rich_help_panel=panel)(clean)
    app.command(rich_help_panel=panel)(notifications)
    app.command("support-bundle", rich_help_panel=panel)(support_bundle)


def doctor(data: Data = None, as_json: Json = False) -> None:
    """Look at every part that the service needs, and say what to do; exit with 1 where one is ill."""
    from pipeline.cli.doctor import Health, examine_all  # noqa: PLC0415
    from pipeline.config import Settings  # noqa: PLC0415  (see the module's docstring)

    findings = []
    for one in examine_all(lambda: Settings.load(data_dir=data)):
        findings.append(one)
        if not as_json:
            typer.echo(line_of(one))
    if as_json:
        _print_json({"findings": _plain(findings)})
    raise typer.Exit(int(any(one.health is Health.ILL for one in findings)))


def line_of(finding: "Finding") -> str:
    """Return a finding as a line for a terminal, with a second one for what to do."""
    line = f"{_MARKS[finding.health.value]}  {finding.part:9} {finding.text}"
    return f"{line}\n{'':16}→ {finding.remedy}" if finding.remedy else line


def _plain(findings: "Iterable[Finding]") -> list[dict[str, str]]:
    return [
        {"part": one.part, "health": one.health.value, "text": one.text, "remedy": one.remedy}
        for one in findings
    ]


def clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Remove what has been kept for as long as the settings say; the service does so by itself, too."""
    from pipeline.config import Settings  # noqa: PLC0415
    from pipeline.connect import connect_parts  # noqa: PLC0415
    from pipeline.keeping.cleaner import clean as clean_all  # noqa: PLC0415  (see the module's docstring)

    settings = Settings.load(data_dir=data)
    done = clean_all(connect_parts(settings), settings.retention, dry_run=dry_run)
    if as_json:
        _print_json({"dry_run": dry_run, **vars(done)})
        return
    verb = "would be removed" if dry_run else "removed"
    for kind, count in done.objects.items():
        typer.echo(f"{kind.value}: {count} objects, {done.size_bytes[kind]:,} bytes {verb}")


def support_bundle(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The archive to write; must not exist.")
    ] = Path("halorow-support.zip"),
    data: Data = None,
) -> None:
    """Write an archive that tells others what ails the service, without its secrets."""
    from pipeline.cli.support_bundle import write_bundle  # noqa: PLC0415  (see the module's docstring)

    for name in write_bundle(output, data):
        typer.echo(name, err=True)
    typer.echo(str(output))


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
