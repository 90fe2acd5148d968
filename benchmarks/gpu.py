"""Measure the GPU: every kernel against a copy on the device, and whole streams against the transfers.

``python -m benchmarks.gpu`` needs a GPU, CuPy, NumPy and OpenCV; the files part needs the stage's other
packages too. It prints as it measures, and keeps all in ``benchmarks/results/`` and in ``$OUT``.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.gpu_kernel import CopyRate, KernelRate, copy_rate, kernel_rates
from benchmarks.gpu_stream import stream_rates, transfer_rates
from gpu_kernels.device import device_of, why_unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
PARTS = "kernels,tuning,streams,files"


class Log:
    """Lines that are printed and kept."""

    def __init__(self, paths: list[Path]) -> None:
        """Keep them in files."""
        self._files = [path.open("w") for path in paths]

    def __call__(self, text: str = "") -> None:
        """Print and keep a line."""
        print(text, flush=True)
        for file in self._files:
            file.write(text + "\n")
            file.flush()


def main() -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--only", default=PARTS, help=f"parts, with commas between: {PARTS}")
    parser.add_argument("--slab", type=int, default=1 << 30, help="bytes of the resident slab")
    options = parser.parse_args()
    reason = why_unusable()
    if reason:
        sys.exit(f"no GPU can be used: {reason}")
    device = device_of(0)
    slug = "-".join(device.name.lower().split())
    folders = [HERE / "results", *([Path(os.environ["OUT"])] if "OUT" in os.environ else [])]
    log = Log([folder / f"gpu-{slug}.md" for folder in folders])
    log(f"# {device.name}\n")
    log(
        f"{device.total_bytes / 2**30:.0f} GiB, of which {device.free_bytes / 2**30:.0f} free; "
        f"{len(os.sched_getaffinity(0))} cores; Python {platform.python_version()}; {_versions()}\n"
    )
    parts: dict[str, Callable[[], None]] = {
        "kernels": lambda: _kernels(log, options.slab, tuning=False),
        "tuning": lambda: _kernels(log, options.slab, tuning=True),
        "streams": lambda: _streams(log),
        "files": lambda: _files(log),
    }
    for part in options.only.split(","):
        started = time.perf_counter()
        parts[part]()
        log(f"\n{part}: {time.perf_counter() - started:.0f} s in all\n")


def _versions() -> str:
    import cupy  # noqa: PLC0415
    import cv2  # noqa: PLC0415

    runtime = cupy.cuda.runtime.runtimeGetVersion()
    return f"CuPy {cupy.__version__}, CUDA {runtime}, NumPy {np.__version__}, OpenCV {cv2.__version__}"


def _kernels(log: Log, slab_bytes: int, *, tuning: bool) -> None:
    rate: CopyRate = copy_rate(slab_bytes)
    log(f"A copy on the device moves {rate.bytes_per_s / 1e9:.0f} GB/s, bytes read and written.\n")
    log("| kernel | type | channels | shape | GB/s | of the copy |\n|---|---|---|---|---|---|")
    rates: Iterator[KernelRate] = kernel_rates(slab_bytes, tuning=tuning)
    for one in rates:
        part = one.bytes_per_s / rate.bytes_per_s
        speed = f"{one.bytes_per_s / 1e9:.0f} | {part:.0%}" if one.bytes_per_s else f"failed: {one.error} |"
        log(f"| {one.pipeline} | {one.dtype} | {one.channels} | {one.shape} | {speed} |")


def _streams(log: Log) -> None:
    rates = transfer_rates()
    log(
        f"\nPinned blocks travel up at {rates.up / 1e9:.1f} GB/s, down at {rates.down / 1e9:.1f}, "
        f"both at once at {rates.both / 1e9:.1f} together.\n"
    )
    log("| chain | type | MB | transfers s | kernels s | stream s | × the larger |")
    log("|---|---|---|---|---|---|---|")
    for one in stream_rates(rates):
        larger = max(one.transfer_s, one.compute_s)
        log(
            f"| {one.pipeline} | {one.dtype} | {one.size_bytes / 1e6:.0f} | {one.transfer_s:.4f} | "
            f"{one.compute_s:.4f} | {one.stream_s:.4f} | {one.stream_s / larger:.2f} |"
        )


def _files(log: Log) -> None:
    from benchmarks.gpu_files import file_runs  # noqa: PLC0415  (needs MPI and codecs)

    log("\n| pipeline | device | seconds | of these at work | peak MB | same bytes |")
    log("|---|---|---|---|---|---|")
    for one in file_runs():
        log(
            f"| {one.pipeline} | {one.device} | {one.seconds:.2f} | {one.phases} | "
            f"{one.peak_bytes / 1e6:.0f} | {one.same} |"
        )


if __name__ == "__main__":
    main()
