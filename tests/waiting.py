"""Waiting for what other threads, processes or machines bring about: for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

WAIT_S = 120.0
"""The longest that anything of a service is waited for."""


def until(
    true: Callable[[], Found],
    what: str = "what was waited for",
    timeout_s: float = WAIT_S,
    *,
    poll_s: float = 0.05,
) -> Found:
    """Return what ``true`` returns once that holds; fail, naming ``what``, where it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not (found := true()):
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s"
        time.sleep(poll_s)
    return found
