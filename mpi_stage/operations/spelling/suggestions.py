"""Phrases of error messages: the closest names, and a user's text cut to a sane length."""

from collections.abc import Iterable

_SHOWN_CHARACTERS = 60
_LONGEST_NAME = 40
_CUTOFF = 0.55


def did_you_mean(wanted: str, names: Iterable[str]) -> str:
    """Return `` (did you mean 'a' or 'b'?)`` for the closest of ``names``, nothing if none is close."""
    from difflib import get_close_matches  # noqa: PLC0415  (ranks rarely need it)

    close = get_close_matches(wanted[:_LONGEST_NAME].lower(), list(names), n=3, cutoff=_CUTOFF)
    if not close:
        return ""
    return f" (did you mean {' or '.join(repr(name) for name in close)}?)"


def shown(value: object) -> str:
    """Return ``value`` as Python would write it, cut where it is long."""
    text = repr(value[: 2 * _SHOWN_CHARACTERS] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
