"""TIFF files byte by byte, so that they may lie."""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SHORT, LONG, LONG8, ASCII, UNDEFINED = 3, 4, 16, 2, 7
END = -(2**62)
_LETTER = {SHORT: "H", LONG: "I", LONG8: "Q"}


class Tag(NamedTuple):
    """One entry: its type, its values or bytes, and what it says instead of the truth."""

    kind: int
    values: Sequence[int] | bytes
    count: int | None = None
    place: int | None = None


def image_tags(columns: int, rows: int, **more: Tag) -> dict[int, Tag]:
    """Return the entries of a gray image of one strip, stored plainly; ``more`` by ``tag_NUMBER``."""
    tags = {
        256: Tag(LONG, [columns]),
        257: Tag(LONG, [rows]),
        258: Tag(SHORT, [8]),
        259: Tag(SHORT, [1]),
        262: Tag(SHORT, [1]),
        277: Tag(SHORT, [1]),
        278: Tag(LONG, [rows]),
    }
    return tags | {int(name.removeprefix("tag_")): tag for name, tag in more.items()}


def tiff(
    directories: Sequence[Mapping[int, Tag]],
    data: bytes = b"",
    *,
    big: bool = False,
    links: Sequence[int | None] = (),
) -> bytes:
    """Return a file of the directories in their order, with ``data`` from byte 16 on.

    ``links`` says which directory follows each (its number, or a byte of the file where negative);
    None for the truth, ``END`` for none.
    """
    out = bytearray(
        struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if big else struct.pack("<2sHI8x", b"II", 42, 0)
    )
    out += data + bytes(-len(data) % 8)
    places, at_links = [], []
    for tags in directories:
        place, at_link = _directory(out, tags, big=big)
        places.append(place)
        at_links.append(at_link)
    asked = [*links, *[None] * (len(directories) - len(links))]
    for number, (at_link, link) in enumerate(zip(at_links, asked, strict=True)):
        following = places[number + 1] if number + 1 < len(places) else 0
        target = following if link is None else 0 if link == END else places[link] if link >= 0 else -link
        struct.pack_into("<Q" if big else "<I", out, at_link, target)
    struct.pack_into("<Q" if big else "<I", out, 8 if big else 4, places[0])
    return bytes(out)


def _directory(out: bytearray, tags: Mapping[int, Tag], *, big: bool) -> tuple[int, int]:
    """Append a directory and its values; return where it begins, and where its link is."""
    inline = 8 if big else 4
    entries = []
    for code, tag in sorted(tags.items()):
        raw = (
            bytes(tag.values)
            if isinstance(tag.values, bytes)
            else struct.pack(f"<{len(tag.values)}{_LETTER[tag.kind]}", *tag.values)
        )
        count = len(tag.values) if tag.count is None else tag.count
        if len(raw) <= inline and tag.place is None:
            field = raw.ljust(inline, b"\x00")
        else:
            place = len(out) if tag.place is None else tag.place
            if tag.place is None:
                out += raw + bytes(-len(raw) % 8)
            field = place.to_bytes(inline, "little")
        entries.append(struct.pack("<HHQ" if big else "<HHI", code, tag.kind, count) + field)
    begins = len(out)
    out += struct.pack("<Q" if big else "<H", len(entries)) + b"".join(entries)
    at_link = len(out)
    out += bytes(inline) + bytes(-len(out) % 2)
    return begins, at_link
