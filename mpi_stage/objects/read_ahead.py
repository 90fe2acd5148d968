"""Ranges of an object fetched before they are asked for, within a budget of memory."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

Range = tuple[int, int]
Fetch = Callable[[memoryview, int], int]
"""Fills a view from an offset on; returns how many bytes there were."""

STREAMS = 8
"""Windows on their way at once; one connection alone does not fill a network."""

WINDOW_BYTES = 4 << 20
"""Neighbouring ranges become requests of so much: the wait for the first byte counts little then."""

GAP_BYTES = 32 << 10
"""So many bytes between two ranges are fetched too, sooner than asking twice."""

AHEAD_BYTES = STREAMS * WINDOW_BYTES
_LONG_AGO = -(1 << 62)


@dataclass(eq=False)
class Window:
    """A piece of the object, there or on its way; ``end_at`` is its end in the order of the expectation."""

    offset: int
    data: bytearray
    arrived: "Future[int]"
    end_at: int = _LONG_AGO

    @property
    def end(self) -> int:
        """The byte after the last."""
        return self.offset + len(self.data)


class ReadAhead:
    """Keeps windows of an object; for any number of threads.

    Readers come back to what they have passed by up to ``behind_bytes``, as those of plain tiles do,
    which take a few rows of every tile; windows further behind are forgotten when room is needed.
    """

    def __init__(self, fetch: Fetch, name: str) -> None:
        """Fetch with ``fetch``, in threads called ``name`` that start with the first expectation."""
        self.behind_bytes = 0
        self._fetch = fetch
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(STREAMS, name)
        self._windows: list[Window] = []
        self._planned: Iterator[Range] = iter(())
        self._next: Range | None = None
        self._planned_at = self._front_at = 0

    @property
    def budget_bytes(self) -> int:
        """The most memory that is held."""
        return self.behind_bytes + AHEAD_BYTES

    def expect(self, ranges: Iterable[Range]) -> None:
        """Begin to fetch ``ranges``, which are read in this order; they replace what was expected before."""
        with self._lock:
            for window in self._windows:
                window.end_at = _LONG_AGO
            self._planned_at = self._front_at = 0
            self._planned = _joined(ranges)
            self._next = next(self._planned, None)
            self._fill()

    def keep(self, offset: int, data: bytearray) -> None:
        """Hold bytes that have come another way, until room is needed."""
        arrived: Future[int] = Future()
        arrived.set_result(len(data))
        with self._lock:
            self._make_room(len(data))
            self._windows.append(Window(offset, data, arrived))

    def take(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` as far as one window goes, once that is there; return how many bytes that were.

        Raises what fetching raised.
        """
        with self._lock:
            window = self._at(offset)
            if window is None and self._next is not None and 0 <= offset - self._next[0] < self._next[1]:
                window = self._begin(self._next)  # whatever is held has been passed over
            if window is None:
                return 0
            self._front_at = max(self._front_at, window.end_at)
        start = offset - window.offset
        count = min(len(view), window.arrived.result() - start)
        if count > 0:
            view[:count] = memoryview(window.data)[start : start + count]
        with self._lock:
            self._fill()
        return max(count, 0)

    def close(self) -> None:
        """Fetch no more, and give the memory back; safe to call again."""
        with self._lock:
            self._next = None
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._windows.clear()

    def _fill(self) -> None:
        """Begin to fetch what is expected next, as far as the budget goes."""
        while self._next is not None:
            offset, count = self._next
            known = self._at(offset)
            if known is not None:
                known.end_at = self._planned_at + known.end - offset
                self._plan_on(known.end)
                continue
            self._make_room(count)
            if self._windows and self._held_bytes + count > self.budget_bytes:
                return
            self._begin(self._next)

    def _begin(self, planned: Range) -> Window:
        """Begin to fetch the next window."""
        offset, count = planned
        data = bytearray(count)
        window = Window(offset, data, self._pool.submit(self._fetch, memoryview(data), offset))
        window.end_at = self._planned_at + count
        self._windows.append(window)
        self._plan_on(window.end)
        return window

    def _plan_on(self, done: int) -> None:
        """Go on with what is planned after byte ``done`` of the next range."""
        if self._next is None:
            return
        offset, count = self._next
        left = offset + count - done
        self._planned_at += count - max(left, 0)
        self._next = (done, left) if left > 0 else next(self._planned, None)

    def _make_room(self, count: int) -> None:
        """Forget windows that have been passed, the oldest first, until ``count`` bytes fit."""
        passed_at = self._front_at - self.behind_bytes
        for window in self._windows.copy():
            if self._held_bytes + count <= self.budget_bytes:
                return
            if window.end_at < passed_at and window.arrived.done():
                self._windows.remove(window)

    @property
    def _held_bytes(self) -> int:
        return sum(len(window.data) for window in self._windows)

    def _at(self, offset: int) -> Window | None:
        return next((one for one in self._windows if one.offset <= offset < one.end), None)


def _joined(ranges: Iterable[Range]) -> Iterator[Range]:
    """Join neighbouring ranges, and cut what is long."""
    begin = end = 0
    for offset, count in ranges:
        if not end <= offset <= end + GAP_BYTES:
            if begin < end:
                yield begin, end - begin
            begin = offset
        end = offset + count
        while end - begin >= WINDOW_BYTES:
            yield begin, WINDOW_BYTES
            begin += WINDOW_BYTES
    if begin < end:
        yield begin, end - begin
