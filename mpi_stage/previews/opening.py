"""How a process that shows images begins with one: held to its memory, and with a source to read of."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import cv2

from mpi_stage.contract import Request
from mpi_stage.formats.ports import Source
from mpi_stage.formats.registry import list_pages, open_source
from mpi_stage.image import Pixels
from mpi_stage.planning.program_memory import PROGRAM
from mpi_stage.process.limits import LIMITS
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rank.ends import open_bucket, source_options

LISTED_PAGES = 64
"""Of a file, whose levels are looked for."""


def hold_to(work_bytes: int, request: Request) -> None:
    """Hold this process to ``work_bytes`` beside what the program has anyway, and to the request's budget."""
    cv2.setNumThreads(1)  # as for a job
    LIMITS.begin(request.budget.decode_s, work_bytes)
    program = PROGRAM.measure()
    LIMITS.work(
        peak_bytes=program + work_bytes, program_bytes=program, largest_bytes=0, threads=request.threads
    )


@contextmanager
def opened(request: Request, clock: PhaseClock, level: int = 0) -> Iterator[Source]:
    """Give the source of a request's input, or of a smaller ``level`` of it; raises as ``open_source``."""
    with open_bucket(request) as bucket:
        options = source_options(request, bucket)
        options = replace(options, level=level) if level else options
        with closing(open_source(request.input, clock, options)) as source:
            yield source


def levels_of(request: Request) -> list[tuple[int, int]]:
    """Return columns and rows of each level of the page that is asked for; none of a plane or of a level."""
    if request.plane is not None or request.level or request.page >= LISTED_PAGES:
        return []
    with open_bucket(request) as bucket:
        pages, _ = list_pages(request.input, request.page + 1, source_options(request, bucket))
    return pages[request.page] if request.page < len(pages) else []


def decoded(source: Source, most_bytes: int) -> Pixels | None:
    """Return all pixels of an image that is decoded as a whole, unless they are more than ``most_bytes``."""
    spec = source.header.spec
    if source.header.divisible or spec.total_bytes > most_bytes:
        return None
    pixels = spec.empty(spec.rows)
    source.read_rows(0, pixels)
    return pixels
