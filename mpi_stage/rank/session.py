"""One request carried out by one rank: open, plan, filter, report, and clean up after a failure."""

import time
from contextlib import ExitStack, closing

import cv2

from mpi_stage.contract import Report, Request
from mpi_stage.engine import Engine
from mpi_stage.errors import OutputExistsError
from mpi_stage.formats.ports import Source
from mpi_stage.formats.registry import open_source
from mpi_stage.objects.address import is_object
from mpi_stage.planning.devices import place
from mpi_stage.process.files import remove_output
from mpi_stage.process.setup import file_bytes
from mpi_stage.rank.ends import Token, open_bucket, scratch_folder, sink_options, source_options
from mpi_stage.rank.holding import hold_to, program_bytes
from mpi_stage.rank.own_gpu import agreed_gpu
from mpi_stage.rank.planned import begin, plan_image
from mpi_stage.rank.progress import Emit, Progress
from mpi_stage.rank.reporting import report_of
from mpi_stage.rank.work import Work
from mpi_stage.rows.context import RankContext


def run_request(context: RankContext, request: Request, emit: Emit, *, token: Token | None = None) -> None:
    """Carry out a request; every rank of a world calls this with the same one.

    ``emit`` gets the events; ``token`` gives the access token where it is another one by now than the
    request's. A failure is raised after this rank's files have been closed; rank 0
    removes the unfinished output.
    """
    started = time.perf_counter()
    cv2.setNumThreads(1)  # one rank, one core; some of OpenCV's kernels are exact only so
    try:
        report = _run(context, request, emit, token)
    except BaseException as error:
        unfinished = not isinstance(error, OutputExistsError) and not is_object(request.output)
        if context.comm.rank == 0 and unfinished:
            remove_output(request.output)
        raise
    if report is not None:
        finished = {**report.to_json(), "seconds": time.perf_counter() - started}
        emit({"event": "report", "job": request.job, "report": finished})


def _run(context: RankContext, request: Request, emit: Emit, token: Token | None) -> Report | None:
    """Open the input, plan, filter; return the report on rank 0."""
    steps = begin(request)
    before = file_bytes()
    with (
        open_bucket(request, token) as bucket,
        closing(open_source(request.input, context.clock, source_options(request, bucket))) as source,
    ):
        scratch = scratch_folder(request)
        planned = plan_image(
            request,
            steps,
            source.header,
            sink_options(request, bucket),
            ranks=context.comm.size,
            program_bytes=program_bytes(context),
        )
        plan = place(planned.plan, request.device, request.memory_bytes, lambda: agreed_gpu(context))
        hold_to(plan, planned.header, request)
        work = Work(context, request, planned._replace(plan=plan), bucket, before)
        return _filtered(work, source, scratch, emit)


def _filtered(work: Work, source: Source, scratch: str, emit: Emit) -> Report | None:
    """Filter the image; return the report on rank 0."""
    request, plan, rank = work.request, work.planned.plan, work.context.comm.rank
    if rank == 0:
        emit({"event": "planned", "job": request.job, "plan": plan.to_json()})
    with ExitStack() as ends:
        sink = ends.enter_context(closing(work.create_sink(scratch)))
        bands = work.keeper(sink)
        if bands is not None:
            ends.enter_context(closing(bands))
        progress = Progress(emit, request.job, rank, bands)
        engine = Engine(work.context, plan, scratch=scratch, progress=progress, bands=bands)
        engine.run(source, sink, digest=request.digest)
        if bands is not None:  # the last are noted after the last rows have been told of
            progress.tell(*engine.rows)
    return report_of(work, engine, bands)
