import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from formats_support import picture, spec_of, write

from mpi_stage.errors import (
    DiskFullError,
    OutputError,
    OutputExistsError,
    ParameterError,
    UnsupportedFormatError,
    UnsupportedImageError,
)
from mpi_stage.formats.headers import Header, Layout, Metadata
from mpi_stage.formats.memory import ArraySink, ArraySource
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import read_header
from mpi_stage.formats.sink_plans import plan_sink
from mpi_stage.formats.sinks import create_sink
from mpi_stage.formats.tiff.layout import choose_layout
from mpi_stage.image import ImageSpec
from mpi_stage.process.files import output_errors, write_all
from mpi_stage.process.timing import PhaseClock

RGB = ImageSpec(1000, 2000, 3, "uint8")


def tiff_like(tile, compression) -> Header:
    return replace(
        ArraySource(picture(1, 1, 3, "uint8")).header, spec=RGB, layout=Layout("tiff", tile, compression)
    )


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        ("a.jpg", replace(RGB, dtype="uint16"), "JPEG takes uint8"),
        ("a.jpg", replace(RGB, channels=4), "remove the alpha channel"),
        ("a.png", replace(RGB, channels=13), "PNG takes 1, 3, 4 channels"),
        ("a.png", replace(RGB, dtype="float32"), "PNG takes uint8 and uint16"),
        ("a.bmp", replace(RGB, dtype="uint16"), "BMP takes uint8"),
        ("a.webp", replace(RGB, columns=16_384), "16383 px"),
        ("a.jpg", replace(RGB, rows=70_000), "65500 px"),
        ("a.png", replace(RGB, rows=1_000_001), "1000000 px"),
        ("a.bmp", replace(RGB, rows=40_000, columns=40_000), "bytes"),
    ],
)
def test_image_that_the_format_cannot_hold_is_refused_with_the_remedy(name, spec, words):
    with pytest.raises(UnsupportedImageError, match=words) as caught:
        plan_sink(name, spec, None, SinkOptions())
    assert "Write a .tif" in str(caught.value)


@pytest.mark.parametrize("name", ["a.gif", "a", "a.txt"])
def test_suffix_that_is_not_written_is_refused(name):
    with pytest.raises(UnsupportedFormatError, match=r"\.tif"):
        plan_sink(name, RGB, None, SinkOptions())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.tif", SinkOptions(compression="rar")),
        ("a.tif", SinkOptions(tile=(100, 100))),
        ("a.tif", SinkOptions(tile=(0, 16))),
        ("a.tif", SinkOptions(quality=0)),
        ("a.jpg", SinkOptions(quality=101)),
        ("a.jpg", SinkOptions(tile=(256, 256))),
        ("a.png", SinkOptions(compression="deflate")),
        ("a.png", SinkOptions(quality=5)),
    ],
)
def test_options_that_the_format_does_not_have_are_refused(name, options):
    with pytest.raises(ParameterError):
        plan_sink(name, RGB, None, options)


def test_jpeg_asked_for_in_a_tiff_of_16_bits_is_refused_but_inherited_becomes_deflate():
    deep = replace(RGB, dtype="uint16")
    with pytest.raises(UnsupportedImageError, match="deflate"):
        plan_sink("a.tif", deep, None, SinkOptions(compression="jpeg"))
    assert choose_layout(deep, tiff_like(None, "jpeg"), SinkOptions()).compression == "deflate"


def test_tiff_follows_the_tiles_and_compression_of_a_tiff_and_is_plain_strips_else():
    layout = choose_layout(RGB, tiff_like((512, 128), "zstd"), SinkOptions())
    assert (layout.segment_rows, layout.segment_columns, layout.compression) == (512, 128, "zstd")
    layout = choose_layout(RGB, tiff_like((100, 100), "none"), SinkOptions())
    assert (layout.segment_rows, layout.segment_columns) == (256, 256)
    layout = choose_layout(RGB, None, SinkOptions())
    assert (layout.tiled, layout.compression, layout.row_unit) == (False, "none", 1)


def test_bigtiff_is_chosen_from_the_size_alone():
    small, large = replace(RGB, rows=30_000, columns=40_000), replace(RGB, rows=40_000, columns=40_000)
    assert not choose_layout(small, None, SinkOptions()).big
    assert choose_layout(large, None, SinkOptions()).big
    assert choose_layout(small, None, SinkOptions(compression="lzw")).big


def test_bigtiff_that_is_mostly_holes_is_read_by_others(tmp_path):
    spec = replace(RGB, rows=50_000, columns=50_000)
    path = tmp_path / "big.tif"
    options = SinkOptions(tile=(256, 256))
    sink = create_sink(str(path), path.name, spec, Metadata(), None, options, str(tmp_path), PhaseClock())
    sink.create()
    sink.open()
    rows = np.full((16, 50_000, 3), 7, np.uint8)
    sink.write_rows(49_984, rows)
    sink.assemble([sink.end_part()], 0)
    sink.close()
    header = read_header(str(path))
    assert header.layout.bigtiff
    assert header.spec == spec
    vips = pytest.importorskip("pyvips", reason="pyvips is not installed")
    image = vips.Image.new_from_file(str(path), fail_on="warning")
    assert image.crop(49_000, 49_990, 10, 10).numpy().min() == 7


def test_existing_file_is_not_written_over(tmp_path):
    for name in ("out.tif", "out.png"):
        write(tmp_path / name, picture(10, 10, 3, "uint8"))
        with pytest.raises(OutputExistsError, match="is there already"):
            write(tmp_path / name, picture(10, 10, 3, "uint8"))


