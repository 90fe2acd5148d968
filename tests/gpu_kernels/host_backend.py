"""A device that is this CPU: the CUDA kernels compiled by g++, run thread by thread; memory is poisoned."""

import ctypes
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
POISON = 0xA5

_TYPES = {
    np.int32: ("int", ctypes.c_int),
    np.uint8: ("u8", ctypes.c_ubyte),
    np.uint16: ("u16", ctypes.c_ushort),
    np.float32: ("f32", ctypes.c_float),
}


def compiler():
    """Return the path of g++, None without one."""
    return shutil.which("g++")


class Library:
    """Compiled kernels, kept in a folder by the digest of their source."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded = {}

    def prepare(self, codes):
        """Compile what is not there yet, on all cores."""
        missing = {code.digest: code for code in codes if code.digest not in self._loaded}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            paths = list(pool.map(self._build, missing.values()))
        self._loaded |= {digest: ctypes.CDLL(str(path)) for digest, path in zip(missing, paths, strict=True)}

    def function(self, code, kernel):
        """Return the runner of one kernel: (grid x, grid y, block, addresses of arguments)."""
        if code.digest not in self._loaded:
            self.prepare([code])
        return getattr(self._loaded[code.digest], f"run_{kernel}")

    def _build(self, code):
        path = self._folder / f"{code.digest}.so"
        source = path.with_suffix(".cpp")
        runners = "".join(_RUNNER.replace("KERNEL_NAME", kernel) for kernel in code.kernels)
        source.write_text((HERE / "host_shim.h").read_text() + code.text + runners)
        _compile("-shared", "-o", str(path), str(source))
        return path


def _compile(*arguments):
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-fno-strict-aliasing", "-mfma", "-w", "-fPIC"]
    done = subprocess.run([compiler(), *flags, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]


_RUNNER = """
template <typename... A, size_t... I>
static void call_KERNEL_NAME(void (*kernel)(A...), void** arguments, Indices<I...>) {
    kernel(*(A*)arguments[I]...);
}
template <typename... A> static void spread_KERNEL_NAME(void (*kernel)(A...), void** arguments) {
    call_KERNEL_NAME(kernel, arguments, typename Counted<sizeof...(A)>::type());
}
extern "C" void run_KERNEL_NAME(int width, int height, int block, void** arguments) {
    blockDim = {block, 1};
    for (blockIdx.y = 0; blockIdx.y < height; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < width; blockIdx.x++)
            for (threadIdx = {0, 0}; threadIdx.x < block; threadIdx.x++)
                spread_KERNEL_NAME(KERNEL_NAME, arguments);
}
"""


class HostBackend:
    """The backend of the tests; everything is done at once, in the order in which it is asked for."""

    def __init__(self, library):
        self._library = library
        self._memory = []
        self._constants = {}
        self.allocated_bytes = 0
        self.pinned_bytes = 0

    def allocate(self, size_bytes):
        raw = np.full(size_bytes + 256, POISON, np.uint8)
        self._memory.append(raw)
        self.allocated_bytes += size_bytes
        return -(-raw.ctypes.data // 256) * 256

    def constant(self, values):
        key = (values.dtype.str, values.tobytes())
        if key not in self._constants:
            self._constants[key] = np.ascontiguousarray(values).copy()
        return self._constants[key].ctypes.data

    @property
    def constant_bytes(self):
        return sum(table.nbytes for table in self._constants.values())

    def pinned(self, size_bytes):
        self.pinned_bytes += size_bytes
        return np.full(size_bytes, POISON, np.uint8)

    def copy_up(self, address, pitch, rows):
        data = rows.reshape(len(rows), -1).view(np.uint8)
        for number, row in enumerate(data):
            ctypes.memmove(address + number * pitch, row.ctypes.data, row.size)

    def copy_down(self, rows, address, pitch):
        data = rows.reshape(len(rows), -1).view(np.uint8)
        for number, row in enumerate(data):
            ctypes.memmove(row.ctypes.data, address + number * pitch, row.size)

    def copy(self, target, source, pitches, row_bytes, rows):
        for number in range(rows):
            ctypes.memmove(target + number * pitches[0], source + number * pitches[1], row_bytes)

    def launch(self, code, kernel, grid, block, arguments):
        run = self._library.function(code, kernel)
        held = [_c_value(one) for one in arguments]
        pointers = (ctypes.c_void_p * len(held))(*(ctypes.addressof(one) for one in held))
        run(grid[0], grid[1], block, pointers)

    def mark(self, stream):
        return stream

    def after(self, stream, event):
        pass

    def wait(self, event):
        pass

    def close(self):
        self._memory.clear()


def _c_value(value):
    if isinstance(value, int):
        return ctypes.c_longlong(value)
    return _TYPES[type(value)][1](value.item())
