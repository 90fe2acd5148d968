"""How an input is to be read, and an output to be written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_stage.objects.bucket import Bucket
    from mpi_stage.objects.parts import Uploads


@dataclass(frozen=True)
class SourceOptions:
    """Which image of a file is read, and how.

    Attributes
    ----------
    page: the number of the image among those of the file, from 0.
    plane: the image of an OME-TIFF instead, by its dimensions: ``z=3,c=1,t=0``; what is left out is 0.
    level: of a pyramid, 0 being the largest.
    threads: how many threads decode on one rank.
    bucket: what inputs are read with that are objects.

    """

    page: int = 0
    plane: str | None = None
    level: int = 0
    threads: int = 1
    bucket: "Bucket | None" = None


@dataclass(frozen=True)
class SinkOptions:
    """How an output is to be written; None means as the input has it, or the format's habit.

    ``compression`` may carry a number (``zstd:9``), see ``tiff_coding``. ``threads`` is how many threads
    encode on one rank. ``format`` is one of the names of ``sink_plans.FORMATS``, whatever the suffix says.
    ``uploads`` is where the parts of outputs go that are objects, ``bands`` where bands are kept, if they
    are to be.
    """

    format: str | None = None
    compression: str | None = None
    tile: tuple[int, int] | None = None
    quality: int | None = None
    threads: int = 1
    uploads: "Uploads | None" = None
    bands: "BandOptions | None" = None


@dataclass(frozen=True)
class BandOptions:
    """How the bands of an attempt are kept: in ``folder``, its own alone.

    ``band_bytes`` of pixels make one. ``digested`` says that the digests of their rows are kept with them.
    """

    folder: str
    band_bytes: int | None = None
    digested: bool = True