def test_folder_that_does_not_exist_is_an_output_error(tmp_path):
    sink = create_sink(
        str(tmp_path / "no" / "a.tif"),
        "a.tif",
        RGB,
        Metadata(),
        None,
        SinkOptions(),
        str(tmp_path),
        PhaseClock(),
    )
    with pytest.raises(OutputError, match="No such file"):
        sink.create()
    sink.close()


def test_missing_rows_are_noticed_before_the_front_is_written(tmp_path):
    pixels = picture(100, 50, 3, "uint8")
    sink = create_sink(
        str(tmp_path / "a.tif"),
        "a.tif",
        spec_of(pixels),
        Metadata(),
        None,
        SinkOptions(compression="deflate", tile=(16, 16)),
        str(tmp_path),
        PhaseClock(),
    )
    sink.create()
    sink.open()
    sink.write_rows(0, pixels[:32])
    sizes = [sink.end_part()]
    with pytest.raises(OutputError, match="rows are missing"):
        sink.assemble(sizes, 0)
    sink.close()


def test_full_device_raises_disk_full_naming_the_file():
    with (
        open("/dev/full", "wb", buffering=0) as full,  # noqa: PTH123  (a device, unbuffered)
        pytest.raises(DiskFullError, match=r"out\.tif cannot be written") as caught,
        output_errors("/somewhere/out.tif"),
    ):
        write_all(full.fileno(), bytes(100), 0)
    assert caught.value.retryable


@pytest.fixture
def small_disk(tmp_path):
    """A device with room for 128 KiB, where the tests may mount one."""
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(tmp_path)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize(
    ("name", "compression"), [("a.tif", None), ("a.tif", "deflate"), ("a.png", None), ("a.zarr", None)]
)
@pytest.mark.parametrize("writers", [1, 2])
def test_full_disk_is_told_while_rows_are_written(small_disk, name, compression, writers):
    pixels = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    with pytest.raises(DiskFullError, match="Free some space"):
        write(small_disk / name, pixels, options=SinkOptions(compression=compression), writers=writers)


LIMITED = """
import resource, signal, sys
import numpy as np
from mpi_stage.errors import OutputError
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.sinks import create_sink
from mpi_stage.image import ImageSpec
from mpi_stage.process.timing import PhaseClock
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
folder, name, compression = sys.argv[1:]
options = SinkOptions(compression=compression or None)
sink = create_sink(folder + "/" + name, name, ImageSpec(1000, 1000, 3, "uint8"), Metadata(), None, options,
                   folder, PhaseClock())
rows = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
sink.create(); sink.open()
try:
    sink.write_rows(0, rows)
    sink.assemble([sink.end_part()], 0)
except OutputError as error:
    print(type(error).__name__, error)
finally:
    sink.close()
"""


@pytest.mark.parametrize(
    ("name", "compression"),
    [("a.tif", ""), ("a.tif", "deflate"), ("a.png", ""), ("a.jpg", ""), ("a.zarr", "")],
)
def test_write_that_the_system_refuses_is_an_output_error(tmp_path, name, compression):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), name, compression],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"OutputError {tmp_path}/{name}")
    assert "cannot be written: File too large" in done.stdout


def test_sources_and_sinks_are_chosen_without_loading_the_codecs():
    code = (
        "import sys, mpi_stage.formats.registry, mpi_stage.formats.sinks\n"
        "from mpi_stage.formats.sink_plans import plan_sink\n"
        "from mpi_stage.formats.options import SinkOptions\n"
        "from mpi_stage.image import ImageSpec\n"
        "plan_sink('a.tif', ImageSpec(9, 9, 3, 'uint8'), None, SinkOptions())\n"
        "plan_sink('a.jpg', ImageSpec(9, 9, 3, 'uint8'), None, SinkOptions())\n"
        "print(sorted({'tifffile', 'PIL', 'imagecodecs'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


PLAIN = """
import sys
import numpy as np
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import open_source
from mpi_stage.formats.sinks import create_sink
from mpi_stage.image import ImageSpec
from mpi_stage.process.timing import PhaseClock
path = sys.argv[1]
spec = ImageSpec(40, 50, 3, "uint8")
options = SinkOptions(tile=(16, 16))
sink = create_sink(path, "a.tif", spec, Metadata(), None, options, ".", PhaseClock())
sink.create(); sink.open()
sink.write_rows(0, np.zeros((40, 50, 3), np.uint8))
sink.assemble([sink.end_part()], 0)
sink.close()
open_source(path, PhaseClock()).read_rows(0, spec.empty(40))
print(sorted({name.partition(".")[0] for name in sys.modules} & {"tifffile", "imagecodecs", "concurrent"}))
"""


def test_uncompressed_tiff_is_written_and_read_without_the_codecs(tmp_path):
    command = [sys.executable, "-c", PLAIN, str(tmp_path / "a.tif")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_array_source_and_sink_pass_rows_through():
    pixels = picture(20, 30, 3, "uint16")
    source, sink = ArraySource(pixels), ArraySink(spec_of(pixels))
    sink.create()
    sink.open()
    for first in range(5, 20, 4):
        out = source.header.spec.empty(min(4, 20 - first))
        source.read_rows(first, out)
        sink.write_rows(first, out)
    assert sink.end_part() == []
    assert sink.first == 5
    assert np.array_equal(sink.rows, pixels[5:])
    with pytest.raises(ValueError, match="expected rows from 20"):
        sink.write_rows(3, pixels[:1])
    with pytest.raises(IndexError):
        source.read_rows(19, source.header.spec.empty(2))
