"""Which alerts hold, kept where a restart finds it: in the store, with a copy in Redis.

The store's is the one that counts. The copy is what pages read, and what a restart finds of a change that
came while the store was away.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from pipeline import layout, logs
from pipeline.errors import HalorowError, ObjectNotFoundError
from pipeline.models import AlertsStatus
from pipeline.ports import ObjectStore, OperatorBoard

STATE = f"{layout.ALERTS}state.json"
_Read = TypeVar("_Read")


class AlertBook:
    """Reads and writes the state of the alerts; no method raises what store or Redis raise."""

    def __init__(self, store: ObjectStore, board: OperatorBoard) -> None:
        """Keep it in ``store`` and on ``board``."""
        self._store = store
        self._board = board
        self._log = logs.get_logger(part="alerts")

    def stored(self) -> AlertsStatus | None:
        """Return what the store has, a new state where it has nothing; None where it does not answer."""
        return self._try(self._stored)

    def posted(self) -> AlertsStatus | None:
        """Return what Redis has; None where it has nothing or does not answer."""
        return self._try(self._board.alerts)

    def store(self, status: AlertsStatus) -> bool:
        """Write a state into the store; return whether it is there."""
        data = status.model_dump_json().encode()
        return self._try(partial(self._store.put_bytes, STATE, data)) is not None

    def post(self, status: AlertsStatus) -> bool:
        """Write a state into Redis; return whether it is there."""
        return self._try(partial(self._post, status)) is not None

    def _post(self, status: AlertsStatus) -> bool:
        self._board.put_alerts(status)
        return True

    def _stored(self) -> AlertsStatus:
        try:
            return AlertsStatus.model_validate_json(self._store.get_bytes(STATE))
        except (ObjectNotFoundError, ValidationError):
            return AlertsStatus()  # one of another version: what is wrong is found again

    def _try(self, do: Callable[[], _Read]) -> _Read | None:
        try:
            return do()
        except (HalorowError, OSError) as error:
            self._log.warning("alerts cannot be kept in both places now", error=str(error))
            return None
