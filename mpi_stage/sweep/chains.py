"""The chain of a pass on the device that the plan has chosen for it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from mpi_stage.errors import DeviceLostError
from mpi_stage.geometry.partition import Rows
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.planning.gpu import Gpu
from mpi_stage.planning.plan import Pass
from mpi_stage.sweep.stream import Chain, Emit

if TYPE_CHECKING:
    from gpu_kernels.chain import Chain as GpuChain

Room = Callable[[int], Pixels]
"""Gives memory for so many rows, to be filled and used until it is called again."""


def one_buffer(spec: ImageSpec, most_rows: int) -> Room:
    """Return room for up to ``most_rows`` rows, always in the same memory."""
    buffer: list[Pixels] = []

    def room(rows: int) -> Pixels:
        if not buffer:
            buffer.append(spec.empty(most_rows))
        return buffer[0][:rows]

    return room


class PassChain(Protocol):
    """Rows in at one end, filtered rows of the slab out at the other."""

    def room(self, rows: int) -> Pixels:
        """Return memory for the next rows; rows that are pushed from there need no copy."""

    def push(self, rows: Pixels, emit: Emit) -> None:
        """Send rows through; ``emit`` gets the slab's rows, in order, as they are ready."""

    def finish(self, emit: Emit) -> None:
        """Bring out all that the steps hold back."""


class _CpuChain(Chain):
    """The chain of a pass on the CPU; rows go in from a buffer or, if they may lie apart, from their place.

    The first rows come from the buffer: while they are read, those above them are still on their way.
    """

    def __init__(
        self, one: Pass, arriving: Rows, slab: Rows, block_rows: int, measured: Sequence[Any], *, apart: bool
    ) -> None:
        super().__init__(one.steps, arriving, slab, block_rows, periodic=one.periodic, measured=measured)
        self._buffer = one_buffer(one.before, min(block_rows, arriving.height))
        self._apart = apart
        self._begun = False

    def room(self, rows: int) -> Pixels:
        place = self.first_room(rows) if self._apart and self._begun else None
        self._begun = True
        return self._buffer(rows) if place is None else place


@contextmanager
def open_chain(
    one: Pass, arriving: Rows, slab: Rows, block_rows: int, measured: Sequence[Any], *, apart: bool
) -> Iterator[PassChain]:
    """Give a chain for the virtual rows ``arriving``; exactly the rows of ``slab`` come out of it.

    ``apart`` says that what fills the chain's room takes memory whose rows do not follow one another.

    Raises
    ------
    DeviceLostError: the GPU failed, now or while the chain was at work.

    """
    if one.gpu is None:
        yield _CpuChain(one, arriving, slab, block_rows, measured, apart=apart)
        return
    from gpu_kernels.errors import GpuError  # noqa: PLC0415  (start-up time: most passes run on the CPU)

    try:
        with _gpu_chain(one, one.gpu, arriving, slab, measured) as chain:
            yield chain
    except GpuError as error:
        raise DeviceLostError(f"{error}; another attempt may run on a CPU") from error


@contextmanager
def _gpu_chain(
    one: Pass, gpu: Gpu, arriving: Rows, slab: Rows, measured: Sequence[Any]
) -> "Iterator[GpuChain]":
    from gpu_kernels.chain import Chain as GpuChain  # noqa: PLC0415  (start-up time)
    from gpu_kernels.cuda_backend import CudaBackend  # noqa: PLC0415  (needs CuPy)
    from gpu_kernels.program import make_program  # noqa: PLC0415  (start-up time)
    from mpi_stage.planning.gpu_steps import gpu_steps  # noqa: PLC0415  (as above)

    program = make_program(gpu_steps(one.steps, measured))
    if isinstance(program, str):
        raise DeviceLostError(f"the plan and the kernels disagree: {program}")
    backend = CudaBackend(gpu.number, gpu.share_bytes)
    try:
        yield GpuChain(program, backend, arriving, slab, gpu.block_rows, periodic=one.periodic)
    finally:
        backend.close()
