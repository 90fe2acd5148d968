"""The program of a rank: ``python -m mpi_stage --control PATH``; see ``mpi_stage.contract``."""

import faulthandler
import importlib
import os
import sys
import threading
from functools import cache
from typing import Any

from mpi_stage.planning.program_memory import PROGRAM
from mpi_stage.process.limits import LIMITS, exhaustion
from mpi_stage.process.setup import die_with_parent, keep_freed_memory, open_library

EXIT_FAILED = 70
EXIT_USAGE = 2
_LIBRARIES = ("json", "socket", "hashlib", "tempfile", "queue", "heapq", "cv2", "mpi_stage.native")
_MODULES = (
    "rank.control",
    "rows.digest",
    "planning.planner",
    "planning.placed",
    "formats.registry",
    "formats.sinks",
    "formats.tiff.header",
    "formats.tiff.source",
    "formats.tiff.sink",
    "planning.devices",
    "sweep.tilewise",
    "sweep.edge",
)
"""What needs neither MPI nor any library beside :data:`_LIBRARIES`; most large pictures are TIFF files."""

_MODULES_AFTER_MPI = ("rank.session",)
"""What needs MPI."""

_WORDS = 3  # this program, --control and the Unix socket on which the supervisor listens


def main() -> int:
    """Serve requests until told to stop; a failure in a world of several ranks ends the world."""
    if len(sys.argv) != _WORDS or sys.argv[1] != "--control":
        sys.stderr.write(f"{__doc__}\n")
        return EXIT_USAGE
    die_with_parent()
    keep_freed_memory()
    faulthandler.enable()
    _load()
    from mpi4py import MPI  # noqa: PLC0415  (starts MPI, which the lines above must precede)

    from mpi_stage.rank.control import ControlConnection  # noqa: PLC0415

    comm = MPI.COMM_WORLD
    connection = ControlConnection(sys.argv[2])
    connection.start(comm.rank, comm.size)
    for name in _MODULES_AFTER_MPI:
        importlib.import_module(f"mpi_stage.{name}")
    LIMITS.arm()
    while True:
        message = connection.next_request()
        if message.get("request") == "stop":
            return 0
        if not _serve(comm, message, connection):
            comm.Abort(EXIT_FAILED)


def _load() -> None:
    """Import what most requests need, and load the MPI library beside that where its place is known.

    On many virtual machines that library measures the processor's clock for 40 ms while it is loaded,
    at which Python need not wait. What loads libraries itself would wait, and so comes before or after.
    """
    for name in _LIBRARIES:
        importlib.import_module(name)
    place = os.environ.get("MPI4PY_LIBMPI")
    if place:
        threading.Thread(target=open_library, args=(place,), name="mpi-library", daemon=True).start()
    for name in _MODULES:
        importlib.import_module(f"mpi_stage.{name}")
    PROGRAM.measure()


def _serve(comm: Any, message: dict[str, Any], connection: Any) -> bool:  # noqa: ANN401  (typed where imported)
    """Carry out one request; return whether the world can go on."""
    from mpi_stage.contract import error_event  # noqa: PLC0415

    job = str(message.get("job", ""))
    kind = message.pop("request", None)
    try:
        _carry_out(comm, kind, message, connection)
    except Exception as error:  # noqa: BLE001  (every failure must reach the supervisor)
        LIMITS.lift()
        connection.send(error_event(job, comm.rank, exhaustion(foreseen(error, comm.rank))))
        return bool(comm.size == 1 or kind == "plan")
    finally:
        LIMITS.lift()
    return True


def foreseen(error: Exception, rank: int) -> Exception:
    """Return an error as the supervisor is to hear of it.

    MPI fails where another rank has gone, which may be told of before that one's own end is noticed:
    no job is to blame for it, and another attempt may help.
    """
    from mpi4py import MPI  # noqa: PLC0415  (has been started by now)

    from mpi_stage.errors import WorldError  # noqa: PLC0415  (as everywhere here)

    if isinstance(error, MPI.Exception):
        return WorldError(
            f"rank {rank} could not reach another rank, which has gone: {error.Get_error_string()}"
        )
    return error


def _carry_out(comm: Any, kind: Any, message: dict[str, Any], connection: Any) -> None:  # noqa: ANN401  (as above)
    from mpi_stage.errors import StageError  # noqa: PLC0415  (as everywhere here)

    work = _REQUESTS.get(kind) if isinstance(kind, str) else None
    if work is None:
        raise StageError(f"unknown request {kind!r}; known are {', '.join(_REQUESTS)} and stop")
    work(comm, message, connection)


