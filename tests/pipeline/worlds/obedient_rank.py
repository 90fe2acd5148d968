"""A rank for the tests of the supervisor: it speaks the real protocol over real MPI, and fails on command.

The ``input`` of a request says what happens, as ``what`` or ``what:rank``; the steps are ignored.
"""

import os
import sys
import time

from mpi4py import MPI

from mpi_stage.contract import RankReport, Report, error_event
from mpi_stage.errors import DamagedInputError
from mpi_stage.process.setup import die_with_parent
from mpi_stage.rank.control import ControlConnection


def report(job, ranks):
    each = [RankReport(rank, "here", 1, {}, 0, 0, 0, 0, 0, 0) for rank in range(ranks)]
    return Report(job, "hash", each, "cpu", ranks, 1, 1, "uint8", None, 0, 0.0).to_json()


def obey(what, comm, connection, job):
    if what == "fail":
        raise DamagedInputError("the file ends in the middle")
    if what == "stumble":
        raise RuntimeError("nobody foresaw this")
    if what == "exit":
        sys.stderr.write("so long\n")
        os._exit(17)
    if what == "babble":
        connection._socket.sendall(b"not a line of the protocol\n")
    while what in {"hang", "repeat"}:
        # Progress that repeats itself is none; the pause only spares the processor.
        connection.send({"event": "progress", "job": job, "rank": comm.rank, "rows_done": 1, "rows_total": 2})
        time.sleep(0.05)


def serve(comm, connection, request):
    job = request["job"]
    if request["request"] == "plan":
        if comm.rank == 0:
            connection.send({"event": "planned", "job": job, "plan": {"ranks": request["ranks"]}})
        return
    what, _, rank = request["input"].partition(":")
    for done in (1, 2):
        connection.send(
            {"event": "progress", "job": job, "rank": comm.rank, "rows_done": done, "rows_total": 2}
        )
    if not rank or int(rank) == comm.rank:
        obey(what, comm, connection, job)
    comm.Barrier()
    if comm.rank == 0:
        connection.send({"event": "report", "job": job, "report": report(job, comm.size)})


def main():
    die_with_parent()
    comm = MPI.COMM_WORLD
    connection = ControlConnection(sys.argv[sys.argv.index("--control") + 1])
    connection.start(comm.rank, comm.size)
    while (request := connection.next_request())["request"] != "stop":
        try:
            serve(comm, connection, request)
        except Exception as error:  # noqa: BLE001  (as the stage does)
            connection.send(error_event(request["job"], comm.rank, error))
            if comm.size > 1:
                comm.Abort(70)


if __name__ == "__main__":
    main()
