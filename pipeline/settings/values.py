"""What several settings have in common: how their values are read."""

import os

from pydantic_core import PydanticCustomError


def roots(text: str) -> tuple[str, ...]:
    """Return the folders of a setting, each with its slash."""
    return tuple(f"{root.strip('/')}/" for root in words(text))


def words(text: str) -> tuple[str, ...]:
    """Return what a setting has between its commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def plain_url(url: str) -> str:
    """Return an address of HTTP without a slash at its end. Raises PydanticCustomError for any other."""
    if url and not url.startswith(("http://", "https://")):
        raise PydanticCustomError("url", "must start with http:// or https://")
    return url.rstrip("/")


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))
