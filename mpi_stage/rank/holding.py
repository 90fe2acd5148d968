"""A process held to the plan that it carries out: by the kernel, and by what earlier jobs have left."""

from mpi_stage.contract import Request
from mpi_stage.formats.headers import Header
from mpi_stage.planning.memory import LATER_BYTES
from mpi_stage.planning.plan import Plan
from mpi_stage.planning.program_memory import PROGRAM
from mpi_stage.process.limits import LIMITS
from mpi_stage.process.setup import anonymous_bytes
from mpi_stage.rows.context import RankContext

UNHURRIED_S = 0.02
"""A job that takes so long does not notice that its memory is new."""

PADDING_PX = 4096
"""Of a file's tiles beyond the image, unless they are larger."""

SPARE_BYTES = LATER_BYTES // 2
"""Of the memory predicted for a job, not yet there when it begins: its first buffers, and what it sets up."""


def program_bytes(context: RankContext) -> int:
    """Return what the largest of all ranks had before it began: all must plan alike. All call it."""
    own = PROGRAM.planned_bytes()
    return own if context.comm.size == 1 else max(context.comm.allgather(own))


def hold_to(plan: Plan, header: Header, request: Request) -> None:
    """Have the kernel hold this process to its plan, once what earlier jobs have left is out of the way.

    A GPU's driver maps memory as it likes: a rank that uses one is not held.
    """
    _make_room(plan)
    if any(one.gpu for one in plan.passes):
        return
    LIMITS.work(
        peak_bytes=plan.peak_bytes,
        program_bytes=PROGRAM.planned_bytes(),
        largest_bytes=_largest_file_bytes(plan, header, request.tile),
        threads=request.threads,
    )


def _make_room(plan: Plan) -> None:
    """Give back what earlier jobs have left, where it would be counted with this one's memory.

    A quick job had better use it again: new pages cost more than filling them.
    """
    room = plan.peak_bytes - anonymous_bytes()
    if room < SPARE_BYTES or plan.cost_s > UNHURRIED_S:
        PROGRAM.give_back()


def _largest_file_bytes(plan: Plan, header: Header, tile: int | None) -> int:
    """Bound of the pixels in one file, all images of the plan together, filled up to whole tiles."""
    more = max(PADDING_PX, *(header.layout.tile or (0,)), tile or 0)
    images = set(plan.images)
    return sum((one.rows + more) * (one.columns + more) * one.channels * one.itemsize for one in images)
