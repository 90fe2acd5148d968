"""Compressed streams that grow without end when they are decoded, made without compressing as much."""

import struct
import zlib

_PIECE_BYTES = 4 << 20
_RLE_BYTES = 128 << 10


def deflated_zeros(count: int) -> bytes:
    """Return a zlib stream of at least ``count`` zeros; its checksum is wrong, which is told at the end."""
    packer = zlib.compressobj(9)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(_PIECE_BYTES)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + piece * -(-count // _PIECE_BYTES) + packer.flush()


def zstd_zeros(count: int, *, told: bool = True) -> bytes:
    """Return a Zstandard frame of ``count`` zeros in run-length blocks (RFC 8878); its size may be untold."""
    header = (
        struct.pack("<IBQ", 0xFD2FB528, 0xC0, count) if told else struct.pack("<IBB", 0xFD2FB528, 0x00, 0x58)
    )
    if told:
        header = header[:5] + bytes([0x58]) + header[5:]
    blocks = -(-count // _RLE_BYTES)
    block = (_RLE_BYTES << 3 | 1 << 1).to_bytes(3, "little") + b"\x00"
    last = (_RLE_BYTES << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\x00"
    return header + block * (blocks - 1) + last


def lzw_zeros(codes: int) -> bytes:
    """Return TIFF LZW bytes (clear, then codes that grow) of about ``codes`` × 1 to 4 KiB of zeros."""
    import imagecodecs  # noqa: PLC0415  (only here)

    return bytes(imagecodecs.lzw_encode(bytes(codes * 1024)))
