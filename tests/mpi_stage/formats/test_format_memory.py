"""What headers and plans say of a codec's memory is never less than what it takes."""

import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
from formats_support import picture
from PIL import Image

# Each in a process of its own, for the kernel only knows the most that a process ever had.
MEASURE = """
import sys
import numpy as np
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import open_source
from mpi_stage.formats.sink_plans import plan_sink
from mpi_stage.formats.sinks import create_sink
from mpi_stage.process.timing import PhaseClock
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
what, path, other = sys.argv[1:]
warm = open_source(other, PhaseClock())
warm.read_rows(0, warm.header.spec.empty(1))
warm.close()
source = open_source(path, PhaseClock())
spec = source.header.spec
if what == "read":
    rows = spec.empty(1)
    rows[...] = 0
    before = peak()
    source.read_rows(0, rows)
    print(peak() - before, source.header.decode_bytes)
else:
    name = "out." + what
    out = f"{path}.{name}"
    pixels = spec.empty(spec.rows)
    source.read_rows(0, pixels)
    source.close()
    for file in (f"{other}.{name}", out):
        part = pixels if file == out else np.ascontiguousarray(pixels[:32, :32])
        made = type(spec)(*part.shape, spec.dtype)
        before = peak()
        sink = create_sink(file, name, made, Metadata(), None, SinkOptions(), ".", PhaseClock())
        sink.create()
        sink.open()
        for first in range(0, made.rows, 64):
            sink.write_rows(first, part[first : first + 64])
        sink.assemble([sink.end_part()], 0)
        sink.close()
    print(peak() - before, sink.plan.encode_bytes)
"""


def measured(what, path, other):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, what, str(path), str(other)],
        capture_output=True,
        text=True,
        check=True,
    )
    taken, stated = (int(word) for word in done.stdout.split())
    return taken, stated


def jpeg2000(pixels, dtype):
    values = pixels.astype(dtype)
    return imagecodecs.jpeg2k_encode(values, level=0)


def avif(pixels, _dtype):
    return imagecodecs.avif_encode(pixels, level=90, speed=10, numthreads=2)


def deep_avif(pixels, _dtype):
    return imagecodecs.avif_encode(pixels.astype(np.uint16) * 4, level=90, speed=10, bitspersample=10)


@pytest.mark.parametrize(
    ("encode", "channels", "dtype"),
    [
        (jpeg2000, 1, "uint8"),
        (jpeg2000, 3, "uint16"),
        (avif, 3, "uint8"),
        (avif, 4, "uint8"),
        (deep_avif, 3, "uint8"),
    ],
)
def test_reading_takes_no_more_than_the_header_says(tmp_path, encode, channels, dtype):
    for name, side in (("large", 1100), ("small", 32)):
        (tmp_path / name).write_bytes(encode(picture(side, side, channels, "uint8"), dtype))
    taken, stated = measured("read", tmp_path / "large", tmp_path / "small")
    assert 1100 * 1100 * channels < taken <= stated


@pytest.mark.parametrize("what", ["avif", "zarr", "ome.zarr"])
@pytest.mark.parametrize("channels", [1, 3])
def test_writing_takes_no_more_than_the_plan_says(tmp_path, what, channels):
    for name, side in (("large", 1100), ("small", 32)):
        pixels = picture(side, side, channels, "uint8")
        Image.fromarray(pixels if channels > 1 else pixels[..., 0]).save(tmp_path / name, "PNG")
    taken, stated = measured(what, tmp_path / "large", tmp_path / "small")
    assert 0 < taken <= stated
