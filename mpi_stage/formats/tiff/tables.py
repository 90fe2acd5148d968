"""Where the segments of a TIFF lie and how large they are, from what the ranks have written."""

from collections.abc import Sequence

import numpy as np

from mpi_stage.errors import OutputError
from mpi_stage.formats.tiff.ifd import Offsets
from mpi_stage.formats.tiff.layout import TiffLayout


def segment_tables(
    layout: TiffLayout, front_bytes: int, sizes: Sequence[Sequence[int]], name: str
) -> tuple[Offsets, Offsets]:
    """Return the offsets and byte counts of all segments of a file whose first one is at ``front_bytes``.

    ``sizes`` are those of each rank's segments; where none are encoded there need not be any. Raises
    OutputError where some are missing in ``name``.
    """
    if layout.compression == "none" and not any(map(len, sizes)):
        counts = np.full(layout.segments, layout.segment_bytes, np.uint64)
        if not layout.tiled:
            last = layout.spec.rows - (layout.down - 1) * layout.segment_rows
            counts[-1] = last * layout.spec.row_bytes
    else:
        counts = np.concatenate([np.asarray(part, np.uint64) for part in sizes])
    if len(counts) != layout.segments:
        raise OutputError(
            f"{name} needs {layout.segments} segments and the ranks wrote {len(counts)}: "
            "rows are missing or came twice."
        )
    ends = front_bytes + np.cumsum(counts, dtype=np.uint64)
    return ends - counts, counts
