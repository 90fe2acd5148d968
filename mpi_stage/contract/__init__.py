"""The contract between the stage and whoever starts it: requests in, events out, as JSON lines.

A rank is started with ``python -m mpi_stage --control PATH``, where PATH is a listening Unix socket.
It connects and says ``{"event": "hello", "rank": r, "ranks": n, "pid": p}``. Every rank is then sent
the same request lines::

    {"request": "run", …}                fields of :class:`Request`
    {"request": "plan", "ranks": n, …}   the same; only the header is read, for a world of n ranks
    {"request": "digest", …}             the same; of the input's pixels, nothing is written
    {"request": "preview", "view": {…}, …}  the same, to a world of one rank; nothing is written
    {"request": "tile", "look": {…}, …}  the same, to a world of one rank; nothing is written
    {"request": "token", "token": …}     while a run is going on: the access token from now on
    {"request": "stop"}                  leave the loop and exit 0

and answers with event lines::

    {"event": "planned", "job": id, "plan": {…}}                        rank 0; see Plan.to_json
    {"event": "progress", "job": id, "rank": r, "rows_done": a, "rows_total": b,
     "bands": n, "bands_done": [[first, end], …]}     the last two where bands are kept
    {"event": "report", "job": id, "report": {…}}                       rank 0; the job is done
    {"event": "digested", "job": id, "pixels_sha256": …}                rank 0
    {"event": "previewed", "job": id, "preview": {…}}                   see :class:`View`
    {"event": "tiled", "job": id, "tile": {…}}                          see :class:`Tile`
    {"event": "error", "job": id, "rank": r, "kind": …, "message": …, "retryable": …, "exit_code": …}

A job is done when its report says so, never because a process exited with 0. The end of the control
connection ends the rank at once, in the middle of a job too: no rank outlives its supervisor.
"""

from mpi_stage.contract.events import EVENTS, MAY_SAY, check_event, encode, error_event, error_of
from mpi_stage.contract.messages import CONTRACT_VERSION
from mpi_stage.contract.reports import RankReport, Report
from mpi_stage.contract.requests import (
    DEFAULT_MEMORY_BYTES,
    Access,
    Bands,
    Budget,
    Request,
    Tile,
    View,
)

__all__ = [
    "CONTRACT_VERSION",
    "DEFAULT_MEMORY_BYTES",
    "EVENTS",
    "MAY_SAY",
    "Access",
    "Bands",
    "Budget",
    "RankReport",
    "Report",
    "Request",
    "Tile",
    "View",
    "check_event",
    "encode",
    "error_event",
    "error_of",
]
