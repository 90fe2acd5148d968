"""On which device each pass of a plan runs: decided once for all ranks, from sizes alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mpi_stage.errors import DeviceError
from mpi_stage.planning.gpu import Gpu
from mpi_stage.planning.plan import Pass, Plan

if TYPE_CHECKING:
    from gpu_kernels.program import Program

CPU, GPU, AUTO = "cpu", "gpu", "auto"

GPU_START_S = 1.0
"""What it takes until the first block is on its way: CuPy, the driver's context, compiling. An H100's first
job took half a second longer than the next, another fifth where a long kernel was compiled."""

COPY_BYTES_PER_S = 24e9
"""Of blocks that travel to a GPU and back, both ways added up: what an older link does. That of an H100 did
four times as much, see ``benchmarks/results``."""

BLOCK_TARGET_BYTES = 24 << 20
"""Of a block's widest rows: copies of a few milliseconds, beside which launches do not count."""

LEAST_BLOCK_ROWS = 16
SAFE_PART = 0.8
"""Of what is free on a GPU when a job begins; the rest is for others and for the driver."""

HOST_BYTES = 400 << 20
"""Anonymous memory of the process for CuPy, the driver and the compiler."""


FindGpu = Callable[[], Gpu | str]
"""Return this rank's part of a GPU, or why there is none; see :func:`agreed`."""


def agreed(everyone: Sequence[Gpu | str], rank: int) -> Gpu | str:
    """Return what ``rank`` may use where the ranks of a world have found ``everyone``.

    They all have as little memory as the one with least, so that all place their passes alike: floats
    would otherwise differ from rank to rank.
    """
    gpus = [one for one in everyone if not isinstance(one, str)]
    if len(gpus) < len(everyone):
        return next(one for one in everyone if isinstance(one, str))
    return replace(gpus[rank], share_bytes=min(one.share_bytes for one in gpus))


def place(plan: Plan, device: str, memory_bytes: int, find: FindGpu) -> Plan:
    """Return the plan with a device for every pass.

    ``auto`` takes a GPU only for passes whose bytes do not depend on it and whose kernels have been measured,
    and only where the work that it saves outweighs the start and the copies; ``find`` is not called before
    that is clear. Where floats were asked to be filtered on a GPU and do not fit, they are not on the CPU
    either: the bytes would depend on how many ranks share the memory.

    Raises
    ------
    DeviceError: ``gpu`` was asked for and cannot be used, no pass has kernels for it, or floats do not fit.

    """
    cpu_s = sum(step.cost_s for one in plan.passes for step in one.steps) / plan.ranks
    if device == CPU or (device == AUTO and cpu_s <= GPU_START_S):  # no more can be saved than all of it
        return plan
    wishes = [_wish(one, plan, device) for one in plan.passes]
    if device == AUTO and sum(saved for saved, _ in wishes) <= GPU_START_S:
        return plan
    found = find()
    if isinstance(found, str):
        if device == GPU:
            raise DeviceError(f"device gpu cannot be used here: {found}; use --device auto or cpu")
        return plan
    placed = []
    for one, (_, why) in zip(plan.passes, wishes, strict=True):
        choice = why or _fitting(one, plan, found, memory_bytes)
        if why is None and isinstance(choice, str) and _has_floats(one):
            raise DeviceError(
                f"floats do not fit on the GPU: {choice}; allow more memory or use --device cpu"
            )
        placed.append(_placed(one, choice))
    if device == GPU and not any(one.gpu for one in placed):
        reasons = "; ".join(dict.fromkeys(one.why_cpu for one in placed if one.why_cpu))
        raise DeviceError(f"no pass of this pipeline can run on a GPU: {reasons}; use --device auto or cpu")
    host = max((_host_bytes(one) for one in placed), default=0)
    return replace(plan, passes=tuple(placed), peak_bytes=plan.peak_bytes + host)


def why_no_kernels(one: Pass) -> str | None:
    """Return why a pass cannot run on a GPU, None if it can."""
    program = _program(one)
    return program if isinstance(program, str) else None


def _program(one: Pass) -> "Program | str":
    from gpu_kernels.program import make_program  # noqa: PLC0415  (start-up time: only where a GPU is)
    from mpi_stage.planning.gpu_steps import gpu_steps  # noqa: PLC0415  (as above)

    return make_program(gpu_steps(one.steps, None))


def _wish(one: Pass, plan: Plan, device: str) -> tuple[float, str | None]:
    """Return the seconds that a GPU would save, and why a pass stays on the CPU."""
    program = _program(one)
    if isinstance(program, str):
        return 0.0, program
    why = None
    if device == AUTO and _has_floats(one):
        why = "floats would differ in their last bits, so that only --device gpu takes one for them"
    elif device == AUTO and program.unmeasured:
        why = (
            f"the kernel of {program.unmeasured[0]} has not been measured, so that only --device gpu takes it"
        )
    cpu_s = sum(step.cost_s for step in one.steps) / plan.ranks
    copies_s = (one.before.total_bytes + one.after.total_bytes) / COPY_BYTES_PER_S
    saved_s = cpu_s - copies_s
    if why is None and device == AUTO and saved_s <= 0:
        why = "copying to a GPU and back would take longer"
    return (0.0, why) if why else (saved_s, None)


def _has_floats(one: Pass) -> bool:
    return any("float32" in (step.before.dtype, step.after.dtype) for step in one.steps)


def _fitting(one: Pass, plan: Plan, gpu: Gpu, memory_bytes: int) -> Gpu | str:
    """Return the GPU with the height of blocks that fit on it and beside the rest of this rank."""
    program = _program(one)
    if isinstance(program, str):
        return program
    widest = max(image.row_bytes for step in one.steps for image in (step.before, step.after))
    slab_rows = plan.partition(one.before).largest
    rows = max(LEAST_BLOCK_ROWS, min(slab_rows, BLOCK_TARGET_BYTES // max(1, widest)))
    room = memory_bytes - plan.peak_bytes - HOST_BYTES
    while True:
        needed = program.device_bytes(rows) + program.table_bytes
        pinned = program.pinned_bytes(rows)
        if needed <= gpu.share_bytes and pinned <= room:
            return replace(gpu, block_rows=rows)
        if rows <= LEAST_BLOCK_ROWS:
            return (
                f"with blocks of {rows} rows it needs {needed} bytes of the GPU's {gpu.share_bytes} and "
                f"{HOST_BYTES + pinned} bytes of the host beside {plan.peak_bytes}, limit {memory_bytes}"
            )
        rows = max(LEAST_BLOCK_ROWS, rows // 2)


def _placed(one: Pass, choice: Gpu | str) -> Pass:
    return replace(one, why_cpu=choice) if isinstance(choice, str) else replace(one, gpu=choice)


def _host_bytes(one: Pass) -> int:
    program = _program(one)
    if one.gpu is None or isinstance(program, str):
        return 0
    return HOST_BYTES + program.pinned_bytes(one.gpu.block_rows)
