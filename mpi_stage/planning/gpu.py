"""One rank's part of a GPU."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """A GPU's number and name, the bytes of it that a rank may use, and the rows of a block on it."""

    number: int
    name: str
    share_bytes: int
    block_rows: int = 0
