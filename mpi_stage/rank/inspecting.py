"""What is told of an input without filtering it: the digest of its pixels, and its pages."""

from contextlib import closing
from typing import Any

from mpi_stage.contract import Request
from mpi_stage.errors import DamagedInputError
from mpi_stage.formats.headers import Header
from mpi_stage.formats.registry import list_pages, open_source
from mpi_stage.geometry.partition import Rows
from mpi_stage.planning.budget import check_header
from mpi_stage.process.limits import LIMITS
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rank.ends import Token, open_bucket, source_options
from mpi_stage.rows.digest import RowDigest, combine
from mpi_stage.sweep.sweep import blocks

DIGEST_BLOCK_BYTES = 8 << 20
LISTED_PAGES = 16


def image_digest(request: Request, token: Token | None = None) -> str:
    """Return the digest of the pixels of a request's input, as reports state it for outputs.

    Raises what opening and reading the input raise, and BudgetError.
    """
    clock, digest = PhaseClock(), RowDigest()
    LIMITS.begin(request.budget.decode_s, request.memory_bytes)
    with (
        open_bucket(request, token) as bucket,
        closing(open_source(request.input, clock, source_options(request, bucket))) as source,
    ):
        check_header(request.input, source.header, request.budget)
        spec = source.header.spec
        block_rows = max(1, DIGEST_BLOCK_BYTES // spec.row_bytes)
        for _, rows in blocks(spec, Rows(0, spec.rows), source, block_rows):
            digest.update(rows)
    return combine(spec, [digest.joined()])


def file_pages(request: Request, header: Header) -> dict[str, Any]:
    """Return which image of the input a header is of, and what others there are, as JSON.

    ``pages`` has, for the first :data:`LISTED_PAGES` pages, columns and rows of each level.
    """
    with open_bucket(request) as bucket:
        try:
            pages, count = list_pages(request.input, LISTED_PAGES, source_options(request, bucket))
        except DamagedInputError:  # behind the image that was asked for, which is whole
            pages, count = [[(header.spec.columns, header.spec.rows)]], 1
    return {"page": header.page, "level": header.level, "page_count": count, "pages": pages}
