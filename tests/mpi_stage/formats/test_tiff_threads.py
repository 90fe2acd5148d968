import numpy as np
import pytest
import tifffile
from formats_support import picture, read, write

from mpi_stage.errors import DamagedInputError
from mpi_stage.formats.options import SinkOptions, SourceOptions
from mpi_stage.formats.registry import open_source
from mpi_stage.process.timing import PhaseClock

CODED = ("deflate", "lzw", "zstd", "zstd:9", "jpeg")


@pytest.mark.parametrize("tile", [None, (48, 64)])
@pytest.mark.parametrize("compression", CODED)
def test_any_number_of_codec_threads_writes_the_same_bytes_and_reads_the_same_pixels(
    tmp_path, compression, tile
):
    pixels = picture(700, 331, 3, "uint8")
    files = {
        write(
            tmp_path / f"{threads}-{writers}.tif",
            pixels,
            writers=writers,
            block_rows=rows,
            options=SinkOptions(compression=compression, tile=tile, threads=threads),
        )
        for threads, writers, rows in ((1, 1, 700), (2, 1, 50), (3, 2, 17), (4, 1, 701))
    }
    assert len(files) == 1
    alone = read(tmp_path / "1-1.tif", 700)
    for threads, rows in ((2, 700), (2, 10), (3, 64)):
        assert np.array_equal(read(tmp_path / "1-1.tif", rows, SourceOptions(threads=threads)), alone)


def test_rows_are_read_in_any_order_with_threads(tmp_path):
    pixels = picture(200, 64, 3, "uint16")
    write(tmp_path / "in.tif", pixels, options=SinkOptions(compression="deflate", tile=(16, 16)))
    source = open_source(str(tmp_path / "in.tif"), PhaseClock(), SourceOptions(threads=3))
    for first, rows in ((190, 10), (0, 5), (3, 30), (16, 16), (15, 2), (180, 20), (0, 200)):
        out = source.header.spec.empty(rows)
        source.read_rows(first, out)
        assert np.array_equal(out, pixels[first : first + rows])
    source.close()
    source.close()


def test_damaged_tile_is_told_of_by_the_thread_that_reads_and_only_if_it_is_asked_for(tmp_path):
    path = tmp_path / "in.tif"
    data = bytearray(
        write(path, picture(64, 64, 3, "uint8"), options=SinkOptions(compression="deflate", tile=(16, 64)))
    )
    data[-40:] = bytes(40)
    path.write_bytes(data)
    source = open_source(str(path), PhaseClock(), SourceOptions(threads=2))
    source.read_rows(0, source.header.spec.empty(48))
    with pytest.raises(DamagedInputError, match=r"tile 3 .* does not decode as deflate"):
        source.read_rows(48, source.header.spec.empty(16))
    source.close()


def test_several_channels_in_planes_are_read_with_threads(tmp_path):
    pixels = picture(90, 75, 4, "uint16")
    stored = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
    tifffile.imwrite(
        tmp_path / "in.tif", stored, planarconfig="separate", compression="zlib", tile=(16, 16),
        photometric="minisblack", metadata=None,
    )  # fmt: skip
    assert np.array_equal(read(tmp_path / "in.tif", 31, SourceOptions(threads=3)), pixels)
