"""The markers of a JPEG stream (ITU T.81, annex B): whether it is whole, and where metadata goes."""

import re

START, END = b"\xff\xd8", b"\xff\xd9"
_APP1, _APP2, _COMMENT = 0xE1, 0xE2, 0xFE
_ICC_NAME = b"ICC_PROFILE\x00"
_SEGMENT_BYTES = 65_533
_ICC_PART_BYTES = _SEGMENT_BYTES - len(_ICC_NAME) - 2
_END_CODE, _SCAN_CODE = 0xD9, 0xDA
_SEQUENTIAL_CODES = (0xC0, 0xC1)
_FRAME_CODES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # tables and an extension are between
_WITHOUT_LENGTH = (0x01, 0xD8)
_FRAME_CHANNELS_AT = 7  # after length, depth, height and width
# A marker inside coded data: any but stuffing (FF 00) and restarts (FF D0 to FF D7).
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_TAIL_BYTES = 64


def is_whole(data: bytes | bytearray | memoryview) -> bool:
    """Whether the stream reaches its end marker, by walking its markers.

    Decoders fill what a cut stream lacks with gray and say nothing, so this must be asked first.
    An embedded thumbnail's end marker does not count: it lies inside a segment that is skipped.
    Once the one scan of all channels has begun, nothing but coded data lies before the end.
    """
    place = len(START)
    channels = None
    while (found := _NEXT_MARKER.search(data, place)) is not None:
        code = found[1][0]
        if code == _END_CODE:
            return True
        place = found.end()
        if code in _SEQUENTIAL_CODES:
            channels = data[place + _FRAME_CHANNELS_AT : place + _FRAME_CHANNELS_AT + 1]
        elif code == _SCAN_CODE and data[place + 2 : place + 3] == channels:
            return END in bytes(data[max(place, len(data) - _TAIL_BYTES) :]) or END in bytes(data[place:])
        if code != 1:  # TEM has no length
            length = int.from_bytes(data[place : place + 2], "big")
            place += max(2, length)
    return False


def frame_size(data: bytes | bytearray | memoryview) -> tuple[int, int]:
    """Return rows and columns as the first frame header says; raises ValueError where there is none."""
    place = len(START)
    while (found := _NEXT_MARKER.search(data, place)) is not None:
        code, place = found[1][0], found.end()
        if code in _FRAME_CODES:
            rows, columns = (int.from_bytes(data[at : at + 2], "big") for at in (place + 3, place + 5))
            return rows, columns
        if code not in _WITHOUT_LENGTH:
            place += max(2, int.from_bytes(data[place : place + 2], "big"))
    raise ValueError("it has no frame header")


def ends_whole(data: bytes | bytearray | memoryview) -> bool:
    """Whether an end marker stands at the end of ``data``, zero padding aside; cheap, for tiles."""
    return END in bytes(data[-_TAIL_BYTES:]) or is_whole(data)


def with_metadata(
    jpeg: bytes | bytearray,
    *,
    icc_profile: bytes | None,
    exif: bytes | None,
    comment: bytes | None,
    density: tuple[int, int, int],
) -> bytes:
    """Return ``jpeg`` (a JFIF stream) with density, EXIF, profile and comment after its JFIF segment.

    ``density`` is the unit (0 none, 1 inch, 2 centimeter) and the horizontal and vertical density.
    ``exif`` is the bare TIFF structure.
    """
    unit, across, down = density
    after_jfif = 4 + int.from_bytes(jpeg[4:6], "big")
    jfif = bytearray(jpeg[:after_jfif])
    jfif[13:18] = bytes([unit]) + across.to_bytes(2, "big") + down.to_bytes(2, "big")
    parts = [bytes(jfif)]
    if exif:
        parts.append(_segment(_APP1, b"Exif\x00\x00" + exif))
    if icc_profile:
        pieces = [
            icc_profile[at : at + _ICC_PART_BYTES] for at in range(0, len(icc_profile), _ICC_PART_BYTES)
        ]
        parts += [
            _segment(_APP2, _ICC_NAME + bytes([number, len(pieces)]) + piece)
            for number, piece in enumerate(pieces, 1)
        ]
    if comment:
        parts.append(_segment(_COMMENT, comment))
    return b"".join([*parts, jpeg[after_jfif:]])


def _segment(code: int, payload: bytes) -> bytes:
    """Return a marker segment with its length."""
    return bytes([0xFF, code]) + (len(payload) + 2).to_bytes(2, "big") + payload
