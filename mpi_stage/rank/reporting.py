"""The report of a request: what each rank did, put together by rank 0."""

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mpi_stage.contract import RankReport, Report
from mpi_stage.engine import Engine
from mpi_stage.formats.sink_plans import FOLDERS, kind_written
from mpi_stage.objects.address import ObjectAddress, is_object
from mpi_stage.operations.declaring.declaration import Measured
from mpi_stage.planning.devices import CPU, GPU
from mpi_stage.planning.plan import Plan
from mpi_stage.process.files import stored_bytes
from mpi_stage.process.setup import file_bytes
from mpi_stage.rank.ends import sink_options
from mpi_stage.rank.work import Work
from mpi_stage.rows.digest import combine

if TYPE_CHECKING:
    from mpi_stage.sweep.band_keeper import BandKeeper


class _Told(NamedTuple):
    """What one rank tells rank 0; ``digest`` is that of its rows, None where none was asked for."""

    report: RankReport
    digest: bytes | None
    remarks: Sequence[str]


def report_of(work: Work, engine: Engine, bands: "BandKeeper | None") -> Report | None:
    """Return the report of finished work on rank 0, None on the others; all ranks call this.

    ``seconds`` is still to be stated: the files are not closed yet.
    """
    engine.memory.sample(always=True)
    digest = engine.digest.joined() if engine.digest is not None else None
    remarks = work.bucket.notes if work.bucket is not None else []
    everyone = work.context.comm.gather(_Told(_rank_report(work, engine, bands), digest, remarks))
    return None if everyone is None else _joined(work, engine, bands, everyone)


def _rank_report(work: Work, engine: Engine, bands: "BandKeeper | None") -> RankReport:
    """Return what this rank did."""
    context, plan = work.context, work.planned.plan
    read, written = (now - then for now, then in zip(file_bytes(), work.files_before, strict=True))
    return RankReport(
        rank=context.comm.rank,
        host=socket.gethostname(),
        rows=plan.partition(plan.after).slab(context.comm.rank).height,
        seconds={name: round(seconds, 6) for name, seconds in context.clock.seconds.items()},
        sent_bytes=context.traffic.sent_bytes,
        received_bytes=context.traffic.received_bytes,
        peak_anon_bytes=engine.memory.peak_bytes,
        spilled_bytes=engine.spilled_bytes,
        read_bytes=read,
        written_bytes=written,
        **_moved(work),
        **({} if bands is None else bands.counts()),
    )


def _joined(work: Work, engine: Engine, bands: "BandKeeper | None", everyone: Sequence[_Told]) -> Report:
    """Return the report of what all ranks have told."""
    plan, _, sink, placed = work.planned
    digests = [one.digest for one in everyone if one.digest is not None]
    remarks = [remark for one in everyone for remark in one.remarks]
    return Report(
        job=work.request.job,
        plan_hash=plan.hash,
        ranks=[one.report for one in everyone],
        device=_device(plan),
        rows=plan.after.rows,
        columns=plan.after.columns,
        channels=plan.after.channels,
        dtype=plan.after.dtype,
        pixels_sha256=combine(plan.after, digests) if digests else None,
        output_bytes=_output_bytes(work, bands),
        seconds=0.0,
        metadata_kept=list(sink.kept),
        notes=[*plan.notes, *_anew(work), *remarks],
        band_rows=0 if bands is None else bands.grid.height,
        metadata_adjusted={name: how for name, how in placed.adjusted.items() if name not in sink.dropped},
        metadata_dropped={**placed.dropped, **sink.dropped},
        measured=_measured(plan, engine.measured) | {name: found for name, found in engine.told if found},
    )


def _moved(work: Work) -> dict[str, int]:
    """Return what this rank has moved from and to buckets, by the report's names."""
    if work.bucket is None:
        return {}
    traffic = work.bucket.traffic
    return {
        "fetched_bytes": traffic.fetched_bytes,
        "uploaded_bytes": traffic.uploaded_bytes,
        "requests": traffic.requests,
        "retries": traffic.retries,
    }


def _output_bytes(work: Work, bands: "BandKeeper | None") -> int:
    """Return the size of the finished output."""
    request, bucket = work.request, work.bucket
    if bucket is None or not is_object(request.output):
        return stored_bytes(request.output if bands is None else bands.output)
    address = ObjectAddress.parse(request.output)
    if kind_written(request.output_name, sink_options(request, None)) not in FOLDERS:
        return bucket.stat(address).size_bytes
    return sum(one.size_bytes for one in bucket.list(address.beside(f"{address.name}/")))


def _anew(work: Work) -> list[str]:
    """Say why nothing of earlier attempts was used, where there were any."""
    wanted, why = work.request.bands, work.planned.sink.no_bands
    return [f"begun anew after an earlier attempt: {why}"] if wanted and wanted.earlier and why else []


def _measured(plan: Plan, found: Sequence[Measured]) -> dict[str, Any]:
    """Return what reduce steps found that people want to know, by the step's place and name."""
    told: dict[str, Any] = {}
    reducing = [(number, step) for number, step in enumerate(plan.steps, 1) if step.operation.reduction]
    for (number, step), one in zip(reducing, found, strict=True):
        reduction = step.operation.reduction
        if reduction is not None and reduction.tell is not None:
            told[f"{number} {step.operation.name}"] = reduction.tell(one, step.params)
    return told


def _device(plan: Plan) -> str:
    """Say where the plan's passes run."""
    used = {GPU if one.gpu else CPU for one in plan.passes if one.steps}
    return "mixed" if len(used) > 1 else next(iter(used), CPU)
