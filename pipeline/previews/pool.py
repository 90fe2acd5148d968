"""The seats of all visitors: at most one each, and few in all."""

import threading
from collections.abc import Callable

from pipeline.errors import PreviewsBusyError
from pipeline.previews.seat import Seat
from pipeline.worlds.world import World


class Previews:
    """Gives every visitor a seat; safe to share between threads."""

    def __init__(self, most: int, idle_s: float, make: Callable[[], World] | None = None) -> None:
        """Let there be at most ``most`` processes, each ended when it was idle for ``idle_s`` seconds."""
        self._most = most
        self._idle_s = idle_s
        self._make = make
        self._lock = threading.Lock()
        self._seats: dict[str, Seat] = {}

    def seat(self, visitor: str) -> Seat:
        """Return a visitor's seat; where all are taken, the one that was idle for longest is given away.

        Raises PreviewsBusyError where all are at work, or there are to be none.
        """
        with self._lock:
            self._seats = {name: seat for name, seat in self._seats.items() if not seat.over}
            if visitor not in self._seats:
                self._make_room()
                self._seats[visitor] = Seat(self._idle_s, self._make)
            return self._seats[visitor]

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            seats, self._seats = list(self._seats.values()), {}
        for seat in seats:
            seat.close()
        for seat in seats:
            seat.join()

    def _make_room(self) -> None:
        if self._most < 1:
            raise PreviewsBusyError("there are no previews here: preview_processes is 0 in the settings")
        if len(self._seats) < self._most:
            return
        idle = [name for name, seat in self._seats.items() if not seat.busy]
        if not idle:
            raise PreviewsBusyError(
                f"all {self._most} processes for previews are at work for others (preview_processes); "
                "try again in a moment"
            )
        self._seats.pop(min(idle, key=lambda name: self._seats[name].used_at)).close()
