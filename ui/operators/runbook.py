"""The runbook as it is shipped with the page: what to do about an alert, without leaving it."""

import re
from functools import cache
from pathlib import Path

_TEXT = Path(__file__).with_name("runbook.md")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def entry(name: str) -> str | None:
    """Return an entry as Markdown, without links to other documents; None where there is none."""
    return _entries().get(name)


@cache
def _entries() -> dict[str, str]:
    parts = re.split(r"(?m)^## (.+)$", _TEXT.read_text(encoding="utf-8"))
    return {
        name.strip(): _LINK.sub(r"\1", text).strip()
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }
