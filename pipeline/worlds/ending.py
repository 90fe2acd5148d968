"""How a world has ended, told from its exit code and the last that was written: pure."""

import re
import signal
from contextlib import suppress

# What Hydra writes about any end, beside what the ranks have written.
_HYDRA_NOISE = re.compile(
    r"^(=.*|YOUR APPLICATION TERMINATED.*|This typically refers.*|Please see the FAQ.*)\n?", re.MULTILINE
)

_EXHAUSTION = ("SIGXCPU", "std::bad_alloc")
"""How a rank ends at a limit of its process that nobody could tell of: see ``mpi_stage.process.limits``."""


def how_it_ended(code: int | None, ranks: int, said: str) -> str:
    """Return what follows the name of a rank that has gone, or of its world.

    Parameters
    ----------
    code: the exit code of the world's process, negative for a signal; None while it runs.
    ranks: of the world; of several Hydra's code is told.
    said: the end of what was written.
    """
    if code is None:
        return "closed its control connection"
    if ranks > 1 and f"(signal {code})" in said:
        code = -code  # Hydra exits with the number of the signal
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal_name(-code)}"


def is_exhausted(how: str, said: str) -> bool:
    """Whether a world that has ended so has met a limit of the processor or of memory."""
    return any(sign in how or sign in said for sign in _EXHAUSTION)


def last_words(said: str) -> str:
    """Return what the ranks have written last, to stand behind a sentence; empty if that is nothing."""
    words = _HYDRA_NOISE.sub("", said).strip()
    return f"; its last words: {words}" if words else ""


def signal_name(number: int) -> str:
    """Return how a signal is called."""
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
