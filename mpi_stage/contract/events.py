"""What a rank may say, line by line, and what the supervisor relies on of it."""

import json
from typing import Any

from mpi_stage.errors import StageError, from_name
from mpi_stage.shapes import fits


def encode(message: dict[str, Any]) -> bytes:
    """Return one line of the protocol."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def error_event(job: str, rank: int, error: BaseException) -> dict[str, Any]:
    """Return the event that tells of ``error``; one that is not ours shows only its class and text."""
    return {
        "event": "error",
        "job": job,
        "rank": rank,
        "kind": type(error).__name__,
        "message": error.public_message if isinstance(error, StageError) else repr(error),
        "retryable": error.retryable if isinstance(error, StageError) else False,
        "exit_code": error.exit_code if isinstance(error, StageError) else 1,
    }


EVENTS: dict[str, dict[str, type]] = {
    "hello": {"rank": int, "ranks": int, "pid": int},
    "planned": {"job": str, "plan": dict},
    "progress": {"job": str, "rows_done": int, "rows_total": int},
    "report": {"job": str, "report": dict},
    "digested": {"job": str, "pixels_sha256": str},
    "previewed": {"job": str, "preview": dict},
    "tiled": {"job": str, "tile": dict},
    "error": {"job": str, "kind": str, "message": str},
}
"""What a rank may say, and what the supervisor relies on of each."""

MAY_SAY: dict[str, dict[str, Any]] = {"progress": {"bands": int, "bands_done": list[list[int]]}}
"""What a rank may say as well."""


def check_event(event: Any) -> None:  # noqa: ANN401  (any JSON)
    """Raise ValueError unless ``event`` is one that a rank may send."""
    kind = event.get("event") if isinstance(event, dict) else None
    wanted = EVENTS.get(kind) if isinstance(kind, str) else None
    if wanted is None:
        raise ValueError(f"{event!r:.200} is no event")
    for name, type_ in wanted.items():
        if not fits(event.get(name), type_):
            raise ValueError(f"the event {kind} has {name} = {event.get(name)!r:.60}")
    for name, type_ in MAY_SAY.get(str(kind), {}).items():
        if name in event and not fits(event[name], type_):
            raise ValueError(f"the event {kind} has {name} = {event[name]!r:.60}")


def error_of(event: dict[str, Any]) -> StageError:
    """Return the error that an error event tells of."""
    return from_name(str(event["kind"]), str(event["message"]))
