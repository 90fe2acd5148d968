"""The command ``halorow notifications``: how somebody is told, and what was sent to them last."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.notify.desk import Desk

User = Annotated[
    str | None, typer.Option("--user", help="Whose; by default the service's own user.", show_default=False)
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="So many deliveries.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def notifications(user: User = None, limit: Limit = 10, as_json: Json = False) -> None:
    """List the ways by which somebody is told, and the last deliveries; addresses are masked."""
    from pipeline.client import Client  # noqa: PLC0415  (nothing heavy before a command runs)

    with Client.connect() as client:
        told = _told(client.desk(user), limit)
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
        return
    for channel in told["channels"]:
        state = "on " if channel["on"] else "off"
        typer.echo(f"{state}  {channel['medium']:8}  {channel['shown']}  {', '.join(channel['kinds'])}")
    for one in told["waiting"] + told["deliveries"]:
        tail = f"  {one['error']}" if one["error"] else ""
        typer.echo(f"{one['at']}  {one['outcome']:8}  {one['medium']:8}  {one['title']}{tail}")


def _told(desk: "Desk", limit: int) -> dict[str, Any]:
    """Return all that is said, without a secret."""
    return {
        "user": desk.user,
        "channels": [
            channel.model_dump(mode="json", exclude={"address"}) for channel in desk.choices().channels
        ],
        "waiting": [
            {
                "id": one.letter.id,
                "at": f"{one.letter.posted_at:%F %T}",
                "outcome": "waiting",
                "medium": one.letter.medium.value,
                "title": one.letter.tiding.title,
                "tries": one.tries,
                "error": one.error,
            }
            for one in desk.waiting()
        ],
        "deliveries": [
            {
                "id": one.letter.id,
                "at": f"{one.at:%F %T}",
                "outcome": one.outcome.value,
                "medium": one.letter.medium.value,
                "title": one.letter.tiding.title,
                "tries": one.tries,
                "error": one.error,
            }
            for one in desk.latest(limit)
        ],
    }
