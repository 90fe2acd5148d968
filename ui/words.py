"""Numbers as people say them: sizes, durations, rates, counts."""

import re
from datetime import datetime

_KILO = 1000
_MOMENT_S = 10
_MINUTE_S = 60
_HOUR_S = 3600
_FEW = 10
_MILLION = 1_000_000


def size(count_bytes: int) -> str:
    """Return bytes with a unit, for instance ``3.2 GB``; decimal, as file managers show it."""
    if count_bytes < _KILO:
        return f"{count_bytes} B"
    amount = float(count_bytes)
    for unit in ("kB", "MB", "GB"):
        amount /= _KILO
        if amount < _KILO:
            return f"{amount:.1f} {unit}"
    return f"{amount / _KILO:.1f} TB"


def duration(seconds: float) -> str:
    """Return seconds in the two largest units that matter, for instance ``3 min 20 s``."""
    if seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"


def count(number: int, noun: str) -> str:
    """Return a number with thousands separated and its noun, plural where needed."""
    many = re.sub("(?<![aeiou])y$", "ie", noun) + "s"
    return f"{number:,} {noun if number == 1 else many}"


def ago(then: datetime, at: datetime) -> str:
    """Return how long before ``at`` something was."""
    seconds = max(0.0, (at - then).total_seconds())
    return "just now" if seconds < _MOMENT_S else f"{duration(seconds)} ago"


def pixel_rate(pixels_per_s: float) -> str:
    """Return pixels per second in millions, for instance ``125 MP/s``; more decimals below ten and one."""
    millions = pixels_per_s / _MILLION
    decimals = 0 if millions >= _FEW else 1 if millions >= 1 else 3
    return f"{millions:,.{decimals}f} MP/s"


def plain(text: str) -> str:
    """Return text that Markdown shows as it is, so that no file name or message can format the page."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text).replace("\n", "  \n")
