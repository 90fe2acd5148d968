"""The commands of the service: up, submit, jobs, show, watch, cancel, retry, result, nodes, alerts, demo.

Nothing heavy is imported before a command runs: a call for help, or of one command, loads all of them.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.options import Compression, Digest, Format, Level, Page, Plane, Quality, Tile

if TYPE_CHECKING:
    from pipeline.client import Client
    from pipeline.config import Settings
    from pipeline.models import JobStatus

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the service.", envvar="HALOROW_DATA_DIR", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    panel = "The service"
    for command in (up, submit, jobs, show, watch, cancel, retry, result, nodes, alerts, demo):
        app.command(rich_help_panel=panel)(command)


def _client(data: Path | None) -> "Client":
    from pipeline.client import Client  # noqa: PLC0415  # see the module's docstring
    from pipeline.config import Settings  # noqa: PLC0415

    settings = Settings.load(data_dir=data)
    if "redis_url" not in settings.model_fields_set:
        _check_that_one_runs(settings)
    return Client.connect(settings)


def _check_that_one_runs(settings: "Settings") -> None:
    """Say at once that there is no service, where none was found and none was named. Raises ServiceError."""
    from pipeline.client import Client  # noqa: PLC0415
    from pipeline.errors import QueueUnavailableError, ServiceError  # noqa: PLC0415

    try:
        Client.connect(settings, patience_s=0).close()
    except QueueUnavailableError as error:
        raise ServiceError(
            f"no service runs in {settings.data_dir}: start one with `halorow up`, name its folder with"
            " --data, or set redis_url to a service elsewhere"
        ) from error


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def up(
    data: Data = None,
    port: Annotated[int | None, typer.Option(help="Port of the page; another if it is taken.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="One-rank workers; as many as cores by default.")
    ] = None,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from pipeline import logs  # noqa: PLC0415
    from pipeline.cluster.environment import prepare  # noqa: PLC0415
    from pipeline.config import Settings  # noqa: PLC0415

    settings = Settings.load(find_service=False, data_dir=data, page_port=port, workers=workers)
    prepare(settings.data_dir)
    from pipeline.embedded.service import Embedded  # noqa: PLC0415

    logs.configure("warning")
    typer.echo(f"starting in {settings.data_dir} …", err=True)
    Embedded(settings, lambda line: typer.echo(line, err=True)).run(_say_ready)


def _say_ready(settings: "Settings") -> None:
    from pipeline.extras import DASHBOARD, is_there  # noqa: PLC0415

    if is_there(DASHBOARD):
        dashboard = f"http://127.0.0.1:{settings.ray_dashboard_port}"
        typer.echo(f"ray: {dashboard} (token in {settings.data_dir / 'ray-token'})", err=True)
    typer.echo(f"page: {settings.base_url}")
    sys.stdout.flush()


def submit(  # noqa: PLR0917  # typer takes options as arguments
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT …", help="Files, or URIs of objects, such as gs://bucket/scans/*.tif."),
    ],
    steps: Annotated[str, typer.Option(help="The pipeline, e.g. 'gaussian:sigma=2 sobel', or JSON.")],
    output: Annotated[
        str | None, typer.Option(help="URI of an object, or of a folder if it ends in /, in the same store.")
    ] = None,
    priority: Annotated[int, typer.Option(help="From -10 to 10; higher goes first.")] = 0,
    key: Annotated[str | None, typer.Option(help="The same key again gives the same job.")] = None,
    batch: Annotated[str | None, typer.Option(help="A name for jobs that belong together.")] = None,
    webhook: Annotated[str | None, typer.Option(help="URL that is told how the job ended.")] = None,
    ranks: Annotated[int | None, typer.Option(help="MPI ranks; chosen by the plan by default.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    page: Page = 0,
    plane: Plane = None,
    level: Level = 0,
    format: Format = None,  # noqa: A002  (the word of the command line)
    compression: Compression = None,
    quality: Quality = None,
    tile: Tile = None,
    digest: Digest = True,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end; exit as the job did.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Submit images to the service."""
    from pipeline.errors import InvalidJobError  # noqa: PLC0415

    client = _client(data)
    inputs = _expanded(client, inputs)
    if output is not None and len(inputs) > 1 and not output.endswith("/"):
        raise InvalidJobError(f"several inputs need a folder for their outputs: write {output}/")
    options: dict[str, Any] = {"output": output, "priority": priority, "batch": batch, "webhook": webhook}
    options |= {"ranks": ranks, "device": device, "page": page, "plane": plane, "level": level}
    options |= {"compression": compression, "quality": quality, "tile": tile, "format": format}
    options |= {"digest": digest}
    statuses = client.submit_many(
        client.order(given, steps, key=_key_of(key, given, inputs), **options) for given in inputs
    )
    if wait:
        statuses = _wait(client, statuses, quiet=as_json)
    if as_json:
        _print_json({"jobs": [status.model_dump(mode="json") for status in statuses]})
    elif not wait:
        for status in statuses:
            typer.echo(status.id)
    raise typer.Exit(next((status.exit_code or 1 for status in statuses if _ended_badly(status)), 0))


def _key_of(key: str | None, given: str, inputs: Sequence[str]) -> str | None:
    return key if key is None or len(inputs) == 1 else f"{key}:{given}"


def _ended_badly(status: "JobStatus") -> bool:
    return status.state.is_final and status.state.value != "succeeded"


def _expanded(client: "Client", inputs: Sequence[str]) -> list[str]:
    """Return the inputs, patterns such as ``gs://bucket/scans/*.tif`` replaced by what they stand for."""
    from pipeline.submitting.outside import is_pattern  # noqa: PLC0415  # see the module's docstring

    return [uri for given in inputs for uri in (client.matching(given) if is_pattern(given) else [given])]


