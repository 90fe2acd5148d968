"""One request carried out by one rank: open, plan, filter, report, and clean up after a failure."""

import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from gpu_kernels.device import device_count, device_of, why_unusable
from mpi_stage.contract import Access, RankReport, Report, Request
from mpi_stage.engine import Engine
from mpi_stage.errors import DamagedInputError, DeviceError, OutputExistsError
from mpi_stage.formats.base import (
    BandPlace,
    BandSink,
    Header,
    Sink,
    SinkOptions,
    SinkPlan,
    Source,
    SourceOptions,
)
from mpi_stage.formats.nodata import nodata_value
from mpi_stage.formats.registry import list_pages, open_source, read_header
from mpi_stage.formats.sink_plans import FOLDERS, kind_written, plan_sink
from mpi_stage.formats.sinks import create_sink
from mpi_stage.geometry.partition import Rows
from mpi_stage.image import ImageSpec
from mpi_stage.objects.address import ObjectAddress, is_object
from mpi_stage.operations.declaring.declaration import Measured
from mpi_stage.operations.spelling.grammar import Step, parse
from mpi_stage.planning.budget import check_header, check_plan
from mpi_stage.planning.devices import CPU, GPU, SAFE_PART, agreed, place
from mpi_stage.planning.gpu import Gpu
from mpi_stage.planning.memory import LATER_BYTES
from mpi_stage.planning.placed import Placed, place_metadata, upright_steps
from mpi_stage.planning.plan import Plan
from mpi_stage.planning.planner import make_plan
from mpi_stage.planning.program_memory import PROGRAM
from mpi_stage.process.files import remove_output, stored_bytes
from mpi_stage.process.limits import LIMITS
from mpi_stage.process.setup import anonymous_bytes, file_bytes
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rows.context import RankContext
from mpi_stage.rows.digest import RowDigest, combine
from mpi_stage.sweep.sweep import blocks

if TYPE_CHECKING:
    from mpi_stage.bands.places import BandPlaces
    from mpi_stage.objects.bucket import Bucket
    from mpi_stage.sweep.band_keeper import BandKeeper

PROGRESS_EVERY_S = 0.2
DIGEST_BLOCK_BYTES = 8 << 20
LISTED_PAGES = 16

UNHURRIED_S = 0.02
"""A job that takes so long does not notice that its memory is new."""

PADDING_PX = 4096
"""Of a file's tiles beyond the image, unless they are larger."""

SPARE_BYTES = LATER_BYTES // 2
"""Of the memory predicted for a job, not yet there when it begins: its first buffers, and what it sets up."""

Emit = Callable[[dict[str, Any]], None]


def plan_request(request: Request, ranks: int) -> tuple[Plan, Header, SinkPlan]:
    """Return the plan of a request for a world of ``ranks`` ranks; reads the input's header only.

    The header comes with the metadata that the result is to have.
    """
    steps = _steps(request)
    _check_device(request.device)
    LIMITS.begin(request.budget.decode_s, request.memory_bytes)
    PROGRAM.settle()
    with open_bucket(request) as bucket:
        read = read_header(request.input, source_options(request, bucket))
        plan, header, sink, _ = _plan_placed(
            request, steps, read, _options(request, bucket), ranks=ranks, program=PROGRAM.planned_bytes()
        )
    plan = place(plan, request.device, request.memory_bytes, lambda: _gpu_of(0, ranks))
    return plan, header, sink


def _steps(request: Request) -> Sequence[Step]:
    """Return the steps of a request, with what their collectives import in memory.

    SciPy's transforms are large; here they count once, as a part of the program.
    """
    steps = parse(request.steps, default_border=request.border)
    for name in {step.operation.collective for step in steps} - {None}:
        import_module(f"mpi_stage.collective.{name}")
    return steps


def _plan_placed(
    request: Request, steps: Sequence[Step], read: Header, options: SinkOptions, *, ranks: int, program: int
) -> tuple[Plan, Header, SinkPlan, Placed]:
    check_header(request.input, read, request.budget)
    upright = upright_steps(read.metadata)
    placed = place_metadata(read.metadata, (*upright, *steps), read.spec)
    header = replace(read, metadata=placed.metadata)
    sink = plan_sink(request.output_name, _result_spec((*upright, *steps), header), header, options)
    plan = make_plan(
        steps,
        header,
        sink,
        ranks=ranks,
        memory_bytes=request.memory_bytes,
        block_rows=request.block_rows,
        upright=upright,
        nodata=nodata_value(read.metadata.nodata, read.spec.dtype),
        chosen=(request.page, request.plane, request.level),
        program_bytes=program,
    )
    check_plan(plan, request.budget)
    return plan, header, sink, placed


