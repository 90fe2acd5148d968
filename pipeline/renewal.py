"""Access tokens for ranks whose work takes longer than a token lives."""

from collections.abc import Callable
from contextlib import suppress

from pipeline.errors import StoreError

RENEW_S = 30.0
"""How often the store is asked for its token; most of the time it is the same one still."""

Token = Callable[[], str | None]


class Renewal:
    """Asks for the token now and then, and notices when it is another one."""

    def __init__(self, ask: Token, now_s: float) -> None:
        """Begin with the token that the request carries, which ``ask`` has just given."""
        self._ask = ask
        self._asked_s = now_s
        self._known: str | None = None

    def due(self, now_s: float) -> str | None:
        """Return a token that the ranks do not have, if it is time to ask and there is one."""
        if now_s - self._asked_s < RENEW_S:
            return None
        self._asked_s = now_s
        with suppress(StoreError):  # the ranks have one that works for a while; ask again later
            token = self._ask()
            if token != self._known:
                self._known = token
                return token
        return None