def _wait(client: "Client", statuses: "Sequence[JobStatus]", *, quiet: bool) -> "list[JobStatus]":
    from pipeline.cli.follow import follow  # noqa: PLC0415

    return follow(client, [status.id for status in statuses], quiet=quiet)


def jobs(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the newest jobs."""
    found = _client(data).jobs(user=user, limit=limit)
    if as_json:
        _print_json({"jobs": [status.model_dump(mode="json") for status in found]})
        return
    from pipeline.cli.tables import jobs_table, show_table  # noqa: PLC0415

    show_table(jobs_table(found))


def show(
    job_id: JobId,
    events: Annotated[bool, typer.Option("--events", help="What happened to it, one line for each.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of a job."""
    if events:
        _show_events(_client(data), job_id, as_json=as_json)
        return
    from pipeline.errors import JobFailedError, JobStateError  # noqa: PLC0415

    client = _client(data)
    manifest, status, failure = client.manifest(job_id), client.status(job_id), client.failure(job_id)
    try:
        found = client.result(job_id)
    except (JobFailedError, JobStateError):
        found = None
    if as_json:
        parts = {"status": status, "manifest": manifest, "result": found, "failure": failure}
        _print_json({name: part and part.model_dump(mode="json") for name, part in parts.items()})
        return
    from pipeline.cli.tables import job_table, show_table  # noqa: PLC0415

    show_table(job_table(status, manifest, found, failure))


def _show_events(client: "Client", job_id: str, *, as_json: bool) -> None:
    for turn in client.timeline(job_id):
        if as_json:
            sys.stdout.write(json.dumps(turn.to_json(job_id), ensure_ascii=False) + "\n")
        else:
            facts = "  ".join(f"{name}={value}" for name, value in turn.facts.items() if value is not None)
            typer.echo(f"{turn.at:%F %T}  attempt {turn.attempt}  {turn.what:30}  {facts}".rstrip())


def watch(job_id: JobId, data: Data = None, as_json: Json = False) -> None:
    """Follow a job to its end; exit as it did."""
    client = _client(data)
    if not as_json:
        status = _wait(client, [client.status(job_id)], quiet=False)[0]
        raise typer.Exit((status.exit_code or 1) if _ended_badly(status) else 0)
    last = None
    for event in client.watch(job_id):
        last = event.status
        sys.stdout.write(event.model_dump_json() + "\n")
        sys.stdout.flush()
    raise typer.Exit((last.exit_code or 1) if last is not None and _ended_badly(last) else 0)


def cancel(job_id: JobId, data: Data = None, as_json: Json = False) -> None:
    """Stop a job."""
    _say_state(_client(data).cancel(job_id), "is being stopped", as_json=as_json)


def retry(job_id: JobId, data: Data = None, as_json: Json = False) -> None:
    """Start a failed or cancelled job again."""
    _say_state(_client(data).retry(job_id), "waits again", as_json=as_json)


def _say_state(status: "JobStatus", otherwise: str, *, as_json: bool) -> None:
    if as_json:
        _print_json(status.model_dump(mode="json"))
    else:
        ended = f"is {status.state.value}" if status.state.is_final else otherwise
        typer.echo(f"{status.id} {ended}")


def result(
    job_id: JobId,
    output: Annotated[
        Path | None, typer.Option(help="Download to this file; a Zarr to this folder, or to a .zip.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print a signed link to a job's result, or download it."""
    client = _client(data)
    found = client.result(job_id)
    if output is not None:
        client.download(job_id, output)
    if as_json:
        links = client.links(job_id)
        link = next(iter(links.values())) if len(links) == 1 else None
        _print_json({**found.model_dump(mode="json"), "link": link, "links": links})
    else:
        typer.echo(str(output) if output is not None else client.link(job_id))


def nodes(data: Data = None, as_json: Json = False) -> None:
    """Show the nodes of the cluster, what is on them, and what waits for them."""
    from pipeline.errors import ServiceError  # noqa: PLC0415  # see the module's docstring

    cluster = _client(data).cluster()
    if cluster is None:
        raise ServiceError("no scheduler has told of the cluster in the last minute; is the service running?")
    if as_json:
        _print_json(cluster.model_dump(mode="json"))
        return
    from pipeline.cli.nodes_view import nodes_table  # noqa: PLC0415
    from pipeline.cli.tables import show_table  # noqa: PLC0415

    show_table(nodes_table(cluster))


def alerts(data: Data = None, as_json: Json = False) -> None:
    """Show what is wrong with the service now, and what was lately; exit with 1 while something is."""
    from pipeline.config import Settings  # noqa: PLC0415  # see the module's docstring
    from pipeline.desks.operators import OperatorDesk  # noqa: PLC0415
    from pipeline.errors import ServiceError  # noqa: PLC0415

    desk = OperatorDesk.open(Settings.load(data_dir=data))
    found, checks = desk.alerts(), desk.checks()
    desk.close()
    if found is None:
        raise ServiceError("neither Redis nor the store answers; `halorow doctor` says more")
    if as_json:
        away = [vars(check) for check in checks if not check.is_well]
        _print_json({**found.model_dump(mode="json"), "away": away})
    else:
        from pipeline.cli.nodes_view import alerts_table  # noqa: PLC0415
        from pipeline.cli.tables import show_table  # noqa: PLC0415

        for check in checks:
            if not check.is_well:
                typer.echo(check.text, err=True)
        show_table(alerts_table(found))
        if not found.active:
            typer.echo("no alert holds")
    raise typer.Exit(int(bool(found.active)))


def demo(data: Data = None) -> None:
    """Run a photograph and a larger image through the whole service, then end it."""
    from pipeline.cli.demo import run_demo  # noqa: PLC0415

    raise typer.Exit(run_demo(data))
