"""Access tokens for ranks whose work takes longer than a token lives."""

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from pipeline.errors import StoreError

RENEW_S = 30.0
"""How often the store is asked for its token; most of the time it is the same one still."""

PATIENCE_S = 20.0
"""A token server that has not answered after this is asked again when it is time."""

Token = Callable[[], str | None]


class Renewal:
    """Asks for the token now and then, and notices when it is another one.

    It asks in a thread of its own: a token server that hangs keeps nobody from supervising the ranks,
    whose token works for some minutes still.
    """

    def __init__(self, ask: Token, now_s: float) -> None:
        """Begin with the token that the request carries, which ``ask`` has just given."""
        self._ask = ask
        self._asked_s = now_s
        self._answers: SimpleQueue[str | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._known: str | None = None

    def due(self, now_s: float) -> str | None:
        """Return a token that the ranks do not have, if one has come; ask for the next if it is time."""
        token = self._come()
        if now_s - self._asked_s >= (PATIENCE_S + RENEW_S if self.asking else RENEW_S):
            self._asked_s = now_s
            self._thread = threading.Thread(target=self._fetch, name="token", daemon=True)
            self._thread.start()
        return token

    @property
    def asking(self) -> bool:
        """Whether an answer is waited for."""
        return self._thread is not None and self._thread.is_alive()

    def _fetch(self) -> None:
        with suppress(StoreError):  # the ranks have one that works for a while; ask again later
            self._answers.put(self._ask())

    def _come(self) -> str | None:
        """Return the newest answer, None where it is none or not new."""
        newest = self._known
        with suppress(Empty):
            while True:
                newest = self._answers.get_nowait()
        if newest == self._known:
            return None
        self._known = newest
        return newest
