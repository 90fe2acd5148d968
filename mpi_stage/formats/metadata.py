"""What becomes of metadata when a file of one format is written from another."""

import struct
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from mpi_stage.formats.headers import Metadata
from mpi_stage.image import ImageSpec

EXIF_PREFIX = b"Exif\x00\x00"
_ORIENTATION_TAG = 274
_ORIENTATIONS = range(1, 9)
_PROFILE_CHANNELS = {b"GRAY": (1, 2), b"RGB ": (3, 4)}
_FIELDS = ("icc_profile", "resolution", "description", "exif", "geo", "nodata")


@dataclass(frozen=True)
class Settled:
    """The metadata that a format takes, by field name, and the reason for what it does not take."""

    metadata: Metadata
    kept: tuple[str, ...] = ()
    dropped: dict[str, str] = field(default_factory=dict)


def settle(metadata: Metadata, takes: Collection[str], spec: ImageSpec, format_name: str) -> Settled:
    """Split ``metadata`` into what ``format_name`` keeps and what it drops.

    ``takes`` names the fields of Metadata that the format has a place for. ``orientation`` in it
    stands for a format that keeps no EXIF block but the orientation inside it. An ICC profile for
    another number of channels than ``spec`` has is dropped too.
    """
    kept: list[str] = []
    replaced: dict[str, Any] = {}
    dropped = dict.fromkeys(metadata.other, f"{format_name} output has no place for it")
    for name in _FIELDS:
        value = getattr(metadata, name)
        if value is None:
            continue
        if name == "exif" and "orientation" in takes:
            turn = orientation_exif(orientation(value))
            if turn is not None:
                kept.append("orientation")
            if bare_exif(value) != turn:
                dropped[name] = f"{format_name} output takes only the orientation from it"
            replaced[name] = turn
            continue
        reason = _refusal(name, value, takes, spec, format_name)
        if reason is None:
            kept.append(name)
        else:
            dropped[name] = reason
            replaced[name] = None
    return Settled(replace(metadata, **replaced), tuple(kept), dropped)


def _refusal(
    name: str, value: object, takes: Collection[str], spec: ImageSpec, format_name: str
) -> str | None:
    """Why the field cannot be kept, or None."""
    if name not in takes:
        return f"{format_name} output has no place for it"
    if name == "icc_profile" and isinstance(value, bytes):
        space = value[16:20]
        if spec.channels not in _PROFILE_CHANNELS.get(space, (spec.channels,)):
            colour = space.decode("latin-1").strip()
            return f"the profile is for {colour} and the output has {spec.channels} channels"
    return None


def bare_exif(exif: bytes) -> bytes:
    """Return the TIFF structure of an EXIF block, without the ``Exif`` prefix that JPEG puts before it."""
    return exif.removeprefix(EXIF_PREFIX)


def orientation(exif: bytes | None) -> int:
    """Return the orientation (1 to 8) that an EXIF block states; 1, upright, where it states none."""
    data = bare_exif(exif or b"")
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for entry in range(count):
            tag, _kind, _number, value = struct.unpack_from(order + "HHIH", data, start + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG:
                return value if value in _ORIENTATIONS else 1
    except struct.error:
        return 1
    return 1


def upright_exif(exif: bytes | None) -> bytes | None:
    """Return an EXIF block that says upright and else the same; None where it said nothing else."""
    data = bare_exif(exif or b"")
    if orientation(exif) == 1 or data == orientation_exif(orientation(exif)):
        return exif if orientation(exif) == 1 else None
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    upright = bytearray(exif or b"")
    shift = len(upright) - len(data)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from(order + "H", data, entry)[0] == _ORIENTATION_TAG:
            struct.pack_into(order + "H", upright, shift + entry + 8, 1)
            break
    return bytes(upright)


def orientation_exif(value: int) -> bytes | None:
    """Return an EXIF block that states nothing but the orientation; None for upright."""
    if value == 1 or value not in _ORIENTATIONS:
        return None
    return b"II" + struct.pack("<HIHHHIHHI", 42, 8, 1, _ORIENTATION_TAG, 3, 1, value, 0, 0)
