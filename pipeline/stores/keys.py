"""What may be the name of an object.

The rules are the strictest of all stores, so that an object can move from any store to any other.
"""

import re

from pipeline.errors import KeyRefusedError

MAX_KEY_BYTES = 1024
"""The longest name that Google Cloud Storage takes, in UTF-8."""

MAX_SEGMENT_BYTES = 255
"""The longest file name that common file systems take, in UTF-8."""

_SHOWN_CHARACTERS = 80
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\]")
_BAD_SEGMENTS = frozenset({"", ".", ".."})


def check_key(key: str) -> tuple[str, ...]:
    """Return the segments of a key.

    Raises
    ------
    KeyRefusedError
        If the key is empty, too long, absolute, or has an empty segment, ``.``, ``..``, a backslash,
        a control character or half a surrogate pair.

    """
    _check_characters(key)
    segments = tuple(key.split("/"))
    if not _BAD_SEGMENTS.isdisjoint(segments):
        raise _refused(key, "an empty, '.' or '..' segment", "write segments joined by single slashes")
    _check_lengths(key, segments)
    return segments


def check_prefix(prefix: str) -> tuple[tuple[str, ...], str]:
    """Return the whole segments of a prefix, and the beginning of the segment that it cuts.

    A prefix need not end where a segment ends: ``jobs/4f`` is the folder ``jobs`` and the beginning
    ``4f``. The empty prefix stands for all objects.

    Raises
    ------
    KeyRefusedError
        If no key can start so.

    """
    _check_characters(prefix)
    *folders, start = prefix.split("/")
    if not _BAD_SEGMENTS.isdisjoint(folders):
        raise _refused(prefix, "an empty, '.' or '..' segment", "write segments joined by single slashes")
    _check_lengths(prefix, (*folders, start))
    return tuple(folders), start


def _check_characters(key: str) -> None:
    found = _FORBIDDEN.search(key)
    if found:
        raise _refused(key, f"the character {found.group()!r} at position {found.start()}", "remove it")


def _check_lengths(key: str, segments: tuple[str, ...]) -> None:
    length = len(key.encode())
    if length > MAX_KEY_BYTES:
        raise _refused(key, f"{length} bytes", f"use at most {MAX_KEY_BYTES}")
    longest = max(len(segment.encode()) for segment in segments)
    if longest > MAX_SEGMENT_BYTES:
        raise _refused(key, f"a segment of {longest} bytes", f"use at most {MAX_SEGMENT_BYTES} for each")


def _refused(key: str, fault: str, remedy: str) -> KeyRefusedError:
    shown = key if len(key) <= _SHOWN_CHARACTERS else key[:_SHOWN_CHARACTERS] + "…"
    return KeyRefusedError(f"the key {shown!a} has {fault}; {remedy}")
