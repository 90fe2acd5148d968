"""A CUDA device, through CuPy; imported only where there is one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import cupy
import numpy as np
from numpy.typing import NDArray

from gpu_kernels.backend import DOWN, UP, WORK, Argument, Event
from gpu_kernels.errors import GpuError, GpuLostError, GpuMemoryError
from gpu_kernels.sources import Code
from gpu_kernels.step import Pixels

OPTIONS = ("--std=c++17", "--fmad=false")
"""Without contraction: a product and a sum are rounded as the source says, as on the CPU."""

_UP_KIND, _DOWN_KIND, _DEVICE_KIND = 1, 2, 3  # cudaMemcpyKind


@contextmanager
def _translated() -> Iterator[None]:
    """Turn CuPy's exceptions into ours."""
    try:
        yield
    except cupy.cuda.memory.OutOfMemoryError as error:
        raise GpuMemoryError(f"the GPU's memory is too small: {error}") from error
    except (
        cupy.cuda.runtime.CUDARuntimeError,
        cupy.cuda.driver.CUDADriverError,
        cupy.cuda.compiler.CompileException,
    ) as error:
        raise GpuLostError(f"the GPU or its driver failed: {error}") from error


class CudaBackend:
    """One device and three streams; see :class:`gpu_kernels.backend.Backend`."""

    def __init__(
        self, device: int, limit_bytes: int, *, poison: int | None = None, timed: bool = False
    ) -> None:
        """Use a device by its number, and at most ``limit_bytes`` of its memory.

        ``poison`` fills new memory, so that tests see what was never written; ``timed`` lets
        :meth:`seconds_between` tell the time.
        """
        self._timed = timed
        self._poison = poison
        self._memory: list[Any] = []
        self._constants: dict[tuple[str, bytes], int] = {}
        self._known: dict[int, tuple[NDArray[Any], int]] = {}
        """By identity, for launches: comparing a table would take longer than they do."""

        self._functions: dict[tuple[int, str], tuple[Code, Any]] = {}
        with _translated():
            self._device = cupy.cuda.Device(device)
            self._device.use()
            self._pool = cupy.cuda.MemoryPool()
            self._pool.set_limit(size=limit_bytes)
            self._streams = {name: cupy.cuda.Stream(non_blocking=True) for name in (UP, WORK, DOWN)}

    @property
    def used_bytes(self) -> int:
        """Memory of the device that is taken."""
        return int(self._pool.total_bytes())

    def prepare(self, codes: Sequence[Code]) -> None:
        """Compile kernels before they are needed."""
        with _translated():
            for code in codes:
                for kernel in code.kernels:
                    _function(self._device.id, code, kernel)

    def allocate(self, size_bytes: int) -> int:
        """Return the address of new memory of the device."""
        with _translated():
            memory = self._pool.malloc(size_bytes)
            if self._poison is not None:
                cupy.cuda.runtime.memset(memory.ptr, self._poison, size_bytes)
                cupy.cuda.runtime.deviceSynchronize()  # our streams do not wait for this one
        self._memory.append(memory)
        return int(memory.ptr)

    def constant(self, values: NDArray[Any]) -> int:
        """Return the address of a copy of a small table."""
        known = self._known.get(id(values))
        if known is not None:
            return known[1]
        contiguous = np.ascontiguousarray(values)
        key = (contiguous.dtype.str, contiguous.tobytes())
        if key not in self._constants:
            address = self.allocate(max(1, contiguous.nbytes))
            with _translated():
                cupy.cuda.runtime.memcpy(address, contiguous.ctypes.data, contiguous.nbytes, _UP_KIND)
                cupy.cuda.runtime.deviceSynchronize()
            self._constants[key] = address
        self._known[id(values)] = values, self._constants[key]
        return self._constants[key]

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return host memory that the device copies from and to by itself."""
        with _translated():
            memory = cupy.cuda.alloc_pinned_memory(size_bytes)
        return np.frombuffer(memory, np.uint8, size_bytes)

    def copy_up(self, address: int, pitch: int, rows: Pixels) -> None:
        """Copy host rows to the device."""
        width = rows.nbytes // len(rows)
        self._copy(address, pitch, rows.ctypes.data, width, width, len(rows), _UP_KIND, UP)

    def copy_down(self, rows: Pixels, address: int, pitch: int) -> None:
        """Copy rows of the device to the host."""
        width = rows.nbytes // len(rows)
        self._copy(rows.ctypes.data, width, address, pitch, width, len(rows), _DOWN_KIND, DOWN)

    def copy(self, target: int, source: int, pitches: tuple[int, int], row_bytes: int, rows: int) -> None:
        """Copy rows on the device."""
        self._copy(target, pitches[0], source, pitches[1], row_bytes, rows, _DEVICE_KIND, WORK)

    def copy_plain(self, target: int, source: int, size_bytes: int) -> None:
        """Copy bytes on the device, as fast as it goes."""
        with _translated():
            stream = self._streams[WORK].ptr
            cupy.cuda.runtime.memcpyAsync(target, source, size_bytes, _DEVICE_KIND, stream)

    def launch(
        self, code: Code, kernel: str, grid: tuple[int, int], block: int, arguments: Sequence[Argument]
    ) -> None:
        """Launch a kernel."""
        exact = tuple(np.int64(one) if isinstance(one, int) else one for one in arguments)
        with _translated(), self._streams[WORK]:
            found = self._functions.get((id(code), kernel))
            if found is None:
                found = self._functions[id(code), kernel] = code, _function(self._device.id, code, kernel)
            found[1](grid, (block,), exact)

    def mark(self, stream: str) -> Event:
        """Return the point that a stream has been given work up to."""
        with _translated():
            event = cupy.cuda.Event(disable_timing=not self._timed)
            event.record(self._streams[stream])
        return event

    def after(self, stream: str, event: Event) -> None:
        """Let a stream wait for an event."""
        with _translated():
            self._streams[stream].wait_event(event)

    def wait(self, event: Event) -> None:
        """Wait for an event."""
        with _translated():
            event.synchronize()

    def seconds_between(self, start: Event, end: Event) -> float:
        """Return the seconds from one event to a later one, of a backend that is timed."""
        self.wait(end)
        with _translated():
            return float(cupy.cuda.get_elapsed_time(start, end)) * 1e-3

    def close(self) -> None:
        """Wait for all that is under way and give the memory back."""
        try:
            with _translated():
                for stream in self._streams.values():
                    stream.synchronize()
        except GpuError:
            pass  # what was under way has failed and told so; the memory is given back all the same
        self._memory.clear()
        self._constants.clear()
        self._known.clear()
        self._pool.free_all_blocks()

    def _copy(  # noqa: PLR0917  (as cudaMemcpy2DAsync has it)
        self, target: int, target_pitch: int, source: int, source_pitch: int, width: int, height: int,
        kind: int, stream: str,
    ) -> None:  # fmt: skip
        with _translated():
            cupy.cuda.runtime.memcpy2DAsync(
                target, target_pitch, source, source_pitch, width, height, kind, self._streams[stream].ptr
            )


@lru_cache(maxsize=256)
def _function(device: int, code: Code, kernel: str) -> Any:  # noqa: ANN401  (CuPy has no types)
    """Return a compiled kernel; CuPy keeps what it compiled on disk too."""
    with cupy.cuda.Device(device):
        return _module(device, code).get_function(kernel)


@lru_cache(maxsize=256)
def _module(device: int, code: Code) -> Any:  # noqa: ANN401, ARG001  (a module belongs to its device)
    return cupy.RawModule(code=code.text, options=OPTIONS, backend="nvrtc")
