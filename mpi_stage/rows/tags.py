"""The tags of messages between ranks: one for each kind, so that none is ever taken for another."""

from enum import IntEnum


class Tag(IntEnum):
    """What a message carries."""

    HALO = 1
    """Halo rows of a pass."""

    DEALT = 2
    """Rows to or from the one rank that can read or write a file."""

    PIECE = 3
    """Pixels of a tile whose geometry changes."""

    SEAM = 4
    """The components along the last row of a slab."""

    LEVEL = 5
    """Rows of a smaller level."""
