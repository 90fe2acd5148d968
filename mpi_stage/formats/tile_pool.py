"""The threads that decode and encode segments beside the one that filters."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

TILES_PER_THREAD = 8
"""Segments under way per thread: enough that none waits while the rank's own thread filters a block."""


class TilePool:
    """A rank's codec threads; imagecodecs and the file system's calls release the interpreter's lock.

    With one thread there is none beside the caller's, and :meth:`submit` does the work at once.
    """

    def __init__(self, threads: int) -> None:
        """Use ``threads`` threads, at least 1; they start with the first work."""
        self.threads = threads
        self._executor: ThreadPoolExecutor | None = None

    @property
    def under_way(self) -> int:
        """The most segments that a writer keeps under way; their memory is planned for."""
        return TILES_PER_THREAD * self.threads if self.threads > 1 else 1

    def submit(self, work: Callable[..., Any], *arguments: object) -> "Future[Any]":
        """Start ``work``; its result or error comes with the future's ``result``."""
        from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415  (slow; few need it)

        if self.threads > 1:
            self._executor = self._executor or ThreadPoolExecutor(self.threads, "codec")
            return self._executor.submit(work, *arguments)
        done: Future[Any] = Future()
        try:
            done.set_result(work(*arguments))
        except Exception as error:  # noqa: BLE001  (as an executor does; raised where the result is asked for)
            done.set_exception(error)
        return done

    def close(self) -> None:
        """Drop what has not begun and wait for what has; safe to call again."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
