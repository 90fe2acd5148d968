"""What every sink asks of the rows that it is given: that they follow those before, in the output's type."""

from mpi_stage.image import Pixels


def check_follows(rows: Pixels, first: int, due: int, dtype: str | None = None) -> None:
    """Raise ValueError unless rows begin at the one that is ``due``, in ``dtype`` if that is given."""
    if first != due or (dtype is not None and rows.dtype != dtype):
        raise ValueError(f"expected {dtype or rows.dtype} rows from {due} on, got {rows.dtype} from {first}")
