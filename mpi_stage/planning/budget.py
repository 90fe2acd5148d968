"""Whether what a header and a plan say is within what a job may take; nothing has been decoded then."""

from typing import TYPE_CHECKING

from mpi_stage.errors import BudgetError

if TYPE_CHECKING:
    from mpi_stage.contract import Budget
    from mpi_stage.formats.headers import Header
    from mpi_stage.planning.plan import Plan

RATIO_FREE_BYTES = 256 << 20
"""An input that becomes no more is not asked how few bytes it is stored in."""


def check_header(name: str, header: "Header", budget: "Budget") -> None:
    """Hold what a header declares against a job's budget; raises BudgetError with both numbers."""
    _check_pixels(f"{name} declares", header.spec.rows, header.spec.columns, budget)
    decoded, stored = header.decoded_bytes, max(1, header.stored_bytes)
    if budget.ratio is None or decoded <= RATIO_FREE_BYTES or decoded <= budget.ratio * stored:
        return
    raise BudgetError(
        f"{name} stores {decoded} bytes of pixels in {stored}, {decoded // stored} for each; a job may have "
        f"up to {budget.ratio} for each stored byte (decoded_ratio). If the image is sound, store it with a "
        "weaker compression."
    )


def check_plan(plan: "Plan", budget: "Budget") -> None:
    """Hold the largest image of a plan against a job's budget; raises BudgetError with both numbers."""
    largest = max(plan.images, key=lambda image: image.pixels)
    _check_pixels("the pipeline makes an image of", largest.rows, largest.columns, budget)


def _check_pixels(what: str, rows: int, columns: int, budget: "Budget") -> None:
    if budget.pixels is not None and rows * columns > budget.pixels:
        raise BudgetError(
            f"{what} {columns} × {rows} px, {rows * columns} in all; a job may have up to {budget.pixels} "
            "(job_pixels, user_queued_pixels). Cut the image into parts, or ask your operator."
        )
