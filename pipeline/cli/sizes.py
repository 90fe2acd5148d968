"""Amounts of memory as people write and read them."""

import re

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
_STEP = 1024


def parse_size(text: str) -> int:
    """Return the bytes that ``text`` stands for: ``1GiB`` is 1024³, ``1GB`` 1000³, ``1000`` is bytes.

    Raises ValueError with what would have been understood.
    """
    match = _SIZE.fullmatch(text)
    if match is None or match[2].lower() not in _UNITS:
        raise ValueError(f"{text!r} is no size; write a number and a unit, such as 512MiB, 1.5GiB or 300MB")
    size = int(float(match[1]) * _UNITS[match[2].lower()])
    if size < 1:
        raise ValueError(f"{text!r} is less than one byte")
    return size


def show_size(size_bytes: float) -> str:
    """Return an amount of memory with three digits or so."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size_bytes < _STEP:
            return f"{size_bytes:.0f} {unit}" if unit == "bytes" else f"{size_bytes:.3g} {unit}"
        size_bytes /= _STEP
    return f"{size_bytes:.3g} TiB"
