"""Asks something that may never answer, and waits for a while only."""

import threading
from collections.abc import Callable
from concurrent.futures import Future


class Probe:
    """Asks one question at a time; safe to share between threads.

    One that hangs is waited for again by whoever asks next, and never by a further thread; and it keeps no
    process from its end.
    """

    def __init__(self, ask: Callable[[], object], name: str) -> None:
        """Ask by calling ``ask``, in a thread of that name."""
        self._ask = ask
        self._name = name
        self._lock = threading.Lock()
        self._asked: Future[None] | None = None

    def answer(self, patience_s: float) -> None:
        """Return when there is an answer. Raises TimeoutError where there is none yet, or as asking does."""
        with self._lock:
            asked = self._asked
            if asked is None:
                asked = self._asked = Future()
                threading.Thread(target=self._run, args=(asked,), name=self._name, daemon=True).start()
        asked.result(patience_s)

    def _run(self, asked: "Future[None]") -> None:
        error: Exception | None = None
        try:
            self._ask()
        except Exception as raised:  # noqa: BLE001  (whatever it is, it is told to who asked)
            error = raised
        with self._lock:
            self._asked = None
        if error is None:
            asked.set_result(None)
        else:
            asked.set_exception(error)
