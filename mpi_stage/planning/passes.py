"""Steps fused into passes, and how many rows go through a pass at once."""

from collections.abc import Iterator, Sequence

from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Border, Pattern
from mpi_stage.planning.plan import Pass, PlannedStep, images_of

BLOCK_TARGET_BYTES = 6 << 20
"""Of a block of the widest rows of a pass: where the work per tile and call no longer counts.

On rows of 8,192 to 32,768 RGB pixels in tiles a Gaussian took 15 to 25 % less time than with blocks of
2 MiB, which fit in a level-2 cache; twice as much brought 5 to 10 % more, for twice the memory.
"""

BLOCK_TARGET_S = 0.5
"""Blocks of slow steps are lower, so that progress is told of while they are at work."""

LEAST_BLOCK_ROWS = 16
"""Lower blocks would mostly be halo rows and calls."""

BLOCK_HALO_RATIO = 4
"""A block has at least this many times the halo's rows, so that kernels do little work twice."""

FUSE_LIMIT_FRACTION = 0.25
"""Steps are fused only while the rows that a rank computes twice stay below this part of its slab."""


def fuse(planned: Sequence[PlannedStep], spec: ImageSpec, ranks: int) -> Iterator[Pass]:
    """Fuse neighbouring point and stencil steps; reduce and global steps end a pass."""
    open_steps: list[PlannedStep] = []
    start, measurements = spec, 0
    for one in planned:
        pattern = one.operation.pattern
        if pattern is Pattern.REDUCE:
            yield Pass(start, one.before, tuple(open_steps), one, measurements)
            open_steps = [_applying(one, measurements)]
            start, measurements = one.before, measurements + 1
        elif pattern is Pattern.GLOBAL:
            yield Pass(start, one.before, tuple(open_steps), one)
            open_steps, start = [], one.after
        else:
            if open_steps and not _fuses(open_steps, one, max(1, one.before.rows // ranks)):
                yield Pass(start, one.before, tuple(open_steps), None)
                open_steps, start = [], one.before
            open_steps.append(one)
    end = planned[-1].after if planned else spec
    yield Pass(start, end, tuple(open_steps), None)


def _applying(one: PlannedStep, measurement: int) -> PlannedStep:
    return PlannedStep(one.step, one.before, one.after, 0, one.keeps_alpha, measurement)


def _fuses(open_steps: Sequence[PlannedStep], one: PlannedStep, slab_rows: int) -> bool:
    """Whether a step joins the open pass: same topology, and little would be computed twice."""
    stencils = [step for step in open_steps if step.halo]
    if not one.halo or not stencils:
        return True
    if (one.border is Border.WRAP) != (stencils[0].border is Border.WRAP):
        return False
    return 2 * one.halo <= FUSE_LIMIT_FRACTION * slab_rows or one.halo <= BLOCK_HALO_RATIO


def usual_block_rows(passes: Sequence[Pass]) -> int:
    """Choose how many rows go through a pass at once."""
    images = images_of(passes)
    widest = max(image.row_bytes for image in images)
    halo = max((step.halo for one in passes for step in one.steps), default=0)
    rows = max(image.rows for image in images)
    slowest_s = max(sum(step.cost_s for step in one.steps) / one.before.rows for one in passes)
    quick = int(BLOCK_TARGET_S / slowest_s) if slowest_s else rows
    wanted = min(BLOCK_TARGET_BYTES // max(1, widest), quick)
    return int(min(rows, max(LEAST_BLOCK_ROWS, BLOCK_HALO_RATIO * halo, wanted)))
