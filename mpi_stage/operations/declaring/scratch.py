"""How much a kernel's temporaries take, stated by type."""

from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Params, Scratch


def by_type(*, uint8: float, uint16: float, float32: float) -> Scratch:
    """Return the declaration of bytes for each value of the block that a kernel gets."""
    bytes_each = {"uint8": uint8, "uint16": uint16, "float32": float32}

    def scratch(_params: Params, spec: ImageSpec) -> float:
        return bytes_each[spec.dtype]

    return scratch
