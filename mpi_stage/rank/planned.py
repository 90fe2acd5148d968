"""A request planned for its image, from the header alone."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import NamedTuple

from mpi_stage.contract import Request
from mpi_stage.formats.headers import Header
from mpi_stage.formats.nodata import nodata_value
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.formats.registry import read_header
from mpi_stage.formats.sink_plans import plan_sink
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import Step, parse
from mpi_stage.planning.budget import check_header, check_plan
from mpi_stage.planning.devices import place
from mpi_stage.planning.placed import Placed, place_metadata, upright_steps
from mpi_stage.planning.plan import Plan
from mpi_stage.planning.planner import make_plan
from mpi_stage.planning.program_memory import PROGRAM
from mpi_stage.process.limits import LIMITS
from mpi_stage.rank.ends import open_bucket, sink_options, source_options
from mpi_stage.rank.own_gpu import check_device, gpu_of


class Planned(NamedTuple):
    """A request planned for one image.

    Attributes
    ----------
    plan: what will be done.
    header: of the input, with the metadata that the result is to have.
    sink: how the output will be written.
    placed: these metadata, what was changed in them, and why others are dropped.

    """

    plan: Plan
    header: Header
    sink: SinkPlan
    placed: Placed


def begin(request: Request) -> Sequence[Step]:
    """Begin a request in this process: its limits, and its steps with what their collectives import.

    SciPy's transforms are large; here they count once, as a part of the program. Raises PipelineError,
    DeviceError.
    """
    steps = parse(request.steps, default_border=request.border)
    for name in {step.operation.collective for step in steps} - {None}:
        import_module(f"mpi_stage.collective.{name}")
    check_device(request.device)
    LIMITS.begin(request.budget.decode_s, request.memory_bytes)
    PROGRAM.settle()
    return steps


def plan_request(request: Request, ranks: int) -> Planned:
    """Plan a request for a world of ``ranks`` ranks; reads the input's header only.

    Raises the stage's errors: of the input, of the pipeline, and of what is more than the limits.
    """
    steps = begin(request)
    with open_bucket(request) as bucket:
        read = read_header(request.input, source_options(request, bucket))
        program = PROGRAM.planned_bytes()
        planned = plan_image(
            request, steps, read, sink_options(request, bucket), ranks=ranks, program_bytes=program
        )
    plan = place(planned.plan, request.device, request.memory_bytes, lambda: gpu_of(0, ranks))
    return planned._replace(plan=plan)


def plan_image(
    request: Request,
    steps: Sequence[Step],
    read: Header,
    options: SinkOptions,
    *,
    ranks: int,
    program_bytes: int,
) -> Planned:
    """Plan the steps of a request for the image that its input's header tells of, without a device.

    ``program_bytes`` are there on every rank before it begins. Raises as :func:`plan_request`.
    """
    check_header(request.input, read, request.budget)
    upright = upright_steps(read.metadata)
    placed = place_metadata(read.metadata, (*upright, *steps), read.spec)
    header = replace(read, metadata=placed.metadata)
    sink = plan_sink(request.output_name, _result_spec((*upright, *steps), read.spec), header, options)
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
        program_bytes=program_bytes,
    )
    check_plan(plan, request.budget)
    return Planned(plan, header, sink, placed)


def _result_spec(steps: Sequence[Step], spec: ImageSpec) -> ImageSpec:
    for step in steps:
        spec = step.operation.output(spec, step.params)
    return spec
