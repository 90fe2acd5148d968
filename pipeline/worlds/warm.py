"""A world that stays warm between jobs, and is made anew when it has gone."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mpi_stage.contract import Report, Request, Tile, View
from pipeline.worlds.renewal import Token
from pipeline.worlds.world import World

Events = Callable[[dict[str, Any]], None]


class WarmWorld:
    """Runs one request after another on one world after another, always of as many ranks.

    A file that kills its decoder kills the world's process, and the next request gets a new one.
    For one thread, which should live as long as this: the world's processes die with it.
    """

    def __init__(self, ranks: int, make: Callable[[], World] | None = None) -> None:
        """Start nothing yet; ``make`` starts a world, by default one on this machine."""
        self._make = make or (lambda: World(ranks))
        self._world: World | None = None

    def warm_up(self) -> None:
        """Start the world now, so that the first request need not wait for it. Raises WorldError."""
        self._alive()

    def run(
        self,
        request: Request,
        *,
        on_event: Events | None = None,
        deadline_s: float | None = None,
        stall_s: float | None = None,
        cancelled: Callable[[], bool] | None = None,
        token: Token | None = None,
    ) -> Report:
        """Run one request to its end. Raises StageError, RunCancelledError."""
        return self._alive().run(
            request,
            on_event=on_event,
            deadline_s=deadline_s,
            stall_s=stall_s,
            cancelled=cancelled,
            token=token,
        )

    def plan(self, request: Request, ranks: int) -> dict[str, Any]:
        """Return the plan of a request for so many ranks, as JSON. Raises StageError."""
        return self._alive().plan(request, ranks=ranks)

    def preview(
        self, request: Request, view: View, *, deadline_s: float, cancelled: Callable[[], bool] | None = None
    ) -> dict[str, Any]:
        """Return pictures of a request's input and result, see ``World.preview``. Raises as :meth:`run`."""
        return self._alive().preview(request, view, deadline_s=deadline_s, cancelled=cancelled)

    def tile(self, request: Request, tile: Tile, *, deadline_s: float) -> dict[str, Any]:
        """Return a tile of a request's input, see ``World.tile``. Raises as :meth:`run`."""
        return self._alive().tile(request, tile, deadline_s=deadline_s)

    @property
    def alive(self) -> bool:
        """Whether there is a world that can take a request."""
        return self._world is not None and self._world.alive

    def pids(self) -> list[int]:
        """Return the process ids of the ranks, none while there is no world."""
        return self._world.pids() if self._world is not None and self._world.alive else []

    def close(self) -> None:
        """End the world."""
        world, self._world = self._world, None
        if world is not None:
            with suppress(OSError):
                world.close()

    def _alive(self) -> World:
        if self._world is None or not self._world.alive:
            self.close()
            self._world = self._make()
        return self._world