def image_digest(request: Request, token: Callable[[], str | None] | None = None) -> str:
    """Return the digest of the pixels of a request's input, as reports state it for outputs."""
    clock, digest = PhaseClock(), RowDigest()
    LIMITS.begin(request.budget.decode_s, request.memory_bytes)
    with (
        open_bucket(request, token) as bucket,
        closing(open_source(request.input, clock, source_options(request, bucket))) as source,
    ):
        check_header(request.input, source.header, request.budget)
        spec = source.header.spec
        block_rows = max(1, DIGEST_BLOCK_BYTES // spec.row_bytes)
        for _, rows in blocks(spec, Rows(0, spec.rows), source, block_rows):
            digest.update(rows)
    return combine(spec, [digest.joined()])


def file_pages(request: Request, header: Header) -> dict[str, Any]:
    """Return which image of the input a header is of, and what others there are, as JSON.

    ``pages`` has, for the first pages, columns and rows of each level.
    """
    with open_bucket(request) as bucket:
        try:
            pages, count = list_pages(request.input, LISTED_PAGES, source_options(request, bucket))
        except DamagedInputError:  # behind the image that was asked for, which is whole
            pages, count = [[(header.spec.columns, header.spec.rows)]], 1
    return {"page": header.page, "level": header.level, "page_count": count, "pages": pages}


def run_request(
    context: RankContext, request: Request, emit: Emit, *, token: Callable[[], str | None] | None = None
) -> None:
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


def _run(
    context: RankContext, request: Request, emit: Emit, token: Callable[[], str | None] | None
) -> Report | None:
    """Open the input, plan, filter; return the report on rank 0."""
    steps = _steps(request)
    _check_device(request.device)
    LIMITS.begin(request.budget.decode_s, request.memory_bytes)
    PROGRAM.settle()
    before = file_bytes()
    with open_bucket(request, token) as bucket:
        reading = source_options(request, bucket)
        with closing(open_source(request.input, context.clock, reading)) as source:
            return _Run(context, request, steps, source, emit, before, bucket).run()


@contextmanager
def open_bucket(request: Request, token: Callable[[], str | None] | None = None) -> Iterator["Bucket | None"]:
    """Yield what reads and writes the objects of a request; None where all is on this machine."""
    if not (is_object(request.input) or is_object(request.output)):
        yield None
        return
    from mpi_stage.objects.bucket import Bucket  # noqa: PLC0415 (start-up time)

    with closing(Bucket(request.access or Access(), token)) as bucket:
        yield bucket


class _Run:
    """The state of one request on one rank."""

    def __init__(  # noqa: PLR0917 (made in one place)
        self,
        context: RankContext,
        request: Request,
        steps: Sequence[Step],
        source: Source,
        emit: Emit,
        files_before: tuple[int, int],
        bucket: "Bucket | None",
    ) -> None:
        self._context = context
        self._comm = context.comm
        self._clock = context.clock
        self._request = request
        self._emit = emit
        self._told_at = 0.0
        self._bands: BandKeeper | None = None
        self._files_before = files_before
        self._scratch = request.scratch or _folder_beside(request.output)
        if request.scratch:  # who has made it may be on another machine
            Path(request.scratch).mkdir(parents=True, exist_ok=True)
        self._source, self._bucket = source, bucket
        self._plan, self._header, self._sink_plan, self._placed = _plan_placed(
            request,
            steps,
            source.header,
            _options(request, bucket),
            ranks=context.comm.size,
            program=self._program_bytes(),
        )
        self._plan = place(self._plan, request.device, request.memory_bytes, self._find_gpu)
        self._give_back()
        self._limit()

    def _limit(self) -> None:
        """Have the kernel hold this process to its plan; a GPU's driver maps memory as it likes."""
        if any(one.gpu for one in self._plan.passes):
            return
        LIMITS.work(
            peak_bytes=self._plan.peak_bytes,
            program_bytes=PROGRAM.planned_bytes(),
            largest_bytes=self._largest_file_bytes(),
            threads=self._request.threads,
        )

    def _largest_file_bytes(self) -> int:
        """Bound of the pixels in one file, all images of the plan together, filled up to whole tiles."""
        more = max(PADDING_PX, *(self._header.layout.tile or (0,)), self._request.tile or 0)
        images = set(self._plan.images)
        return sum((one.rows + more) * (one.columns + more) * one.channels * one.itemsize for one in images)

    def _give_back(self) -> None:
        """Give back what earlier jobs have left, where it would be counted with this one's memory.

        A quick job had better use it again: new pages cost more than filling them.
        """
        room = self._plan.peak_bytes - anonymous_bytes()
        if room < SPARE_BYTES or self._plan.cost_s > UNHURRIED_S:
            PROGRAM.give_back()

    def _program_bytes(self) -> int:
        """Return what the largest of all ranks had before it began: all must plan alike."""
        own = PROGRAM.planned_bytes()
        return own if self._comm.size == 1 else max(self._comm.allgather(own))

    def run(self) -> Report | None:
        """Filter the image; return the report on rank 0."""
        request, plan = self._request, self._plan
        if self._comm.rank == 0:
            self._emit({"event": "planned", "job": request.job, "plan": plan.to_json()})
        with ExitStack() as ends:
            sink = ends.enter_context(closing(self._create_sink()))
            bands = self._bands = self._keeper(sink)
            if bands is not None:
                ends.enter_context(closing(bands))
            engine = Engine(self._context, plan, scratch=self._scratch, progress=self._progress, bands=bands)
            engine.run(self._source, sink, digest=request.digest)
            if bands is not None:  # the last are noted after the last rows have been told of
                self._tell_progress(*engine.rows)
        return self._report(engine, bands)

    def _create_sink(self) -> Sink:
        """Return the sink, which has touched nothing yet."""
        return create_sink(
            self._request.output,
            self._request.output_name,
            self._plan.after,
            self._header.metadata,
            self._header,
            _options(self._request, self._bucket),
            self._scratch,
            self._clock,
        )

    def _keeper(self, sink: Sink) -> "BandKeeper | None":
        """Return what keeps this rank's bands; None where there are none."""
        wanted, rows = self._request.bands, self._sink_plan.band_rows
        if wanted is None or rows is None or not isinstance(sink, BandSink):
            return None
        from mpi_stage.bands.grid import BandGrid  # noqa: PLC0415 (start-up time)
        from mpi_stage.sweep.band_keeper import BandKeeper, bands_key  # noqa: PLC0415 (as above)

        after = self._plan.after
        grid = BandGrid(after.rows, rows)
        slab = self._plan.partition(after).slab(self._comm.rank)
        key = bands_key(self._plan.hash, wanted.generation, sink.stored_as, grid)
        return BandKeeper(grid, slab, key, self._places(), wanted.folder, wanted.earlier)

    def _places(self) -> "BandPlaces":
        """Return where bands are kept: beside the output."""
        if self._bucket is not None and is_object(self._request.output):
            from mpi_stage.bands.in_bucket import ObjectPlaces  # noqa: PLC0415 (start-up time)

            return ObjectPlaces(self._bucket)
        from mpi_stage.bands.places import FolderPlaces  # noqa: PLC0415 (start-up time)

        return FolderPlaces()

    def _find_gpu(self) -> Gpu | str:
        """Return this rank's part of a GPU as all ranks agree on it."""
        hosts = self._comm.allgather(socket.gethostname())
        mine = hosts[self._comm.rank]
        found = _gpu_of(hosts[: self._comm.rank].count(mine), hosts.count(mine))
        return agreed(self._comm.allgather(found), self._comm.rank)

    def _progress(self, done: int, total: int) -> None:
        at = time.monotonic()
        if at - self._told_at < PROGRESS_EVERY_S and done != total:
            return
        self._told_at = at
        self._tell_progress(done, total)

    def _tell_progress(self, done: int, total: int) -> None:
        event = {"event": "progress", "job": self._request.job, "rank": self._comm.rank}
        kept = (
            {} if self._bands is None else {"bands": self._bands.grid.count, "bands_done": self._bands.done}
        )
        self._emit({**event, "rows_done": done, "rows_total": total, **kept})

    def _moved(self) -> dict[str, int]:
        """Return what this rank has moved from and to buckets, by the report's names."""
        if self._bucket is None:
            return {}
        traffic = self._bucket.traffic
        return {
            "fetched_bytes": traffic.fetched_bytes,
            "uploaded_bytes": traffic.uploaded_bytes,
            "requests": traffic.requests,
            "retries": traffic.retries,
        }

    def _output_bytes(self, bands: "BandKeeper | None") -> int:
        """Return the size of the finished output."""
        output = self._request.output
        if bands is not None and not is_object(output):
            output = bands.output
        if self._bucket is None or not is_object(output):
            return stored_bytes(output)
        address = ObjectAddress.parse(output)
        if kind_written(self._request.output_name, _options(self._request, None)) not in FOLDERS:
            return self._bucket.stat(address).size_bytes
        return sum(one.size_bytes for one in self._bucket.list(address.beside(f"{address.name}/")))

    def _anew(self) -> list[str]:
        """Say why nothing of earlier attempts was used, where there were any."""
        wanted, why = self._request.bands, self._sink_plan.no_bands
        return [f"begun anew after an earlier attempt: {why}"] if wanted and wanted.earlier and why else []

    def _report(self, engine: Engine, bands: "BandKeeper | None") -> Report | None:
        engine.memory.sample(always=True)
        read, written = (now - then for now, then in zip(file_bytes(), self._files_before, strict=True))
        mine = RankReport(
            rank=self._comm.rank,
            host=socket.gethostname(),
            rows=self._plan.partition(self._plan.after).slab(self._comm.rank).height,
            seconds={name: round(seconds, 6) for name, seconds in self._clock.seconds.items()},
            sent_bytes=self._context.traffic.sent_bytes,
            received_bytes=self._context.traffic.received_bytes,
            peak_anon_bytes=engine.memory.peak_bytes,
            spilled_bytes=engine.spilled_bytes,
            read_bytes=read,
            written_bytes=written,
            **self._moved(),
            **({} if bands is None else bands.counts()),
        )
        digest = engine.digest.joined() if engine.digest is not None else None
        remarks = self._bucket.notes if self._bucket is not None else []
        everyone = self._comm.gather((mine, digest, remarks))
        if everyone is None:
            return None
        plan, sink = self._plan, self._sink_plan
        digests = [part for _, part, _ in everyone if part is not None]
        return Report(
            job=self._request.job,
            plan_hash=plan.hash,
            ranks=[rank for rank, _, _ in everyone],
            device=_device(plan),
            rows=plan.after.rows,
            columns=plan.after.columns,
            channels=plan.after.channels,
            dtype=plan.after.dtype,
            pixels_sha256=combine(plan.after, digests) if digests else None,
            output_bytes=self._output_bytes(bands),
            seconds=0.0,
            metadata_kept=list(sink.kept),
            notes=[*plan.notes, *self._anew(), *(remark for _, _, told in everyone for remark in told)],
            band_rows=0 if bands is None else bands.grid.height,
            metadata_adjusted={
                name: how for name, how in self._placed.adjusted.items() if name not in sink.dropped
            },
            metadata_dropped={**self._placed.dropped, **sink.dropped},
            measured={
                **_measured(plan, engine.measured),
                **{name: found for name, found in engine.told if found},
            },
        )


def _measured(plan: Plan, found: Sequence[Measured]) -> dict[str, Any]:
    """Return what reduce steps found that people want to know, by the step's place and name."""
    told: dict[str, Any] = {}
    reducing = [(number, step) for number, step in enumerate(plan.steps, 1) if step.operation.reduction]
    for (number, step), one in zip(reducing, found, strict=True):
        reduction = step.operation.reduction
        if reduction is not None and reduction.tell is not None:
            told[f"{number} {step.operation.name}"] = reduction.tell(one, step.params)
    return told


def _result_spec(steps: Sequence[Step], header: Header) -> ImageSpec:
    spec = header.spec
    for step in steps:
        spec = step.operation.output(spec, step.params)
    return spec


def _options(request: Request, bucket: "Bucket | None") -> SinkOptions:
    tile = None if request.tile is None else (request.tile, request.tile)
    bands = request.bands
    options = SinkOptions(
        bands=None if bands is None else BandPlace(bands.folder, bands.band_bytes, request.digest),
        format=request.format,
        compression=request.compression,
        quality=request.quality,
        tile=tile,
        threads=request.threads,
    )
    if bucket is None or not is_object(request.output):
        return options
    from mpi_stage.objects.parts import Uploads  # noqa: PLC0415 (start-up time)

    prefix = ObjectAddress.parse(request.parts or f"{request.output}.parts/")
    return replace(options, uploads=Uploads(bucket, prefix))


def source_options(request: Request, bucket: "Bucket | None") -> SourceOptions:
    """Return which image of the input is read, and with what."""
    return SourceOptions(
        page=request.page,
        plane=request.plane,
        level=request.level,
        threads=request.threads,
        bucket=bucket if is_object(request.input) else None,
    )


def _folder_beside(output: str) -> str:
    """Return a folder for what does not fit in memory, on the device of the output where it has one."""
    return tempfile.gettempdir() if is_object(output) else str(Path(output).parent)


def _check_device(device: str) -> None:
    """Raise DeviceError where the device asked for cannot be used."""
    reason = why_unusable() if device == GPU else None
    if reason:
        raise DeviceError(f"device gpu cannot be used here: {reason}; use --device auto or cpu")


def _gpu_of(local_rank: int, local_ranks: int) -> Gpu | str:
    """Return a rank's part of a GPU of this machine, or why there is none."""
    reason = why_unusable()
    if reason:
        return reason
    found = device_of(local_rank)
    sharing = -(-local_ranks // device_count())
    return Gpu(found.number, found.name, int(found.free_bytes * SAFE_PART) // sharing)


def _device(plan: Plan) -> str:
    """Say where the plan's passes run."""
    used = {GPU if one.gpu else CPU for one in plan.passes if one.steps}
    return "mixed" if len(used) > 1 else next(iter(used), CPU)
