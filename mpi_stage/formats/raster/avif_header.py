"""What an AVIF file says of its depth, from its boxes; all else Pillow tells without decoding."""

from mpi_stage.formats.boxes import boxes, content
from mpi_stage.formats.byte_source import ByteSource

_FULL_BOX_BYTES = 4
_HIGH, _TWELVE = 0x40, 0x20


def avif_bits(data: ByteSource) -> int:
    """Return the bits of a value: 8, 10 or 12, the most of all images in the file.

    Raises ValueError where the boxes are cut short or none says it.
    """
    depths = [
        _bits(content(data, one))
        for meta in boxes(data, 0, data.size_bytes)
        if meta.kind == b"meta"
        for properties in boxes(data, meta.start + _FULL_BOX_BYTES, meta.end)
        if properties.kind == b"iprp"
        for container in boxes(data, properties.start, properties.end)
        if container.kind == b"ipco"
        for one in boxes(data, container.start, container.end)
        if one.kind == b"av1C"
    ]
    if not depths:
        raise ValueError("no AV1 image is described")
    return max(depths)


def _bits(configuration: bytes) -> int:
    """Return the depth that an AV1 configuration states (AV1-ISOBMFF, section 2.3)."""
    flags = configuration[2]
    if not flags & _HIGH:
        return 8
    return 12 if flags & _TWELVE else 10