def _run(comm: Any, message: dict[str, Any], connection: Any) -> None:  # noqa: ANN401  (as above)
    """Filter an image."""
    from mpi_stage.contract import Request  # noqa: PLC0415
    from mpi_stage.rank.session import run_request  # noqa: PLC0415
    from mpi_stage.rows.context import RankContext  # noqa: PLC0415

    request = Request.from_json(message)
    run_request(RankContext(comm), request, connection.send, token=lambda: connection.token)


def _plan(comm: Any, message: dict[str, Any], connection: Any) -> None:  # noqa: ANN401  (as above)
    """Tell of the plan, the input and what is forecast, on rank 0."""
    from mpi_stage.contract import Request  # noqa: PLC0415
    from mpi_stage.planning.forecast import Stored, forecast  # noqa: PLC0415
    from mpi_stage.rank.inspecting import file_pages  # noqa: PLC0415
    from mpi_stage.rank.planned import plan_request  # noqa: PLC0415

    ranks = int(message.pop("ranks", comm.size))
    request = Request.from_json(message)
    if comm.rank:
        return
    plan, header, sink, _ = plan_request(request, ranks)
    facts = {"stored_bytes": header.stored_bytes, "format": header.layout.format}
    facts |= {"forecast": forecast(plan, Stored.of(header, sink)), **file_pages(request, header)}
    connection.send({"event": "planned", "job": request.job, "plan": {**plan.to_json(), **facts}})


def _digest(comm: Any, message: dict[str, Any], connection: Any) -> None:  # noqa: ANN401  (as above)
    """Tell of the digest of the input's pixels, on rank 0."""
    from mpi_stage.contract import Request  # noqa: PLC0415
    from mpi_stage.rank.inspecting import image_digest  # noqa: PLC0415

    request = Request.from_json(message)
    if comm.rank == 0:
        found = image_digest(request, token=lambda: connection.token)
        connection.send({"event": "digested", "job": request.job, "pixels_sha256": found})


def _preview(_comm: Any, message: dict[str, Any], connection: Any) -> None:  # noqa: ANN401  (as above)
    """Make the pictures of a preview."""
    from mpi_stage.contract import Request, View  # noqa: PLC0415

    view = View.from_json(message.pop("view", {}))
    request = Request.from_json(message)
    made = _desk().preview(request, view)
    connection.send({"event": "previewed", "job": request.job, "preview": made})


def _tile(_comm: Any, message: dict[str, Any], connection: Any) -> None:  # noqa: ANN401  (as above)
    """Make a tile, or tell what is known of the whole image."""
    from mpi_stage.contract import Request, Tile  # noqa: PLC0415

    tile = Tile.from_json(message.pop("look", {}))
    request = Request.from_json(message)
    made = _tile_desk().tile(request, tile)
    connection.send({"event": "tiled", "job": request.job, "tile": made})


_REQUESTS = {"run": _run, "plan": _plan, "digest": _digest, "preview": _preview, "tile": _tile}
"""What carries out each request of the contract."""


@cache
def _desk() -> Any:  # noqa: ANN401  (typed where imported)
    """Return what makes this rank's previews, and remembers what it has read. Raises StageError."""
    from mpi_stage.previews.desk import Desk  # noqa: PLC0415  (as everywhere here)

    return Desk(_alone())


@cache
def _tile_desk() -> Any:  # noqa: ANN401  (as above)
    """Return what makes tiles; as :func:`_desk`."""
    from mpi_stage.previews.tiles import TileDesk  # noqa: PLC0415

    return TileDesk(_alone())


def _alone() -> Any:  # noqa: ANN401  (as above)
    """Return the context of a rank that is alone in its world. Raises StageError."""
    from mpi4py import MPI  # noqa: PLC0415  (has been started by now)

    from mpi_stage.errors import StageError  # noqa: PLC0415
    from mpi_stage.rows.context import RankContext  # noqa: PLC0415

    if MPI.COMM_WORLD.size > 1:
        raise StageError(f"previews are made by worlds of one rank, and this one has {MPI.COMM_WORLD.size}")
    return RankContext(MPI.COMM_WORLD)


if __name__ == "__main__":
    sys.exit(main())
